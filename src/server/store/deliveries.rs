//! Table `deliveries`: notifications to one webhook or e-mail address each, with their attempts.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::webhooks::kind;
use crate::domain::error::AppResult;
use crate::domain::notification::{Delivery, DeliveryStatus};
use crate::domain::page::Direction;
use crate::domain::token::KeyId;
use crate::domain::webhook::DeliveryQuery;

/// A due delivery with its content and target.
#[derive(FromRow)]
pub struct DueRow {
    pub delivery_id: Uuid,
    pub notice_id: Uuid,
    pub kind: String,
    pub key_id: String,
    pub partner_id: Uuid,
    pub partner_name: String,
    /// Time of the announced change.
    pub at: DateTime<Utc>,
    pub data: Value,
    /// Target address of an e-mail delivery.
    pub email: Option<String>,
    /// Target of a webhook delivery.
    pub webhook_id: Option<Uuid>,
    pub url: Option<String>,
    pub sealed_secret: Option<Vec<u8>>,
    /// Pepper of the sealed secret.
    pub pepper_fingerprint: Option<Vec<u8>>,
    /// Attempts, including the current one.
    pub attempts: i32,
    pub give_up_at: DateTime<Utc>,
}

/// Claims up to `limit` due deliveries until `lease`. If the process dies, another one claims them
/// after the lease.
pub async fn claim(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<DueRow>> {
    sqlx::query_as(
        "with due as (
            update deliveries set attempts = attempts + 1, next_attempt_at = $2
             where delivery_id in (select delivery_id from deliveries
                                    where status = 'pending' and next_attempt_at <= $1
                                    order by next_attempt_at limit $3 for update skip locked)
            returning *)
         select due.delivery_id, due.notice_id, n.kind, n.key_id, n.partner_id, p.name as partner_name, n.at, n.data,
                due.email, due.webhook_id, w.url, w.sealed_secret, w.pepper_fingerprint, due.attempts, due.give_up_at
           from due
           join notices n on n.notice_id = due.notice_id
           join partners p on p.partner_id = n.partner_id
           left join webhooks w on w.webhook_id = due.webhook_id
          order by n.at",
    )
    .bind(now)
    .bind(lease)
    .bind(limit)
    .fetch_all(connection)
    .await
}

/// Result of an attempt.
pub struct Attempt<'a> {
    /// End of the attempt.
    pub at: DateTime<Utc>,
    pub status: DeliveryStatus,
    pub next_attempt_at: DateTime<Utc>,
    /// HTTP status or SMTP reply code.
    pub code: Option<i32>,
    /// Error that prevented a response.
    pub error: Option<&'a str>,
    /// Duration.
    pub millis: i32,
}

/// Records the result of an attempt.
pub async fn record(
    connection: &mut PgConnection,
    delivery_id: Uuid,
    attempt: &Attempt<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update deliveries
            set status = $2, next_attempt_at = $3, last_attempt_at = $4, last_code = $5, last_error = $6, last_millis = $7
          where delivery_id = $1",
    )
    .bind(delivery_id)
    .bind(attempt.status.into_str())
    .bind(attempt.next_attempt_at)
    .bind(attempt.at)
    .bind(attempt.code)
    .bind(attempt.error)
    .bind(attempt.millis)
    .execute(connection)
    .await
    .map(|_| ())
}

#[derive(FromRow)]
struct DeliveryRow {
    delivery_id: Uuid,
    notice_id: Uuid,
    kind: String,
    key_id: String,
    webhook_id: Option<Uuid>,
    email: Option<String>,
    status: String,
    attempts: i32,
    created_at: DateTime<Utc>,
    last_attempt_at: Option<DateTime<Utc>>,
    next_attempt_at: DateTime<Utc>,
    last_code: Option<i32>,
    last_error: Option<String>,
    last_millis: Option<i32>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = sqlx::Error;

    fn try_from(row: DeliveryRow) -> sqlx::Result<Self> {
        let undecodable =
            |column: &str| sqlx::Error::Decode(format!("deliveries.{column} is unknown").into());
        let status = row.status.parse().map_err(|_| undecodable("status"))?;
        Ok(Self {
            delivery_id: row.delivery_id,
            notice_id: row.notice_id,
            kind: kind(&row.kind)?,
            key_id: KeyId::parse(&row.key_id).ok_or_else(|| undecodable("key_id"))?,
            webhook_id: row.webhook_id,
            email: row.email,
            status,
            attempts: row.attempts,
            created_at: row.created_at,
            last_attempt_at: row.last_attempt_at,
            next_attempt_at: (status == DeliveryStatus::Pending).then_some(row.next_attempt_at),
            last_code: row.last_code,
            last_error: row.last_error,
            last_millis: row.last_millis,
        })
    }
}

macro_rules! select_deliveries {
    ($($tail:tt)*) => {
        concat!(
            "select d.delivery_id, d.notice_id, n.kind, n.key_id, d.webhook_id, d.email, d.status, d.attempts,
                    d.created_at, d.last_attempt_at, d.next_attempt_at, d.last_code, d.last_error, d.last_millis
               from deliveries d join notices n on n.notice_id = d.notice_id ",
            $($tail)*
        )
    };
}

macro_rules! select_page {
    ($compare:literal, $order:literal) => {
        select_deliveries!(
            "where d.partner_id = $1
               and ($2::uuid is null or d.webhook_id = $2)
               and ($3::text is null or d.status = $3)
               and ($4::timestamptz is null or (d.created_at, d.delivery_id) ",
            $compare,
            " ($4, $5::uuid)) order by d.created_at ",
            $order,
            ", d.delivery_id ",
            $order,
            " limit $6"
        )
    };
}

/// Returns one delivery of the partner more than the page size, in the request's direction.
pub async fn list(
    connection: &mut PgConnection,
    partner_id: Uuid,
    query: &DeliveryQuery,
) -> AppResult<Vec<Delivery>> {
    let from_id = query.page.from_uuid()?;
    let sql = match query.page.direction() {
        Direction::Forward => select_page!("<", "desc"),
        Direction::Backward => select_page!(">", "asc"),
    };
    let rows: Vec<DeliveryRow> = sqlx::query_as(sql)
        .bind(partner_id)
        .bind(query.webhook_id)
        .bind(query.status.map(<&str>::from))
        .bind(query.page.from_at())
        .bind(from_id)
        .bind(query.page.limit + 1)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(Delivery::try_from)
        .collect::<sqlx::Result<_>>()?)
}

/// Schedules a delivery for immediate retry, and returns it with its partner; `None` if it does not
/// exist.
pub async fn restart(
    connection: &mut PgConnection,
    delivery_id: Uuid,
    now: DateTime<Utc>,
    give_up_at: DateTime<Utc>,
) -> sqlx::Result<Option<(Uuid, Delivery)>> {
    let partner_id: Option<Uuid> = sqlx::query_scalar(
        "update deliveries set status = 'pending', next_attempt_at = $2, give_up_at = $3, attempts = 0
          where delivery_id = $1 returning partner_id",
    )
    .bind(delivery_id)
    .bind(now)
    .bind(give_up_at)
    .fetch_optional(&mut *connection)
    .await?;
    let Some(partner_id) = partner_id else {
        return Ok(None);
    };
    let row: DeliveryRow = sqlx::query_as(select_deliveries!("where d.delivery_id = $1"))
        .bind(delivery_id)
        .fetch_one(connection)
        .await?;
    Ok(Some((partner_id, Delivery::try_from(row)?)))
}
