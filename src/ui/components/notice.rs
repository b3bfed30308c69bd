//! A line that says what went wrong and what to do.

use leptos::prelude::*;

use crate::domain::error::AppError;
use crate::ui::links;

/// An error that belongs to no single field.
#[component]
pub fn ErrorNotice(
    /// What went wrong.
    error: AppError,
) -> impl IntoView {
    let sign_in =
        (error == AppError::SignedOut).then(|| view! { " " <a href=links::LOGIN>"Sign in"</a> });
    view! {
        <p class="notice error" role="alert">{capitalised(&error.to_string())} "." {sign_in}</p>
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}
