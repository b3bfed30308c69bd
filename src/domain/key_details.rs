//! The content of a key's page.

use serde::{Deserialize, Serialize};

use super::event_description::DescribedEvent;
use super::key::KeyView;
use super::usage::UsesOverTime;

/// Everything on a key's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyDetails {
    /// The key.
    pub key: KeyView,
    /// Uses of the last two days, by hour.
    pub hours: UsesOverTime,
    /// Uses of the last thirty days (UTC), by day.
    pub days: UsesOverTime,
    /// The keys of its lineage including itself, oldest first.
    pub lineage: Vec<KeyView>,
    /// The latest events, newest first.
    pub events: Vec<DescribedEvent>,
    pub more_events: bool,
}
