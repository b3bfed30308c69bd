//! The dialog that revokes a key.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::dialog::Modal;
use super::field::{FormErrors, TextField};
use super::notice::ErrorNotice;
use crate::domain::key::{KeyView, RevocationReason};
use crate::domain::key_input::RevokeInput;
use crate::rpc::keys::revoke_key;

/// Says what a revocation does, asks for the reason, and revokes.
#[component]
pub fn RevokeDialog(
    /// The key to be revoked.
    key: KeyView,
    /// The key was revoked.
    #[prop(into)]
    on_revoked: Callback<()>,
    /// Nothing was revoked.
    #[prop(into)]
    on_cancel: Callback<()>,
) -> impl IntoView {
    let reason = RwSignal::new(RevocationReason::default().as_str().to_owned());
    let note = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["note"]);
    let key_id = key.key_id.to_string();
    let revoke = {
        let key_id = key_id.clone();
        move || {
            if pending.get_untracked() {
                return;
            }
            pending.set(true);
            errors.clear();
            let key_id = key_id.clone();
            let input = RevokeInput {
                reason: Some(reason.get_untracked()),
                note: Some(note.get_untracked()).filter(|note| !note.trim().is_empty()),
            };
            spawn_local(async move {
                match revoke_key(key_id, input).await {
                    Ok(_) => on_revoked.run(()),
                    Err(error) => {
                        errors.show(error);
                        pending.set(false);
                    }
                }
            });
        }
    };
    view! {
        <Modal heading_id="revoke-heading" heading="Revoke key" on_dismiss=on_cancel>
            <form on:submit=move |event| { event.prevent_default(); revoke() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <p>
                    <code>{key_id}</code> " of " <bdi>{key.partner_name}</bdi>
                    " stops working at once, and for good."
                </p>
                <div class="field">
                    <label for="revoke-reason">"Reason"</label>
                    <select id="revoke-reason" on:change=move |event| reason.set(event_target_value(&event))>
                        {RevocationReason::ALL.map(|reason| view! {
                            <option value=reason.as_str()>{reason.as_str().replace('_', " ")}</option>
                        })}
                    </select>
                </div>
                <TextField id="revoke-note" label="Note (optional)" value=note error=errors.of("note")/>
                <div class="actions">
                    <button class="button" type="button" on:click=move |_| on_cancel.run(())>"Cancel"</button>
                    <button class="button danger" type="submit" aria-busy=move || pending.get().to_string()>"Revoke"</button>
                </div>
            </form>
        </Modal>
    }
}
