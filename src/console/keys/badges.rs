//! What stands out about a key, as badges.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::status::StatusBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::domain::key::KeyView;

/// The key's status, and what stands out about it.
#[component]
pub fn KeyMarks(
    /// The key.
    key: KeyView,
    /// The server's time when it was read.
    now: DateTime<Utc>,
) -> impl IntoView {
    let marks = [
        (key.expires_soon(now), "badge due", "expires soon"),
        (key.rotation_due, "badge due", "rotation due"),
        (key.is_still_used(), "badge due", "old key in use"),
        (key.stale, "badge due", "stale"),
        (key.is_unused(), "badge", "never used"),
    ];
    let marks = marks.map(|(holds, class, words)| {
        holds.then(|| view! { <span class=class><Icon glyph=Glyph::Clock/>{words}</span> })
    });
    view! { <span class="chips"><StatusBadge status=key.status/> {marks}</span> }
}
