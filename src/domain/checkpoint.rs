//! Signed checkpoints of the history, and what checking it finds.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A statement, signed with a sub-key of the pepper, that the history had this many events at this
/// time, the last of them with this hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "seq": 4711, "hash": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    "at": "2030-02-01T08:30:00Z", "fingerprint": "0f1e2d3c4b5a6978",
    "signature": "YDA64iuZiGG847KPM-7BvnWKITyGyTwHbb6fVYwRx1I",
}))]
pub struct Checkpoint {
    /// The last event's place.
    #[schema(minimum = 1)]
    pub seq: i64,
    /// Its hash, in unpadded base64url (RFC 4648 §5).
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    pub hash: String,
    /// When this was stated.
    pub at: DateTime<Utc>,
    /// Which pepper it was signed under, 16 hex digits.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    pub fingerprint: String,
    /// HMAC-SHA256, in unpadded base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    pub signature: String,
}

impl Checkpoint {
    /// What is signed.
    #[must_use]
    pub fn statement(seq: i64, hash: &str, at: DateTime<Utc>) -> String {
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        format!("myproof-registry audit checkpoint v1\n{seq}\n{hash}\n{at}\n")
    }
}

/// What is wrong with the history: the first event at which it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The event's place.
    pub seq: i64,
    /// Its id, where there is an event at that place.
    pub event_id: Option<Uuid>,
    /// What was done to it.
    pub how: Damage,
}

/// What can be done to a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// What the event says is not what was recorded.
    Altered,
    /// The event is gone.
    Removed,
    /// The event was never recorded by the registry.
    Inserted,
    /// The history up to here is not the one that the checkpoint of this place was made of.
    Rewritten,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.how {
            Damage::Altered => "was altered",
            Damage::Removed => "was removed",
            Damage::Inserted => "was inserted",
            Damage::Rewritten => {
                "does not fit its signed checkpoint: it or one before it was written anew"
            }
        };
        match self.event_id {
            Some(event_id) => write!(f, "event {} ({event_id}) {what}", self.seq),
            None => write!(f, "event {} {what}", self.seq),
        }
    }
}

/// What checking the history found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainReport {
    /// Events that are as they were recorded, from the first on.
    pub events: i64,
    /// Checkpoints that fit.
    pub checkpoints: usize,
    /// Checkpoints whose pepper is not known here, so that their signatures tell nothing.
    pub unknown_peppers: usize,
    /// What is wrong, if anything is.
    pub broken: Option<Broken>,
}
