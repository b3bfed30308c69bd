//! Table `sign_in_attempts`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// Failed attempts on an account or from an address.
#[derive(Clone, Copy, Debug, FromRow, PartialEq, Eq)]
pub struct AttemptsRow {
    /// Consecutive failures.
    pub failures: i32,
    /// Time of the last attempt.
    pub last_at: DateTime<Utc>,
    /// Time until which attempts are refused.
    pub blocked_until: DateTime<Utc>,
}

/// Locks a subject's attempts until the transaction ends, and returns them.
pub async fn lock_for_update(
    connection: &mut PgConnection,
    subject: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<AttemptsRow> {
    // A missing row cannot be locked.
    sqlx::query(
        "insert into sign_in_attempts (subject, failures, last_at, blocked_until)
         values ($1, 0, $2, $2) on conflict (subject) do nothing",
    )
    .bind(&subject[..])
    .bind(now)
    .execute(&mut *connection)
    .await?;
    sqlx::query_as(
        "select failures, last_at, blocked_until from sign_in_attempts where subject = $1 for update",
    )
    .bind(&subject[..])
    .fetch_one(connection)
    .await
}

/// Updates a locked subject's attempts.
pub async fn write(
    connection: &mut PgConnection,
    subject: &[u8; 32],
    row: &AttemptsRow,
) -> sqlx::Result<()> {
    sqlx::query(
        "update sign_in_attempts set failures = $2, last_at = $3, blocked_until = $4 where subject = $1",
    )
    .bind(&subject[..])
    .bind(row.failures)
    .bind(row.last_at)
    .bind(row.blocked_until)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes a subject's attempts.
pub async fn clear(connection: &mut PgConnection, subject: &[u8; 32]) -> sqlx::Result<()> {
    sqlx::query("delete from sign_in_attempts where subject = $1")
        .bind(&subject[..])
        .execute(connection)
        .await
        .map(|_| ())
}

/// Removes one failure that should not have been counted.
pub async fn uncount_failure(
    connection: &mut PgConnection,
    subject: &[u8; 32],
) -> sqlx::Result<()> {
    sqlx::query(
        "update sign_in_attempts set failures = greatest(failures - 1, 0), blocked_until = last_at
          where subject = $1",
    )
    .bind(&subject[..])
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes subjects without attempts since `quiet_since`; returns their number.
pub async fn sweep(connection: &mut PgConnection, quiet_since: DateTime<Utc>) -> sqlx::Result<u64> {
    let result = sqlx::query("delete from sign_in_attempts where last_at < $1")
        .bind(quiet_since)
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}
