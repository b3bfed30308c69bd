//! States as words with a drawing each, so that colour is never all that tells them apart.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::domain::key::KeyStatus;
use crate::domain::notification::DeliveryStatus;

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
    view! { <span class=format!("badge {}", status.into_str())><Icon glyph/>{status.into_str()}</span> }
}

/// How the telling of a notice went.
#[component]
pub fn DeliveryBadge(
    /// How.
    status: DeliveryStatus,
) -> impl IntoView {
    let (glyph, class) = match status {
        DeliveryStatus::Pending => (Glyph::Clock, "badge scheduled"),
        DeliveryStatus::Delivered => (Glyph::Tick, "badge active"),
        DeliveryStatus::Failed => (Glyph::Stop, "badge revoked"),
    };
    view! { <span class=class><Icon glyph/>{status.into_str()}</span> }
}

/// Whether a partner's keys are accepted, or a webhook gets notices.
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
