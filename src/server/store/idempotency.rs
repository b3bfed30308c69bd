//! Table `idempotency_keys`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// Identity of a stored response.
#[derive(Clone, Copy, Debug)]
pub struct AnswerId<'a> {
    pub partner_id: Uuid,
    pub route: &'a str,
    /// Value of the `Idempotency-Key` header.
    pub key: &'a str,
}

/// A stored response.
#[derive(Clone, Debug, FromRow, PartialEq, Eq)]
pub struct AnswerRow {
    /// SHA-256 of the request.
    pub request_hash: Vec<u8>,
    /// Response as JSON.
    pub answer: String,
}

/// Tries to take the advisory lock of this number until the transaction ends.
pub async fn try_lock(connection: &mut PgConnection, number: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar("select pg_try_advisory_xact_lock($1)")
        .bind(number)
        .fetch_one(connection)
        .await
}

/// Finds a response stored after `since`.
pub async fn find(
    connection: &mut PgConnection,
    id: &AnswerId<'_>,
    since: DateTime<Utc>,
) -> sqlx::Result<Option<AnswerRow>> {
    sqlx::query_as(
        "select request_hash, answer from idempotency_keys
          where partner_id = $1 and route = $2 and idempotency_key = $3 and created_at > $4",
    )
    .bind(id.partner_id)
    .bind(id.route)
    .bind(id.key)
    .bind(since)
    .fetch_optional(connection)
    .await
}

/// Stores a response, and replaces an older one.
pub async fn store(
    connection: &mut PgConnection,
    id: &AnswerId<'_>,
    request_hash: &[u8; 32],
    answer: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into idempotency_keys (partner_id, route, idempotency_key, request_hash, answer, created_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (partner_id, route, idempotency_key) do update
            set request_hash = excluded.request_hash, answer = excluded.answer,
                created_at = excluded.created_at",
    )
    .bind(id.partner_id)
    .bind(id.route)
    .bind(id.key)
    .bind(&request_hash[..])
    .bind(answer)
    .bind(now)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes responses stored until `until`; returns their number.
pub async fn sweep(connection: &mut PgConnection, until: DateTime<Utc>) -> sqlx::Result<u64> {
    let result = sqlx::query("delete from idempotency_keys where created_at <= $1")
        .bind(until)
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}
