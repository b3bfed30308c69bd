//! Table `sign_in_attempts`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

/// What is known of the attempts on an account, or from an address.
#[derive(Clone, Copy, Debug, FromRow, PartialEq, Eq)]
pub struct AttemptsRow {
    /// Failures in a row.
    pub failures: i32,
    /// When the last attempt was made.
    pub last_at: DateTime<Utc>,
    /// Until when further ones are refused.
    pub blocked_until: DateTime<Utc>,
}

/// A subject's attempts, which nobody else can read for writing until the transaction ends.
pub async fn lock_for_update(
    connection: &mut PgConnection,
    subject: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<AttemptsRow> {
    // A row that isn't there can't be locked.
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

/// Writes a locked subject's attempts.
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

/// Forgets a subject's attempts.
pub async fn clear(connection: &mut PgConnection, subject: &[u8; 32]) -> sqlx::Result<()> {
    sqlx::query("delete from sign_in_attempts where subject = $1")
        .bind(&subject[..])
        .execute(connection)
        .await
        .map(|_| ())
}

/// Takes one failure back: the attempt was none.
pub async fn take_back(connection: &mut PgConnection, subject: &[u8; 32]) -> sqlx::Result<()> {
    sqlx::query(
        "update sign_in_attempts set failures = greatest(failures - 1, 0), blocked_until = last_at
          where subject = $1",
    )
    .bind(&subject[..])
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes what has been quiet since `quiet_since`; how many.
pub async fn sweep(connection: &mut PgConnection, quiet_since: DateTime<Utc>) -> sqlx::Result<u64> {
    let result = sqlx::query("delete from sign_in_attempts where last_at < $1")
        .bind(quiet_since)
        .execute(connection)
        .await?;
    Ok(result.rows_affected())
}
