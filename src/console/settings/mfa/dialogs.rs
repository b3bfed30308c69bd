//! The dialogs about a second factor: set up, its recovery codes, taken away.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::dialog::{Actions, Modal};
use crate::console::kit::field::{FormErrors, TextField};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::settings::mfa::server_fns::{
    begin_factor, confirm_factor, remove_factor, renew_recovery_codes,
};
use crate::console::settings::operators::server_fns::remove_factor_of;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::Desk;
use crate::console::shell::remote;
use crate::console::shell::step_up::Refused;
use crate::console::shell::submission::{Order, OrderForm};
use crate::domain::error::AppError;
use crate::domain::mfa::{self, Enrolment};
use crate::domain::operator::Operator;
use crate::domain::secret::Secret;

/// Asks for the password, shows what an app needs, and asks for a first code.
#[component]
pub fn SetUpFactorDialog() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let password = RwSignal::new(String::new());
    let code = RwSignal::new(String::new());
    let begun = RwSignal::new(None::<Enrolment>);
    let pending = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["password", "code"]);
    let close = Callback::new(move |()| {
        if !pending.get_untracked() {
            this.close("");
        }
    });
    let begin = move || {
        pending.set(true);
        spawn_local(async move {
            let answer = remote::answer(begin_factor(password.get_untracked())).await;
            pending.try_set(false);
            match answer {
                Ok(enrolment) => {
                    password.try_set(String::new());
                    begun.try_set(Some(enrolment));
                    browser::focus_soon("#factor-code");
                }
                Err(error) => errors.show(error),
            }
        });
    };
    let confirm = move || {
        let typed = code.get_untracked();
        if let Err(message) = mfa::typed_code(&typed) {
            errors.show(AppError::field("code", message));
            return;
        }
        pending.set(true);
        desk.set_busy(true);
        spawn_local(async move {
            match remote::answer(confirm_factor(typed)).await {
                Ok(codes) => desk.reveal_codes(codes),
                Err(error) => {
                    desk.set_busy(false);
                    if error == AppError::NoAnswer {
                        desk.changed();
                    }
                    errors.show(error);
                    pending.try_set(false);
                }
            }
        });
    };
    let submit = move || {
        if pending.get_untracked() {
            return;
        }
        errors.clear();
        if begun.with_untracked(Option::is_some) {
            confirm();
        } else {
            begin();
        }
    };
    let stage = move || {
        match begun.get() {
        None => view! {
            <p>"You need an app that shows codes by time, such as the one that keeps your passwords."</p>
            <TextField
                id="factor-password" label="Your password" kind="password" autocomplete="current-password"
                value=password error=errors.of("password")
            />
            <Actions label="Continue" working="Checking…" pending on_cancel=close/>
        }
        .into_any(),
        Some(enrolment) => view! {
            <p>"Scan this with the app, or type the secret into it. It is shown once."</p>
            <svg class="qr" role="img" aria-label="QR code for the app" viewBox=format!("0 0 {0} {0}", enrolment.qr.size)>
                <rect width=enrolment.qr.size height=enrolment.qr.size></rect>
                <path d=enrolment.qr.path.to_string()></path>
            </svg>
            <p class="token"><code id="factor-secret" tabindex="0" aria-label="Secret">{in_fours(&enrolment.secret)}</code></p>
            <p class="field-note"><a href=enrolment.uri.to_string()>"Open it in an app on this device"</a></p>
            <TextField
                id="factor-code" label="Code" value=code error=errors.of("code") autocomplete="one-time-code"
                hint="The six digits that the app shows. Your other sessions end."
            />
            <Actions label="Set up" working="Setting up…" pending on_cancel=close/>
        }
        .into_any(),
    }
    };
    view! {
        <Modal heading_id="factor-dialog-heading" heading="Set up second factor" on_dismiss=close>
            <form novalidate on:submit=move |event| { event.prevent_default(); submit() }>
                {move || beside.get().map(|error| view! { <Refused error/> })}
                {stage}
            </form>
        </Modal>
    }
}

