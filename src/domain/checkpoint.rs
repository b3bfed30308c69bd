//! Signed checkpoints of the audit log, and the result of checking it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A signed statement of the audit log's size and last hash at a time. The signing key is derived
/// from the pepper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "seq": 4711, "hash": "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
    "at": "2030-02-01T08:30:00Z", "fingerprint": "0f1e2d3c4b5a6978",
    "signature": "YDA64iuZiGG847KPM-7BvnWKITyGyTwHbb6fVYwRx1I",
}))]
pub struct Checkpoint {
    /// The sequence number of the last event.
    #[schema(minimum = 1)]
    pub seq: i64,
    /// Its hash, in unpadded base64url (RFC 4648 §5).
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    pub hash: String,
    /// The time of the statement.
    pub at: DateTime<Utc>,
    /// The fingerprint of the pepper, 16 hex digits.
    #[schema(pattern = "^[0-9a-f]{16}$")]
    pub fingerprint: String,
    /// HMAC-SHA256, in unpadded base64url.
    #[schema(pattern = "^[A-Za-z0-9_-]{43}$")]
    pub signature: String,
}

impl Checkpoint {
    /// Returns the signed text.
    pub fn statement(seq: i64, hash: &str, at: DateTime<Utc>) -> String {
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        format!("myproof-registry audit checkpoint v1\n{seq}\n{hash}\n{at}\n")
    }
}

/// The first event at which the audit log turns out to be tampered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub seq: i64,
    /// `None` if the event is missing.
    pub event_id: Option<Uuid>,
    pub how: Damage,
}

/// The kinds of tampering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The event differs from what was recorded.
    Altered,
    /// The event is missing.
    Removed,
    /// The event was never recorded by the registry.
    Inserted,
    /// The log up to here is not the one that its checkpoint was made of.
    Rewritten,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.how {
            Damage::Altered => "was altered",
            Damage::Removed => "was removed",
            Damage::Inserted => "was inserted",
            Damage::Rewritten => {
                "does not fit its signed checkpoint: it or an earlier event was rewritten"
            }
        };
        match self.event_id {
            Some(event_id) => write!(f, "event {} ({event_id}) {what}", self.seq),
            None => write!(f, "event {} {what}", self.seq),
        }
    }
}

/// The result of checking the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChainReport {
    /// The number of intact events, from the first on.
    pub events: i64,
    /// The number of matching checkpoints.
    pub checkpoints: usize,
    /// The number of checkpoints whose pepper is unknown here, so that their signatures can't be
    /// checked.
    pub unknown_peppers: usize,
    pub broken: Option<Broken>,
}
