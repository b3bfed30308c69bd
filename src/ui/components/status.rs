//! States as words with a drawing each, so that colour is never all that tells them apart.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::domain::key::KeyStatus;

/// A key's status.
#[component]
pub fn StatusBadge(
    /// The status.
    status: KeyStatus,
) -> impl IntoView {
    let glyph = match status {
        KeyStatus::Scheduled => Glyph::Clock,
        KeyStatus::Active => Glyph::Tick,
        KeyStatus::Retiring => Glyph::Half,
        KeyStatus::Expired => Glyph::Ended,
        KeyStatus::Revoked => Glyph::Stop,
    };
    view! { <span class=format!("badge {}", status.as_str())><Icon glyph/>{status.as_str()}</span> }
}

/// Whether a partner's keys are accepted.
#[component]
pub fn PartnerBadge(
    /// Whether they are.
    active: bool,
) -> impl IntoView {
    let (glyph, word) = if active {
        (Glyph::Tick, "active")
    } else {
        (Glyph::Stop, "deactivated")
    };
    view! { <span class=format!("badge {word}")><Icon glyph/>{word}</span> }
}