/// Shows the recovery codes until the operator says that they are stored. Nothing else closes it.
#[component]
pub fn RecoveryCodes(
    /// The codes.
    codes: Vec<Secret>,
) -> impl IntoView {
    let desk = expect_context::<Desk>();
    let this = desk.this_dialog();
    let (said, say) = signal("Each of them stands in for a code of the app, once.");
    let text = StoredValue::new({
        let codes: Vec<&str> = codes.iter().map(|code| &**code).collect();
        codes.join("\n")
    });
    // The copy in the arena goes with the dialog.
    on_cleanup(move || text.dispose());
    let copy = move |_| {
        let text = text.get_value();
        spawn_local(async move {
            let words = if browser::copy_text(text).await {
                "Copied."
            } else {
                "The browser did not let them be copied: select the text and copy it by hand."
            };
            say.try_set(words);
        });
    };
    view! {
        <Modal heading_id="reveal-heading" heading="Recovery codes">
            <p>"With these you sign in on the day the app is lost. They are shown once: store them where secrets are kept, and not beside your password."</p>
            <ul class="token many" id="recovery-codes" tabindex="0" autofocus aria-label="Recovery codes">
                {codes.into_iter().map(|code| view! { <li><code>{code.to_string()}</code></li> }).collect_view()}
            </ul>
            <p class="field-note" role="status">{move || said.get()}</p>
            <div class="actions">
                <button class="button" type="button" on:click=copy><Icon glyph=Glyph::Copy/> "Copy"</button>
                <button
                    class="button primary" type="button"
                    on:click=move |_| this.close("Your second factor is ready.")
                >"I have stored them"</button>
            </div>
        </Modal>
    }
}

/// Makes new recovery codes.
#[component]
pub fn RenewCodesDialog() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let order = Order::new();
    let renew = move || {
        order.give_for(renew_recovery_codes(), move |codes| {
            desk.reveal_codes(codes)
        });
    };
    view! {
        <OrderForm
            id="factor-dialog-heading" heading="New recovery codes" label="Make new codes" working="Making…"
            order fields=&[] on_submit=Callback::new(move |()| renew())
        >
            <p>"You get ten new codes, and the ones that you have are worth nothing from then on."</p>
        </OrderForm>
    }
}

/// Takes one's own second factor away.
#[component]
pub fn RemoveFactorDialog() -> impl IntoView {
    let order = Order::new();
    let remove = move || {
        order.give(async move {
            remote::answer(remove_factor()).await?;
            Ok("Your second factor is removed.".to_owned())
        });
    };
    view! {
        <OrderForm
            id="factor-dialog-heading" heading="Remove second factor" label="Remove" working="Removing…"
            order fields=&[] on_submit=Callback::new(move |()| remove())
        >
            <p>"You sign in by password alone from then on, and your other sessions end. What takes a second factor is closed to you until you set up another."</p>
        </OrderForm>
    }
}

/// Takes the second factor of an operator who has lost it.
#[component]
pub fn RemoveFactorOfDialog(
    /// The operator.
    operator: Operator,
) -> impl IntoView {
    let order = Order::new();
    let email = operator.email.clone();
    let remove = move || {
        let email = email.clone();
        order.give(async move {
            remote::answer(remove_factor_of(email.clone())).await?;
            Ok(format!("The second factor of {email} is removed."))
        });
    };
    view! {
        <OrderForm
            id="factor-dialog-heading" heading="Remove second factor" label="Remove" working="Removing…"
            order fields=&[] on_submit=Callback::new(move |()| remove())
        >
            <p>
                <bdi class="strong">{operator.email}</bdi>
                " signs in by password alone until they set up another, and is signed out everywhere. Be sure that it is they who ask."
            </p>
        </OrderForm>
    }
}

/// A secret in groups that are easy to type.
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
