//! What is known of a key that was rotated and still works.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::time::{exact, relative};
use crate::domain::key::{KeyStatus, KeyView};

/// When a retiring key ends, and whether calls still arrive on it; nothing for other keys.
#[component]
pub fn Retirement(
    /// The key.
    key: KeyView,
    /// The server's time when the key was read.
    now: DateTime<Utc>,
) -> impl IntoView {
    let (KeyStatus::Retiring, Some(end), Some(grace)) = (key.status, key.retires_at, &key.grace)
    else {
        return ().into_any();
    };
    let ends = match (grace.started_at, &key.replaced_by) {
        (None, Some(successor)) => format!(
            "Waits for the first use of {successor}; ends {} at the latest.",
            relative(end - now)
        ),
        _ => format!("Ends {}.", relative(end - now)),
    };
    let (class, traffic) = match key.last_used_at {
        Some(at) if at > grace.rotated_at => (
            "sub still-used",
            format!("Still in use: last call {}.", relative(at - now)),
        ),
        _ => ("sub", "No call since the rotation.".to_owned()),
    };
    view! {
        <span class="sub" title=exact(end)>{ends}</span>
        <span class=class>{traffic}</span>
    }
    .into_any()
}
