//! The dialog that revokes a key.

use leptos::prelude::*;
use leptos::task::spawn_local;
use strum::VariantArray;

use crate::console::keys::server_fns::revoke_key;
use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{ChoiceField, FormErrors, TextField};
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote;
use crate::domain::error::AppError;
use crate::domain::key::{KeyView, RevocationReason};
use crate::domain::key_input::RevokeInput;

/// Says what a revocation does, asks for the reason, and revokes.
#[component]
pub fn RevokeDialog(
    /// The key to be revoked.
    key: KeyView,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let reason = RwSignal::new(RevocationReason::default().into_str().to_owned());
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
    let revoke = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        let input = RevokeInput {
            reason: Some(reason.get_untracked()),
            note: Some(note.get_untracked()).filter(|note| !note.trim().is_empty()),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        pending.set(true);
        let key_id = ordered_key.clone();
        spawn_local(async move {
            // Revoking twice does no harm, so a lost answer needs nothing but another try.
            match remote::answer(revoke_key(key_id, input)).await {
                Ok(revoked) => {
                    desk.changed();
                    this.close(format!("{} is revoked.", revoked.key_id));
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
    let reasons = RevocationReason::VARIANTS.iter().map(|reason| {
        let name = reason.into_str();
        (name.to_owned(), name.replace('_', " "))
    });
    view! {
        <Modal heading_id="revoke-heading" heading="Revoke key" on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); revoke() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <p>
                    <code>{key_id}</code> " of " <bdi>{key.partner_name}</bdi>
                    " stops working at once, and for good. Whoever still calls with it is refused."
                </p>
                <ChoiceField id="revoke-reason" label="Reason" value=reason options=reasons.collect()/>
                <TextField id="revoke-note" label="Note (optional)" value=note error=errors.of("note")/>
                <Actions label="Revoke" working="Revoking…" pending danger=true on_cancel=close/>
            </form>
        </Modal>
    }
}
