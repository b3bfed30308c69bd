//! The actions of a key, as buttons.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::console::shell::dialog_host::{DialogHost, OpenDialog};
use crate::console::shell::hydration::Hydrated;
use crate::domain::key::{KeyStatus, KeyView};

/// The buttons that apply to a key; none for an auditor.
#[component]
pub fn KeyActions(
    key: KeyView,
    /// The server's time when the key was read.
    now: DateTime<Utc>,
    /// True for an admin.
    may_change: bool,
    /// True if the key can be edited here.
    #[prop(optional)]
    with_edit: bool,
) -> impl IntoView {
    let id = key.key_id.to_string();
    let button = |applies: bool, label, danger, dialog: OpenDialog| {
        let key_id = id.clone();
        (applies && may_change).then(|| view! { <KeyButton label key_id danger dialog/> })
    };
    let is_live = key.status.is_live();
    [
        button(
            with_edit && is_live,
            "Edit",
            false,
            OpenDialog::EditKey(key.clone()),
        ),
        button(
            is_live && key.replaced_by.is_none(),
            "Rotate",
            false,
            OpenDialog::Rotate(key.clone()),
        ),
        button(
            key.status == KeyStatus::Retiring,
            "Grace",
            false,
            OpenDialog::Grace(key.clone(), now),
        ),
        button(
            key.status != KeyStatus::Revoked,
            "Revoke",
            true,
            OpenDialog::Revoke(key.clone()),
        ),
        button(
            key.can_be_restored(now),
            "Undo",
            false,
            OpenDialog::Restore(key.clone()),
        ),
    ]
    .map(|button| view! { {button} " " })
    .into_view()
}

/// A button of a key. Its id lets the focus return after the row is rendered again.
#[component]
fn KeyButton(
    label: &'static str,
    key_id: String,
    danger: bool,
    dialog: OpenDialog,
) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let class = if danger {
        "button small danger-quiet"
    } else {
        "button small"
    };
    view! {
        <button
            class=class type="button"
            id=format!("{}-{key_id}", label.to_lowercase())
            aria-label=format!("{label} {key_id}")
            disabled=move || !hydrated.done()
            on:click=move |_| host.open(dialog.clone())
        >{label}</button>
    }
}
