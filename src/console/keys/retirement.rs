//! The state of a key that was rotated and still works.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use crate::console::kit::time::{exact, relative};
use crate::domain::key::{KeyStatus, KeyView};

/// Says whether a retiring key is still in use, and when it ends; nothing for other keys.
#[component]
pub fn Retirement(
    key: KeyView,
    /// The server's time when the key was read.
    now: DateTime<Utc>,
    /// True if a fixed end is shown beside it already.
    #[prop(optional)]
    end_is_shown: bool,
) -> impl IntoView {
    let (KeyStatus::Retiring, Some(end), Some(grace)) = (key.status, key.retires_at, &key.grace)
    else {
        return ().into_any();
    };
    let ends = match (grace.started_at, &key.replaced_by) {
        (None, Some(successor)) => Some(format!(
            "Waits for the first use of {successor}; ends {} at the latest.",
            relative(end - now)
        )),
        _ => (!end_is_shown).then(|| format!("Ends {}.", relative(end - now))),
    };
    let in_use = key.last_used_at.filter(|at| *at > grace.rotated_at);
    let traffic = match in_use {
        Some(at) => format!("Still in use: last call {}.", relative(at - now)),
        None => "No call since the rotation.".to_owned(),
    };
    view! {
        <div class="retirement">
            {ends.map(|ends| view! { <p title=exact(end)>{ends}</p> })}
            <p class:still-used=in_use.is_some()>{traffic}</p>
        </div>
    }
    .into_any()
}
