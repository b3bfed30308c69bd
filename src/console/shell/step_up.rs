//! Why an order was refused; where it takes a fresh second factor, the place to show it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::alert::ErrorNotice;
use crate::console::kit::field::{FormErrors, TextField};
use crate::console::kit::icon::{Glyph, Icon};
use crate::console::settings::mfa::server_fns::prove_factor;
use crate::console::shell::browser;
use crate::console::shell::remote;
use crate::domain::error::AppError;
use crate::domain::routes;

/// The refusal of an order, above what was typed for it. Nothing of that is lost: after a code, the order is
/// given again as it stands.
#[component]
pub fn Refused(
    /// Why it was refused.
    error: AppError,
) -> impl IntoView {
    match error {
        AppError::FactorNeeded { enrolled: true } => view! { <StepUp/> }.into_any(),
        AppError::FactorNeeded { enrolled: false } => view! {
            <div class="notice error" role="alert">
                <Icon glyph=Glyph::Lock/>
                <p>
                    "This takes a second factor, and you have none. "
                    <a href=routes::SETTINGS target="_blank">"Set one up in a new tab"</a>
                    ", then try again here."
                </p>
            </div>
        }
        .into_any(),
        error => view! { <ErrorNotice error/> }.into_any(),
    }
}

/// Asks for a code. It stands inside the form of what was ordered, so it is no form itself.
#[component]
fn StepUp() -> impl IntoView {
    let code = RwSignal::new(String::new());
    let pending = RwSignal::new(false);
    let proven = RwSignal::new(false);
    let errors = FormErrors::new();
    let beside = errors.beside(&["code"]);
    let confirm = move || {
        if pending.get_untracked() || proven.get_untracked() {
            return;
        }
        errors.clear();
        pending.set(true);
        spawn_local(async move {
            let answer = remote::answer(prove_factor(code.get_untracked())).await;
            pending.try_set(false);
            match answer {
                Ok(()) => drop(proven.try_set(true)),
                Err(error) => errors.show(error),
            }
        });
    };
    Effect::new(|| browser::focus_soon("#step-up-code"));
    let ask = move || {
        view! {
            <div role="alert"><p>"This takes a fresh code of your second factor."</p></div>
            {move || beside.get().map(|error| view! { <ErrorNotice error/> })}
            <div
                class="row"
                on:keydown=move |event| {
                    // Enter would give the order.
                    if event.key() == "Enter" {
                        event.prevent_default();
                        confirm();
                    }
                }
            >
                <TextField id="step-up-code" label="Code" value=code error=errors.of("code") autocomplete="one-time-code"/>
                <button class="button" type="button" aria-busy=move || pending.get().to_string() on:click=move |_| confirm()>
                    "Confirm"
                </button>
            </div>
        }
    };
    view! {
        <div class="step-up">
            <p role="status">{move || proven.get().then_some("Confirmed: give the order again.")}</p>
            {move || (!proven.get()).then(ask)}
        </div>
    }
}
