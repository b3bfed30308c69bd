//! Table `asset_events`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use strum::IntoStaticStr;
use uuid::Uuid;

/// What happened to an asset.
#[derive(IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It was recorded.
    Minted,
    /// Its status was changed.
    StatusChanged,
    /// It was handed to another partner.
    Transferred,
    /// A hash was compared with its own.
    Reverified,
}

/// An entry of an asset's own history.
#[derive(Debug)]
pub struct AssetEvent<'a> {
    /// The event's id.
    pub event_id: Uuid,
    /// Whose history it is.
    pub asset_id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor: &'a str,
    /// Under which request.
    pub request_id: Option<&'a str>,
    /// What of it.
    pub details: &'a Value,
}

/// Adds an entry to an asset's own history.
pub async fn append(connection: &mut PgConnection, event: &AssetEvent<'_>) -> sqlx::Result<()> {
    sqlx::query(
        "insert into asset_events (event_id, asset_id, at, kind, actor, request_id, details)
         values ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(event.event_id)
    .bind(event.asset_id)
    .bind(event.at)
    .bind(event.kind.into_str())
    .bind(event.actor)
    .bind(event.request_id)
    .bind(event.details)
    .execute(connection)
    .await
    .map(|_| ())
}
