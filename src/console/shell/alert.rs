//! Lines that say what went wrong and what to do, and what was done.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::console::shell::dialog_host::Desk;
use crate::domain::error::AppError;
use crate::domain::routes;

/// An error that belongs to no single field. The way to the sign-in opens beside this page, so that
/// nothing typed here is lost.
#[component]
pub fn ErrorNotice(
    /// What went wrong.
    error: AppError,
    /// How to try again, where that makes sense.
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
        <div class="notice error" role="alert">
            <Icon glyph=Glyph::Alert/>
            <p>{capitalised(&error.to_string())} "." {sign_in}</p>
            {retry}
        </div>
    }
}

/// What the last dialog did, for the eye and for readers.
#[component]
pub fn DoneNotice() -> impl IntoView {
    let desk = expect_context::<Desk>();
    let notice = desk.notice();
    // The region is there before its text comes, else readers would not announce it.
    view! {
        <p class="done" class:notice=move || !notice.get().is_empty() role="status">
            {move || notice.get()}
        </p>
    }
}

/// Why some buttons are disabled until the page's program runs. The style sheet shows it only where
/// that takes long or never comes.
#[component]
pub fn NeedsScript(
    /// What can't be done without it.
    what: &'static str,
) -> impl IntoView {
    view! {
        <p class="needs-script">
            {what} " needs this page's program (JavaScript and WebAssembly), because a token is shown only in the answer that makes it. Reading, filtering and searching work without it."
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
