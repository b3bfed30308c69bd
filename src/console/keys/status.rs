//! Status badges: each has a text and an icon, so that colour is never the only difference.

use leptos::prelude::*;

use crate::console::kit::icon::{Glyph, Icon};
use crate::domain::key::KeyStatus;
use crate::domain::notification::DeliveryStatus;

/// A key's status.
#[component]
pub fn StatusBadge(status: KeyStatus) -> impl IntoView {
    let glyph = match status {
        KeyStatus::Scheduled => Glyph::Clock,
        KeyStatus::Active => Glyph::Tick,
        KeyStatus::Retiring => Glyph::Half,
        KeyStatus::Expired => Glyph::Ended,
        KeyStatus::Revoked => Glyph::Stop,
    };
    view! { <span class=format!("badge {}", status.into_str())><Icon glyph/>{status.into_str()}</span> }
}

/// The status of a delivery.
#[component]
pub fn DeliveryBadge(status: DeliveryStatus) -> impl IntoView {
    let (glyph, class) = match status {
        DeliveryStatus::Pending => (Glyph::Clock, "badge scheduled"),
        DeliveryStatus::Delivered => (Glyph::Tick, "badge active"),
        DeliveryStatus::Failed => (Glyph::Stop, "badge revoked"),
    };
    view! { <span class=class><Icon glyph/>{status.into_str()}</span> }
}

/// The status of a partner, webhook or operator.
#[component]
pub fn PartnerBadge(active: bool) -> impl IntoView {
    let (glyph, word) = if active {
        (Glyph::Tick, "active")
    } else {
        (Glyph::Stop, "deactivated")
    };
    view! { <span class=format!("badge {word}")><Icon glyph/>{word}</span> }
}
