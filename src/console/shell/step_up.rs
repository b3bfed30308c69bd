//! Refused requests; those that require a recent second factor ask for a code in place.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::alert::ErrorAlert;
use crate::console::kit::field::{FormErrors, InputKind, TextField};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::settings::mfa::server_fns::prove_factor;
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::domain::error::AppError;
use crate::domain::routes;

/// The refusal of a request, above its form. Nothing typed is lost: after the code, the operator submits
/// again.
#[component]
pub fn RefusalAlert(error: AppError) -> impl IntoView {
    match error {
        AppError::FactorNeeded { enrolled: true } => view! { <StepUp/> }.into_any(),
        AppError::FactorNeeded { enrolled: false } => view! {
            <div class="alert error" role="alert">
                <Icon glyph=Glyph::Lock/>
                <p>
                    "This requires a second factor, and you have none. "
                    <a href=routes::SETTINGS target="_blank">"Set one up in a new tab"</a>
                    ", then try again here."
                </p>
            </div>
        }
        .into_any(),
        error => view! { <ErrorAlert error/> }.into_any(),
    }
}

/// Asks for a code. It may be inside a form, so it is none itself.
#[component]
fn StepUp() -> impl IntoView {
    let code = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    let confirmed = RwSignal::new(false);
    let errors = FormErrors::new();
    let other_errors = errors.except(&["code"]);
    let confirm = move || {
        if pending.get_untracked() || confirmed.get_untracked() {
            return;
        }
        errors.clear();
        pending.set(true);
        spawn_local(async move {
            let answer = remote::answer(prove_factor(code.get_untracked())).await;
            pending.try_set(false);
            match answer {
                Ok(()) => drop(confirmed.try_set(true)),
                Err(error) => errors.show(error),
            }
        });
    };
    Effect::new(|| browser::focus::set_soon("#step-up-code"));
    let ask = move || {
        view! {
            <div role="alert"><p>"This requires a new code of your second factor."</p></div>
            {move || other_errors.get().map(|error| view! { <ErrorAlert error/> })}
            <div
                class="row"
                on:keydown=move |event| {
                    // Enter would submit the surrounding form.
                    if event.key() == "Enter" {
                        event.prevent_default();
                        confirm();
                    }
                }
            >
                <TextField id="step-up-code" label="Code" value=code error=errors.of("code") kind=InputKind::Code/>
                <button class="button" type="button" aria-busy=move || pending.get().to_string() on:click=move |_| confirm()>
                    "Confirm"
                </button>
            </div>
        }
    };
    view! {
        <div class="step-up">
            <p role="status">{move || confirmed.get().then_some("Confirmed: submit again.")}</p>
            {move || (!confirmed.get()).then(ask)}
        </div>
    }
}
