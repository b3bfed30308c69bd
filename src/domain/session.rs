//! Sessions as their operator sees them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A session that has not ended, without its cookie and hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView {
    pub session_id: Uuid,
    pub created_at: DateTime<Utc>,
    /// The last use, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// The client's IP address at sign-in, if known.
    pub ip: Option<String>,
    /// True for the session of this request.
    pub is_this: bool,
}
