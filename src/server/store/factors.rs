//! Tables `operator_factors` and `operator_recovery_codes`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::mfa::MfaStatus;

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
///
/// Recovery codes count that were made under one of the known peppers, or before that was noted.
pub async fn view(
    connection: &mut PgConnection,
    operator_id: Uuid,
    known: &[[u8; 8]],
) -> sqlx::Result<MfaStatus> {
    let known: Vec<&[u8]> = known.iter().map(|pepper| &pepper[..]).collect();
    let (since, recovery_codes_left) = sqlx::query_as(
        "select (select confirmed_at from operator_factors where operator_id = $1),
                (select count(*) from operator_recovery_codes
                  where operator_id = $1 and used_at is null
                    and (pepper_fingerprint = any($2) or pepper_fingerprint is null))",
    )
    .bind(operator_id)
    .bind(known)
    .fetch_one(connection)
    .await?;
    Ok(MfaStatus {
        since,
        recovery_codes_left,
    })
}

/// How many unused recovery codes were made under none of the known peppers.
pub async fn count_uncovered_codes(
    connection: &mut PgConnection,
    known: &[[u8; 8]],
) -> sqlx::Result<i64> {
    let known: Vec<&[u8]> = known.iter().map(|pepper| &pepper[..]).collect();
    sqlx::query_scalar(
        "select count(*) from operator_recovery_codes
          where used_at is null and pepper_fingerprint <> all($1)",
    )
    .bind(known)
    .fetch_one(connection)
    .await
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

/// Has the factor that was begun count from now on; whether it did not before, and is that one still.
pub async fn confirm(
    connection: &mut PgConnection,
    begun: &FactorRow,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query(
        "update operator_factors set confirmed_at = $3
          where operator_id = $1 and sealed_secret = $2 and confirmed_at is null",
    )
    .bind(begun.operator_id)
    .bind(&begun.sealed_secret)
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
    fingerprint: &[u8],
) -> sqlx::Result<()> {
    sqlx::query("delete from operator_recovery_codes where operator_id = $1")
        .bind(operator_id)
        .execute(&mut *connection)
        .await?;
    let hashes: Vec<&[u8]> = hashes.iter().map(|hash| &hash[..]).collect();
    sqlx::query(
        "insert into operator_recovery_codes (operator_id, pepper_fingerprint, code_hash)
         select $1, $3, unnest($2::bytea[])",
    )
    .bind(operator_id)
    .bind(hashes)
    .bind(fingerprint)
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
