//! Sessions, as the operator whose they are sees them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A session that has not ended. Never its cookie, nor a hash of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    /// Its id.
    pub session_id: Uuid,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// The address that it was opened from, where it is known.
    pub ip: Option<String>,
    /// Whether it is the one that asks.
    pub is_this: bool,
}
