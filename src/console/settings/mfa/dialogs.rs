//! The dialogs that set up and remove a second factor, and show its recovery codes.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::dialog::Modal;
use crate::console::kit::field::{InputKind, TextField};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::settings::mfa::server_fns::{
    begin_factor, confirm_factor, remove_factor, renew_recovery_codes,
};
use crate::console::settings::operators::server_fns::remove_factor_of;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::remote;
use crate::console::shell::submission::{DialogForm, DialogText, Submission};
use crate::domain::error::AppError;
use crate::domain::mfa::{self, Enrolment};
use crate::domain::operator::Operator;
use crate::domain::secret::Secret;

/// Asks for the password, shows what an authenticator app needs, and asks for a first code.
#[component]
pub fn SetUpFactorDialog() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let password = RwSignal::new(String::new());
    let code = RwSignal::new(String::new());
    let enrolment = RwSignal::new(None::<Enrolment>);
    let submission = Submission::new();
    let errors = submission.errors;
    let begin = move || {
        let request = remote::answer(begin_factor(password.get_untracked()));
        submission.send(request, move |begun| {
            password.try_set(String::new());
            enrolment.try_set(Some(begun));
            browser::focus::set_soon("#factor-code");
        });
    };
    let confirm = move || {
        let typed = code.get_untracked();
        if let Err(message) = mfa::typed_code(&typed) {
            errors.show(AppError::field("code", message));
            return;
        }
        let request = remote::answer(confirm_factor(typed));
        submission.submit_for_secret(request, move |codes| host.reveal_codes(codes), None);
    };
    let is_begun = Memo::new(move |_| enrolment.with(Option::is_some));
    let on_submit = Callback::new(move |()| {
        if is_begun.get_untracked() {
            confirm();
        } else {
            begin();
        }
    });
    let text = Signal::derive(move || {
        let (submit, pending) = match is_begun.get() {
            false => ("Continue", "Checking…"),
            true => ("Set up", "Setting up…"),
        };
        text("Set up second factor", submit, pending)
    });
    view! {
        <DialogForm text submission fields=&["password", "code"] on_submit>
            {move || match enrolment.get() {
                None => view! {
                    <p>"You need an authenticator app, such as the one that keeps your passwords."</p>
                    <TextField
                        id="factor-password" label="Your password" kind=InputKind::CurrentPassword
                        value=password error=errors.of("password")
                    />
                }
                .into_any(),
                Some(enrolment) => view! {
                    <EnrolmentSecret enrolment/>
                    <TextField
                        id="factor-code" label="Code" value=code error=errors.of("code") kind=InputKind::Code
                        hint="The six digits that the app shows. Your other sessions end."
                    />
                }
                .into_any(),
            }}
        </DialogForm>
    }
}

#[component]
fn EnrolmentSecret(enrolment: Enrolment) -> impl IntoView {
    let size = enrolment.qr.size;
    view! {
        <p>"Scan this with the app, or type the secret into it. It is shown once."</p>
        <svg class="qr" role="img" aria-label="QR code for the app" viewBox=format!("0 0 {size} {size}")>
            <rect width=size height=size></rect>
            <path d=enrolment.qr.path.to_string()></path>
        </svg>
        <p class="token"><code id="factor-secret" tabindex="0" aria-label="Secret">{in_fours(&enrolment.secret)}</code></p>
        <p class="field-note"><a href=enrolment.uri.to_string()>"Open it in an app on this device"</a></p>
    }
}

const fn text(heading: &'static str, submit: &'static str, pending: &'static str) -> DialogText {
    DialogText {
        id: "factor-dialog-heading",
        heading,
        submit,
        pending,
        danger: false,
    }
}

/// Shows the recovery codes until the operator confirms that they are stored. Nothing else closes it.
#[component]
pub fn RecoveryCodes(codes: Vec<Secret>) -> impl IntoView {
    let handle = expect_context::<DialogHost>().handle();
    let (message, set_message) = signal("Each of them replaces a code of the app, once.");
    let text = StoredValue::new({
        let codes: Vec<&str> = codes.iter().map(|code| &**code).collect();
        codes.join("\n")
    });
    // The copy in the arena is removed with the dialog.
    on_cleanup(move || text.dispose());
    let copy = move |_| {
        let text = text.get_value();
        spawn_local(async move {
            let outcome = if browser::copy_text(text).await {
                "Copied."
            } else {
                "The browser did not allow copying: select the text and copy it by hand."
            };
            set_message.try_set(outcome);
        });
    };
    view! {
        <Modal heading_id="reveal-heading" heading="Recovery codes">
            <p>"With these you can sign in without the app. They are shown once: store them where secrets are kept, but not with your password."</p>
            <ul class="token many" id="recovery-codes" tabindex="0" autofocus aria-label="Recovery codes">
                {codes.into_iter().map(|code| view! { <li><code>{code.to_string()}</code></li> }).collect_view()}
            </ul>
            <p class="field-note" role="status">{move || message.get()}</p>
            <div class="actions">
                <button class="button" type="button" on:click=copy><Icon glyph=Glyph::Copy/> "Copy"</button>
                <button
                    class="button primary" type="button"
                    on:click=move |_| handle.close("Your second factor is ready.")
                >"I have stored them"</button>
            </div>
        </Modal>
    }
}

/// Generates new recovery codes.
#[component]
pub fn RenewCodesDialog() -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let submission = Submission::new();
    let renew = move || {
        let request = remote::answer(renew_recovery_codes());
        submission.submit_for_secret(request, move |codes| host.reveal_codes(codes), None);
    };
    view! {
        <DialogForm
            text=text("New recovery codes", "Generate new codes", "Generating…") submission fields=&[]
            on_submit=Callback::new(move |()| renew())
        >
            <p>"You get ten new codes. The ones that you have stop working."</p>
        </DialogForm>
    }
}

/// Removes the operator's own second factor.
#[component]
pub fn RemoveFactorDialog() -> impl IntoView {
    let submission = Submission::new();
    let remove = move || {
        submission.submit(async move {
            remote::answer(remove_factor()).await?;
            Ok("Your second factor is removed.".to_owned())
        });
    };
    view! {
        <DialogForm
            text=text("Remove second factor", "Remove", "Removing…") submission fields=&[]
            on_submit=Callback::new(move |()| remove())
        >
            <p>"From now on you sign in with your password only, and your other sessions end. Actions that require a second factor are refused until you set up another."</p>
        </DialogForm>
    }
}

/// Removes the second factor of an operator who has lost it.
#[component]
pub fn RemoveFactorOfDialog(operator: Operator) -> impl IntoView {
    let submission = Submission::new();
    let email = operator.email.clone();
    let remove = move || {
        let email = email.clone();
        submission.submit(async move {
            remote::answer(remove_factor_of(email.clone())).await?;
            Ok(format!("The second factor of {email} is removed."))
        });
    };
    view! {
        <DialogForm
            text=text("Remove second factor", "Remove", "Removing…") submission fields=&[]
            on_submit=Callback::new(move |()| remove())
        >
            <p>
                <bdi class="strong">{operator.email}</bdi>
                " signs in with the password only until they set up another, and is signed out everywhere. Make sure that it is they who ask."
            </p>
        </DialogForm>
    }
}

/// Groups a secret so that it is easy to type.
fn in_fours(secret: &str) -> String {
    let mut grouped = String::with_capacity(secret.len() * 5 / 4);
    for (n, character) in secret.chars().enumerate() {
        if n > 0 && n.is_multiple_of(4) {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}
