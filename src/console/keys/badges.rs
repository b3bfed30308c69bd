//! The badges of a key.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::status::StatusBadge;
use crate::console::kit::icon::{Glyph, Icon};
use crate::domain::key::KeyView;

/// The status of a key, and what else is noteworthy about it.
#[component]
pub fn KeyBadges(
    key: KeyView,
    /// The server's time when the key was read.
    now: DateTime<Utc>,
) -> impl IntoView {
    let badges = [
        (key.expires_soon(now), "badge due", "expires soon"),
        (key.rotation_due, "badge due", "rotation due"),
        (key.is_still_used(), "badge due", "old key in use"),
        (key.stale, "badge due", "stale"),
        (key.is_unused(), "badge", "never used"),
    ];
    let badges = badges.map(|(holds, class, label)| {
        holds.then(|| view! { <span class=class><Icon glyph=Glyph::Clock/>{label}</span> })
    });
    view! { <span class="chips"><StatusBadge status=key.status/> {badges}</span> }
}
