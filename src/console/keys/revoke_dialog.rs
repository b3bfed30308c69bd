//! The dialog that revokes a key.

use leptos::prelude::*;
use strum::VariantArray;

use crate::console::keys::server_fns::revoke_key;
use crate::console::kit::field::{ChoiceField, TextField};
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::key::{KeyView, RevocationReason};
use crate::domain::key_input::RevokeInput;

/// Asks for the reason and revokes a key.
#[component]
pub fn RevokeDialog(key: KeyView) -> impl IntoView {
    let reason = RwSignal::new(RevocationReason::default().into_str().to_owned());
    let note = RwSignal::new(String::new());
    let submission = Submission::new();
    let errors = submission.errors;
    let key_id = key.key_id.to_string();
    let revoke = move || {
        let input = RevokeInput {
            reason: Some(reason.get_untracked()),
            note: Some(note.get_untracked()).filter(|note| !note.trim().is_empty()),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        let key_id = key_id.clone();
        submission.submit(async move {
            let revoked = remote::answer(revoke_key(key_id, input)).await?;
            Ok(format!("{} is revoked.", revoked.key_id))
        });
    };
    let reasons = RevocationReason::VARIANTS.iter().map(|reason| {
        let name = reason.into_str();
        (name.to_owned(), name.replace('_', " "))
    });
    view! {
        <DialogForm text=TEXT submission fields=&["note"] on_submit=Callback::new(move |()| revoke())>
            <p>
                <code>{key.key_id.to_string()}</code> " of " <bdi>{key.partner_name}</bdi>
                " stops working immediately: calls with it are refused. You can undo this for 60 minutes, unless the reason is key compromise or superseded."
            </p>
            <ChoiceField id="revoke-reason" label="Reason" value=reason options=reasons.collect()/>
            <TextField id="revoke-note" label="Note (optional)" value=note error=errors.of("note")/>
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "revoke-heading",
    heading: "Revoke key",
    submit: "Revoke",
    pending: "Revoking…",
    danger: true,
};
