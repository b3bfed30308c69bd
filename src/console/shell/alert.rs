//! Alerts: what went wrong and how to go on, and what was done.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::shell::dialog_host::DialogHost;
use crate::domain::error::AppError;
use crate::domain::routes;

/// An error that belongs to no single field. Its link to the sign-in opens a new tab, so that nothing
/// typed here is lost.
#[component]
pub fn ErrorAlert(
    error: AppError,
    /// Tries again, where that makes sense.
    #[prop(optional)]
    on_retry: Option<Callback<()>>,
) -> impl IntoView {
    let sign_in = (error == AppError::SignedOut).then(|| {
        view! { " " <a href=routes::LOGIN target="_blank">"Sign in in a new tab"</a> ", then try again here." }
    });
    let retry = on_retry.map(|on_retry| {
        view! { <button class="button small" type="button" on:click=move |_| on_retry.run(())>"Try again"</button> }
    });
    view! {
        <div class="alert error" role="alert">
            <Icon glyph=Glyph::Alert/>
            <p>{capitalised(&error.to_string())} "." {sign_in}</p>
            {retry}
        </div>
    }
}

/// The message of the last change.
#[component]
pub fn StatusLine() -> impl IntoView {
    let message = expect_context::<DialogHost>().message();
    // Screen readers announce only changes of a region that existed before.
    view! {
        <p class="done" class:alert=move || !message.get().is_empty() role="status">
            {move || message.get()}
        </p>
    }
}

/// Says why some buttons are disabled until hydration. The style sheet shows it only if that takes long
/// or never happens.
#[component]
pub fn NeedsScript(
    /// What is not possible without WASM.
    what: &'static str,
) -> impl IntoView {
    view! {
        <p class="needs-script">
            {what} " needs JavaScript and WebAssembly, because a token is shown only in the answer that creates it. Reading, filtering and searching work without them."
        </p>
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
