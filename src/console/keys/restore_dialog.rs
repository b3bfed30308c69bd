//! The dialog that undoes a revocation.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::keys::server_fns::restore_key;
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{FormErrors, TextField};
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote;
use crate::console::shell::step_up::Refused;
use crate::domain::error::AppError;
use crate::domain::key::KeyView;
use crate::domain::key_input::RestoreInput;

/// Says what undoing does, and undoes.
#[component]
pub fn RestoreDialog(
    /// The revoked key.
    key: KeyView,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let note = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["note"]);
    let key_id = key.key_id.to_string();
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let ordered_key = key_id.clone();
    let restore = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let input = RestoreInput {
            note: Some(note.get_untracked()).filter(|note| !note.trim().is_empty()),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        pending.set(true);
        let key_id = ordered_key.clone();
        spawn_local(async move {
            match remote::answer(restore_key(key_id, input)).await {
                Ok(key) => {
                    desk.changed();
                    this.close(format!("{} works again.", key.key_id));
                }
                Err(error) => {
                    if error == AppError::NoAnswer {
                        desk.changed();
                    }
                    errors.show(error);
                    pending.try_set(false);
                }
            }
        });
    };
    view! {
        <Modal heading_id="restore-heading" heading="Undo revocation" on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); restore() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                <p>
                    <code>{key_id}</code> " of " <bdi>{key.partner_name}</bdi>
                    " works again at once, with the same token and the same end as before."
                </p>
                <TextField id="restore-note" label="Note (optional)" value=note error=errors.of("note")/>
                <Actions label="Undo" working="Undoing…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}
