//! Tables `audit_events`, `audit_head` and `audit_checkpoints`, for verification of the chain.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::audit::{EventRow, Head};
use crate::domain::audit::Event;

/// An event with its link in the chain.
#[derive(FromRow)]
pub struct LinkRow {
    pub seq: i64,
    pub event_id: Uuid,
    /// Format version of `canonical`.
    pub version: i16,
    /// Hashed bytes.
    pub canonical: Vec<u8>,
    pub prev_hash: Vec<u8>,
    pub hash: Vec<u8>,
    #[sqlx(flatten)]
    event: EventRow,
}

impl LinkRow {
    /// Event according to the columns; `None` if they form no valid event.
    pub fn event(self) -> Option<Event> {
        Event::try_from(self.event).ok()
    }
}

/// Makes the transaction read one snapshot.
pub async fn set_snapshot_isolation(connection: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("set transaction isolation level repeatable read, read only")
        .execute(connection)
        .await
        .map(|_| ())
}

/// Head of the chain.
pub async fn head(connection: &mut PgConnection) -> sqlx::Result<Head> {
    sqlx::query_as("select seq, hash from audit_head")
        .fetch_one(connection)
        .await
}

/// Up to `limit` events after a sequence number.
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

#[derive(Clone, Debug, FromRow)]
pub struct CheckpointRow {
    /// Sequence number of the last event.
    pub seq: i64,
    /// Hash of the last event.
    pub hash: Vec<u8>,
    pub at: DateTime<Utc>,
    /// Pepper of the signature.
    pub fingerprint: Vec<u8>,
    pub signature: Vec<u8>,
}

/// Inserts a checkpoint, unless one exists at this sequence number.
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

/// All checkpoints, oldest first.
pub async fn checkpoints(connection: &mut PgConnection) -> sqlx::Result<Vec<CheckpointRow>> {
    sqlx::query_as(
        "select seq, hash, at, fingerprint, signature from audit_checkpoints order by seq",
    )
    .fetch_all(connection)
    .await
}

pub async fn last_checkpoint(connection: &mut PgConnection) -> sqlx::Result<Option<CheckpointRow>> {
    sqlx::query_as(
        "select seq, hash, at, fingerprint, signature from audit_checkpoints
          order by seq desc limit 1",
    )
    .fetch_optional(connection)
    .await
}
