//! The dialogs that create an operator, edit one, and set a password.

use leptos::prelude::*;
use strum::VariantArray;

use crate::console::kit::field::{ChoiceField, InputKind, TextField};
use crate::console::settings::operators::server_fns::{
    create_operator, reset_password, update_operator,
};
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::error::AppError;
use crate::domain::operator::{Operator, OperatorInput, OperatorUpdateInput, Role, new_password};

/// Creates an operator.
#[component]
pub fn NewOperatorDialog() -> impl IntoView {
    let email = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Auditor.into_str().to_owned());
    let password = RwSignal::new(String::new());
    let submission = Submission::new();
    let errors = submission.errors;
    let create = move || {
        let input = OperatorInput {
            email: email.get_untracked(),
            role: role.get_untracked(),
            password: password.get_untracked(),
        };
        if let Err(error) = input.check() {
            errors.show(error);
            return;
        }
        submission.submit(async move {
            let created = remote::answer(create_operator(input)).await?;
            Ok(format!("{} is created.", created.email))
        });
    };
    view! {
        <DialogForm
            text=text("New operator", "Create operator", "Creating…") submission
            fields=&["email", "role", "password"] on_submit=Callback::new(move |()| create())
        >
            <TextField id="operator-email" label="E-mail" kind=InputKind::Email value=email error=errors.of("email")/>
            <ChoiceField id="operator-role" label="Role" value=role options=roles() error=errors.of("role")/>
            <TextField
                id="operator-password" label="Initial password" kind=InputKind::NewPassword
                value=password error=errors.of("password")
                hint="12 characters or more. Hand it over safely; they can change it after signing in."
            />
        </DialogForm>
    }
}

/// Changes an operator's role or right to sign in.
#[component]
pub fn EditOperatorDialog(operator: Operator) -> impl IntoView {
    let role = RwSignal::new(operator.role.into_str().to_owned());
    let state = RwSignal::new(if operator.active { ACTIVE } else { DISABLED }.to_owned());
    let submission = Submission::new();
    let errors = submission.errors;
    let operator_id = operator.operator_id;
    let change = move || {
        let input = OperatorUpdateInput {
            role: Some(role.get_untracked()),
            active: Some(state.get_untracked() == ACTIVE),
        };
        submission.submit(async move {
            let changed = remote::answer(update_operator(operator_id, input)).await?;
            Ok(format!("{} is saved.", changed.email))
        });
    };
    let states = [ACTIVE, DISABLED].map(|state| (state.to_owned(), state.to_owned()));
    view! {
        <DialogForm
            text=text("Edit operator", "Save changes", "Saving…") submission
            fields=&["role", "active"] on_submit=Callback::new(move |()| change())
        >
            <p><bdi class="strong">{operator.email}</bdi></p>
            <ChoiceField id="operator-role" label="Role" value=role options=roles() error=errors.of("role")/>
            <ChoiceField
                id="operator-state" label="Sign-in" value=state options=states.to_vec() error=errors.of("active")
                hint="An operator who is disabled, or no longer an admin, is signed out everywhere."
            />
        </DialogForm>
    }
}

/// Sets another operator's password.
#[component]
pub fn ResetPasswordDialog(operator: Operator) -> impl IntoView {
    let password = RwSignal::new(String::new());
    let submission = Submission::new();
    let errors = submission.errors;
    let email = operator.email.clone();
    let reset = move || {
        let new = password.get_untracked();
        if let Err(message) = new_password(&new) {
            errors.show(AppError::field("password", message));
            return;
        }
        let email = email.clone();
        submission.submit(async move {
            remote::answer(reset_password(email.clone(), new)).await?;
            Ok(format!("The password of {email} is set."))
        });
    };
    view! {
        <DialogForm
            text=text("Reset password", "Set password", "Setting…") submission
            fields=&["password"] on_submit=Callback::new(move |()| reset())
        >
            <p><bdi class="strong">{operator.email}</bdi> " is signed out everywhere."</p>
            <TextField
                id="operator-password" label="New password" kind=InputKind::NewPassword
                value=password error=errors.of("password")
                hint="12 characters or more. Hand it over safely; they can change it after signing in."
            />
        </DialogForm>
    }
}

const fn text(heading: &'static str, submit: &'static str, pending: &'static str) -> DialogText {
    DialogText {
        id: "operator-heading",
        heading,
        submit,
        pending,
        danger: false,
    }
}

const ACTIVE: &str = "allowed";
const DISABLED: &str = "disabled";

fn roles() -> Vec<(String, String)> {
    let named = |role: Role| (role.into_str().to_owned(), role.into_str().to_owned());
    Role::VARIANTS.iter().copied().map(named).collect()
}
