//! The dialog that changes one's own password.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{FormErrors, TextField};
use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote;
use crate::console::sign_in::server_fns::change_password;
use crate::domain::error::AppError;
use crate::domain::operator;

/// Asks for the present password and a new one.
#[component]
pub fn PasswordDialog() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let current = RwSignal::new(String::new());
    let new = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["current", "new"]);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let change = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        if let Err(message) = operator::new_password(&new.get_untracked()) {
            errors.show(AppError::field("new", message));
            return;
        }
        pending.set(true);
        spawn_local(async move {
            let call = change_password(current.get_untracked(), new.get_untracked());
            match remote::answer(call).await {
                Ok(()) => this.close("Your password is changed; your other sessions have ended."),
                Err(error) => {
                    errors.show(error);
                    pending.try_set(false);
                }
            }
        });
    };
    view! {
        <Modal heading_id="password-heading" heading="Change password" on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); change() }>
                {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
                <TextField
                    id="password-current" label="Present password" kind="password" autocomplete="current-password"
                    value=current error=errors.of("current")
                />
                <TextField
                    id="password-new" label="New password" kind="password" autocomplete="new-password"
                    value=new error=errors.of("new") hint="12 characters or more. All your other sessions end."
                />
                <Actions label="Change password" working="Changing…" pending on_cancel=close/>
            </form>
        </Modal>
    }
}
