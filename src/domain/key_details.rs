//! Everything about a key, as its page shows it.

use serde::{Deserialize, Serialize};

use super::key::KeyView;
use super::telling::DescribedEvent;
use super::usage::UsesOverTime;

/// Everything about a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyDetails {
    /// The key.
    pub key: KeyView,
    /// Its uses of the last two days, by hour.
    pub hours: UsesOverTime,
    /// Its uses of the last thirty days (UTC), by day.
    pub days: UsesOverTime,
    /// The keys of its lineage, itself among them, oldest first.
    pub lineage: Vec<KeyView>,
    /// Its latest events, newest first.
    pub events: Vec<DescribedEvent>,
    /// Whether there are more.
    pub more_events: bool,
}
