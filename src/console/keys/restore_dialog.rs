//! The dialog that undoes a revocation.

use leptos::prelude::*;

use crate::console::keys::server_fns::restore_key;
use crate::console::kit::field::TextField;
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::key::KeyView;
use crate::domain::key_input::RestoreInput;

/// Undoes the revocation of a key.
#[component]
pub fn RestoreDialog(key: KeyView) -> impl IntoView {
    let note = RwSignal::new(String::new());
    let submission = Submission::new();
    let errors = submission.errors;
    let key_id = key.key_id.to_string();
    let restore = move || {
        let input = RestoreInput {
            note: Some(note.get_untracked()).filter(|note| !note.trim().is_empty()),
        };
        if let Err(error) = input.clone().check() {
            errors.show(error);
            return;
        }
        let key_id = key_id.clone();
        submission.submit(async move {
            let key = remote::answer(restore_key(key_id, input)).await?;
            Ok(format!("{} works again.", key.key_id))
        });
    };
    view! {
        <DialogForm text=TEXT submission fields=&["note"] on_submit=Callback::new(move |()| restore())>
            <p>
                <code>{key.key_id.to_string()}</code> " of " <bdi>{key.partner_name}</bdi>
                " works again immediately, with the same token and the same end as before."
            </p>
            <TextField id="restore-note" label="Note (optional)" value=note error=errors.of("note")/>
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "restore-heading",
    heading: "Undo revocation",
    submit: "Undo",
    pending: "Undoing…",
    danger: false,
};
