//! A dialog above the page.

use leptos::ev::{Event, KeyboardEvent};
use leptos::html;
use leptos::prelude::*;

use crate::ui::browser;

/// A modal dialog, open for as long as it is rendered.
#[component]
pub fn Modal(
    /// The id of its heading.
    heading_id: &'static str,
    /// Its heading, which is its accessible name.
    heading: &'static str,
    /// What Escape does; nothing where it is absent, and the dialog stays.
    #[prop(optional, into)]
    on_dismiss: Option<Callback<()>>,
    /// What is in it.
    children: Children,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if dialog.get().is_some() {
            browser::show_modal(dialog);
        }
    });
    // Chromium closes a dialog on a repeated Escape although `cancel` was prevented: the key
    // itself is taken away, and the page decides.
    let on_keydown = move |event: KeyboardEvent| {
        if event.key() == "Escape" {
            event.prevent_default();
            if let Some(on_dismiss) = on_dismiss {
                on_dismiss.run(());
            }
        }
    };
    view! {
        <dialog
            class="modal"
            node_ref=dialog
            closedby="none"
            aria-labelledby=heading_id
            on:keydown=on_keydown
            on:cancel=move |event: Event| event.prevent_default()
        >
            <h2 id=heading_id>{heading}</h2>
            {children()}
        </dialog>
    }
}
