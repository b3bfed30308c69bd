//! The dialog that changes the operator's own password.

use leptos::prelude::*;

use crate::console::kit::field::{InputKind, TextField};
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::console::sign_in::server_fns::change_password;
use crate::domain::error::AppError;
use crate::domain::operator;

/// Asks for the current password and a new one.
#[component]
pub fn PasswordDialog() -> impl IntoView {
    let current = RwSignal::new(String::new());
    let new = RwSignal::new(String::new());
    let submission = Submission::new();
    let errors = submission.errors;
    let change = move || {
        if let Err(message) = operator::new_password(&new.get_untracked()) {
            errors.show(AppError::field("new", message));
            return;
        }
        let call = change_password(current.get_untracked(), new.get_untracked());
        submission.submit(async move {
            remote::answer(call).await?;
            Ok("Your password is changed; your other sessions have ended.".to_owned())
        });
    };
    view! {
        <DialogForm text=TEXT submission fields=&["current", "new"] on_submit=Callback::new(move |()| change())>
            <TextField
                id="password-current" label="Current password" kind=InputKind::CurrentPassword
                value=current error=errors.of("current")
            />
            <TextField
                id="password-new" label="New password" kind=InputKind::NewPassword
                value=new error=errors.of("new") hint="12 characters or more. All your other sessions end."
            />
        </DialogForm>
    }
}

const TEXT: DialogText = DialogText {
    id: "password-heading",
    heading: "Change password",
    submit: "Change password",
    pending: "Changing…",
    danger: false,
};
