//! Tables `audit_events`, `audit_head` and `audit_checkpoints`, as the chain is checked.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::audit::{EventRow, Head};
use crate::domain::audit::Event;

/// An event with its place in the chain.
#[derive(FromRow)]
pub struct LinkRow {
    /// Its place.
    pub seq: i64,
    /// Its id.
    pub event_id: Uuid,
    /// How `canonical` was made.
    pub version: i16,
    /// The bytes that were hashed.
    pub canonical: Vec<u8>,
    /// The hash of the event before.
    pub prev_hash: Vec<u8>,
    /// Its own.
    pub hash: Vec<u8>,
    #[sqlx(flatten)]
    event: EventRow,
}

impl LinkRow {
    /// What the columns say of the event; `None` where no event can be like that.
    #[must_use]
    pub fn event(self) -> Option<Event> {
        Event::try_from(self.event).ok()
    }
}

/// Has everything that the transaction reads be of one moment.
pub async fn freeze(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(connection)
        .await
        .map(|_| ())
}

/// The end of the chain.
pub async fn head(connection: &mut PgConnection) -> sqlx::Result<Head> {
    sqlx::query_as("select seq, hash from audit_head")
        .fetch_one(connection)
        .await
}

/// Up to `limit` events after a place.
pub async fn links_after(
    connection: &mut PgConnection,
    seq: i64,
    limit: i64,
) -> sqlx::Result<Vec<LinkRow>> {
    sqlx::query_as(
        "select seq, version, canonical, prev_hash, hash, event_id, at, actor_type, actor_id, action,
                key_id, partner_id, asset_id, host(ip) as ip, request_id, details
           from audit_events where seq > $1 order by seq limit $2",
    )
    .bind(seq)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// A checkpoint.
#[derive(Clone, Debug, FromRow)]
pub struct CheckpointRow {
    /// The last event's place.
    pub seq: i64,
    /// Its hash.
    pub hash: Vec<u8>,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// Which pepper it was signed under.
    pub fingerprint: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Adds a checkpoint, unless there is one of this place.
pub async fn insert_checkpoint(
    connection: &mut PgConnection,
    row: &CheckpointRow,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into audit_checkpoints (seq, hash, at, fingerprint, signature)
         values ($1, $2, $3, $4, $5) on conflict (seq) do nothing",
    )
    .bind(row.seq)
    .bind(&row.hash)
    .bind(row.at)
    .bind(&row.fingerprint)
    .bind(&row.signature)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Every checkpoint, oldest first.
pub async fn checkpoints(connection: &mut PgConnection) -> sqlx::Result<Vec<CheckpointRow>> {
    sqlx::query_as(
        "select seq, hash, at, fingerprint, signature from audit_checkpoints order by seq",
    )
    .fetch_all(connection)
    .await
}

/// The latest checkpoint.
pub async fn last_checkpoint(connection: &mut PgConnection) -> sqlx::Result<Option<CheckpointRow>> {
    sqlx::query_as(
        "select seq, hash, at, fingerprint, signature from audit_checkpoints
          order by seq desc limit 1",
    )
    .fetch_optional(connection)
    .await
}
