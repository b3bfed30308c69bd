//! Tables `audit_events` and `audit_head`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::audit::{Actor, Event};
use crate::domain::error::AppResult;
use crate::domain::list::EventQuery;
use crate::domain::page::Direction;
use crate::domain::token::KeyId;

/// Head of the chain: sequence number and hash of the last event.
#[derive(FromRow)]
pub struct Head {
    /// Last sequence number; 0 if the chain is empty.
    pub seq: i64,
    /// Last hash; zeros if the chain is empty.
    pub hash: Vec<u8>,
}

/// Locks the head of the chain until the transaction ends, which serialises appends.
pub async fn lock_head(connection: &mut PgConnection) -> sqlx::Result<Head> {
    sqlx::query_as("select seq, hash from audit_head for update")
        .fetch_one(connection)
        .await
}

/// An event's link in the chain.
#[derive(Debug)]
pub struct Link<'a> {
    pub seq: i64,
    /// Format version of `canonical`.
    pub version: i16,
    /// Hashed bytes.
    pub canonical: &'a [u8],
    pub prev_hash: &'a [u8],
    /// `SHA-256(prev_hash || canonical)`.
    pub hash: &'a [u8],
}

/// Appends an event and moves the head of the chain.
pub async fn append(
    connection: &mut PgConnection,
    event: &Event,
    link: &Link<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "with appended as (
             insert into audit_events (seq, event_id, at, actor_type, actor_id, action, key_id, partner_id,
                                       asset_id, ip, request_id, details, version, canonical, prev_hash, hash)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::inet, $11, $12, $13, $14, $15, $16)
             returning seq, hash)
         update audit_head set seq = appended.seq, hash = appended.hash from appended",
    )
    .bind(link.seq)
    .bind(event.event_id)
    .bind(event.at)
    .bind(event.actor.kind.into_str())
    .bind(&event.actor.id)
    .bind(event.action.into_str())
    .bind(event.key_id.as_ref().map(KeyId::as_str))
    .bind(event.partner_id)
    .bind(event.asset_id)
    .bind(&event.ip)
    .bind(&event.request_id)
    .bind(&event.details)
    .bind(link.version)
    .bind(link.canonical)
    .bind(link.prev_hash)
    .bind(link.hash)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Event columns for lists.
#[derive(FromRow)]
pub(super) struct EventRow {
    event_id: Uuid,
    at: DateTime<Utc>,
    actor_type: String,
    actor_id: String,
    action: String,
    key_id: Option<String>,
    partner_id: Option<Uuid>,
    asset_id: Option<Uuid>,
    ip: Option<String>,
    request_id: Option<String>,
    details: serde_json::Value,
}

impl TryFrom<EventRow> for Event {
    type Error = sqlx::Error;

    fn try_from(row: EventRow) -> sqlx::Result<Self> {
        let undecodable =
            |column: &str| sqlx::Error::Decode(format!("audit_events.{column} is unknown").into());
        Ok(Self {
            event_id: row.event_id,
            at: row.at,
            actor: Actor {
                kind: row
                    .actor_type
                    .parse()
                    .map_err(|_| undecodable("actor_type"))?,
                id: row.actor_id,
            },
            action: row.action.parse().map_err(|_| undecodable("action"))?,
            key_id: row.key_id.as_deref().and_then(KeyId::parse),
            partner_id: row.partner_id,
            asset_id: row.asset_id,
            ip: row.ip,
            request_id: row.request_id,
            details: row.details,
        })
    }
}

macro_rules! select_page {
    ($compare:literal, $order:literal) => {
        concat!(
            "select event_id, at, actor_type, actor_id, action, key_id, partner_id, asset_id,
                    host(ip) as ip, request_id, details
               from audit_events
              where ($1::text is null or key_id = $1)
                and ($2::uuid is null or partner_id = $2)
                and ($3::text is null or actor_id = $3)
                and ($4::text is null or action = $4)
                and ($5::timestamptz is null or at >= $5)
                and ($6::timestamptz is null or at < $6)
                and ($7::timestamptz is null or (at, event_id) ",
            $compare,
            " ($7, $8::uuid)) order by at ",
            $order,
            ", event_id ",
            $order,
            " limit $9"
        )
    };
}

/// Returns one event more than the page size, in the request's direction.
pub async fn list(connection: &mut PgConnection, query: &EventQuery) -> AppResult<Vec<Event>> {
    let from_id = query.page.from_uuid()?;
    let sql = match query.page.direction() {
        Direction::Forward => select_page!("<", "desc"),
        Direction::Backward => select_page!(">", "asc"),
    };
    let rows: Vec<EventRow> = sqlx::query_as(sql)
        .bind(query.key_id.as_ref().map(KeyId::as_str))
        .bind(query.partner_id)
        .bind(&query.actor)
        .bind(query.action.map(<&str>::from))
        .bind(query.since)
        .bind(query.until)
        .bind(query.page.from_at())
        .bind(from_id)
        .bind(query.page.limit + 1)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(Event::try_from)
        .collect::<sqlx::Result<_>>()?)
}
