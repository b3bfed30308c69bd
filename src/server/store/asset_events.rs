//! Table `asset_events`.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::PgConnection;
use strum::IntoStaticStr;
use uuid::Uuid;

/// Kind of an asset's event.
#[derive(IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Minted,
    StatusChanged,
    Transferred,
    /// A presented hash was compared with the asset's.
    Reverified,
}

/// An event of an asset.
#[derive(Debug)]
pub struct AssetEvent<'a> {
    pub event_id: Uuid,
    pub asset_id: Uuid,
    pub at: DateTime<Utc>,
    pub kind: EventKind,
    pub actor: &'a str,
    pub request_id: Option<&'a str>,
    pub details: &'a Value,
}

/// Inserts an event.
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
