//! Tables `operator_factors` and `operator_recovery_codes`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::factor::FactorView;

/// A factor with its secret as it is stored.
#[derive(FromRow)]
pub struct FactorRow {
    /// Whose.
    pub operator_id: Uuid,
    /// Sealed.
    pub sealed_secret: Vec<u8>,
    /// Under which pepper.
    pub pepper_fingerprint: Vec<u8>,
    /// Since when it counts.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// An operator's factor, confirmed or not.
pub async fn find(
    connection: &mut PgConnection,
    operator_id: Uuid,
) -> sqlx::Result<Option<FactorRow>> {
    sqlx::query_as(
        "select operator_id, sealed_secret, pepper_fingerprint, confirmed_at
           from operator_factors where operator_id = $1",
    )
    .bind(operator_id)
    .fetch_optional(connection)
    .await
}

/// What an operator has.
pub async fn view(connection: &mut PgConnection, operator_id: Uuid) -> sqlx::Result<FactorView> {
    let (since, recovery_codes_left) = sqlx::query_as(
        "select (select confirmed_at from operator_factors where operator_id = $1),
                (select count(*) from operator_recovery_codes where operator_id = $1 and used_at is null)",
    )
    .bind(operator_id)
    .fetch_one(connection)
    .await?;
    Ok(FactorView {
        since,
        recovery_codes_left,
    })
}

/// The operators who have a confirmed factor.
pub async fn operators(connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("select operator_id from operator_factors where confirmed_at is not null")
        .fetch_all(connection)
        .await
}

/// Begins a factor, in the place of one that was begun and not confirmed; whether there was no
/// confirmed one.
pub async fn begin(
    connection: &mut PgConnection,
    operator_id: Uuid,
    sealed_secret: &[u8],
    fingerprint: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query(
        "insert into operator_factors as f (operator_id, sealed_secret, pepper_fingerprint, created_at)
         values ($1, $2, $3, $4)
         on conflict (operator_id) do update
            set sealed_secret = excluded.sealed_secret, pepper_fingerprint = excluded.pepper_fingerprint,
                created_at = excluded.created_at, last_step = 0
          where f.confirmed_at is null",
    )
    .bind(operator_id)
    .bind(sealed_secret)
    .bind(fingerprint)
    .bind(now)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Has the factor count from now on; whether it did not before.
pub async fn confirm(
    connection: &mut PgConnection,
    operator_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query(
        "update operator_factors set confirmed_at = $2 where operator_id = $1 and confirmed_at is null",
    )
    .bind(operator_id)
    .bind(now)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Takes the code of a step; whether none of that step or a later one was taken before.
pub async fn take_step(
    connection: &mut PgConnection,
    operator_id: Uuid,
    step: i64,
) -> sqlx::Result<bool> {
    sqlx::query(
        "update operator_factors set last_step = $2 where operator_id = $1 and last_step < $2",
    )
    .bind(operator_id)
    .bind(step)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Replaces an operator's recovery codes.
pub async fn replace_codes(
    connection: &mut PgConnection,
    operator_id: Uuid,
    hashes: &[[u8; 32]],
) -> sqlx::Result<()> {
    sqlx::query("delete from operator_recovery_codes where operator_id = $1")
        .bind(operator_id)
        .execute(&mut *connection)
        .await?;
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
    sqlx::query(
        "insert into operator_recovery_codes (operator_id, code_hash) select $1, unnest($2::bytea[])",
    )
    .bind(operator_id)
    .bind(hashes)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Takes a recovery code, by its hash under any of the peppers; whether it was there and unused.
pub async fn take_code(
    connection: &mut PgConnection,
    operator_id: Uuid,
    hashes: &[[u8; 32]],
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
    sqlx::query(
        "update operator_recovery_codes set used_at = $3
          where operator_id = $1 and code_hash = any($2) and used_at is null",
    )
    .bind(operator_id)
    .bind(hashes)
    .bind(now)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Takes an operator's factor and codes away; whether there was a confirmed one.
pub async fn delete(connection: &mut PgConnection, operator_id: Uuid) -> sqlx::Result<bool> {
    let confirmed: Option<bool> = sqlx::query_scalar(
        "delete from operator_factors where operator_id = $1 returning confirmed_at is not null",
    )
    .bind(operator_id)
    .fetch_optional(connection)
    .await?;
    Ok(confirmed.unwrap_or_default())
}

/// The secrets that are sealed under another pepper than this one.
pub async fn sealed_otherwise(
    connection: &mut PgConnection,
    fingerprint: &[u8],
) -> sqlx::Result<Vec<FactorRow>> {
    sqlx::query_as(
        "select operator_id, sealed_secret, pepper_fingerprint, confirmed_at
           from operator_factors where pepper_fingerprint <> $1",
    )
    .bind(fingerprint)
    .fetch_all(connection)
    .await
}

/// Replaces a sealed secret, unless another process has done so meanwhile.
pub async fn reseal(
    connection: &mut PgConnection,
    before: &FactorRow,
    sealed_secret: &[u8],
    fingerprint: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "update operator_factors set sealed_secret = $3, pepper_fingerprint = $4
          where operator_id = $1 and sealed_secret = $2",
    )
    .bind(before.operator_id)
    .bind(&before.sealed_secret)
    .bind(sealed_secret)
    .bind(fingerprint)
    .execute(connection)
    .await
    .map(|_| ())
}
