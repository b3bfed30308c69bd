//! Tables `operator_factors` and `operator_recovery_codes`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::mfa::MfaStatus;

/// A second factor with its sealed secret.
#[derive(FromRow)]
pub struct FactorRow {
    pub operator_id: Uuid,
    pub sealed_secret: Vec<u8>,
    pub pepper_fingerprint: Vec<u8>,
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// Finds an operator's second factor, confirmed or not.
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

/// MFA status of an operator. Counts the recovery codes of the known peppers, and those from before
/// fingerprints were stored.
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

/// Number of unused recovery codes under an unknown pepper.
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

/// Operators with a confirmed second factor.
pub async fn confirmed_operators(connection: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar("select operator_id from operator_factors where confirmed_at is not null")
        .fetch_all(connection)
        .await
}

/// Enrols a second factor and replaces an unconfirmed one. Returns false if a confirmed one exists.
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

/// Confirms a second factor. Returns false if it was confirmed or replaced in the meantime.
pub async fn confirm(
    connection: &mut PgConnection,
    factor: &FactorRow,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query(
        "update operator_factors set confirmed_at = $3
          where operator_id = $1 and sealed_secret = $2 and confirmed_at is null",
    )
    .bind(factor.operator_id)
    .bind(&factor.sealed_secret)
    .bind(now)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Uses up a time step. Returns false if this or a later step was used before.
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

/// Uses up a recovery code, by its hash under any of the peppers. Returns false if no unused code
/// matches.
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

/// Deletes an operator's second factor and codes. Returns true if the factor was confirmed.
pub async fn delete(connection: &mut PgConnection, operator_id: Uuid) -> sqlx::Result<bool> {
    let confirmed: Option<bool> = sqlx::query_scalar(
        "delete from operator_factors where operator_id = $1 returning confirmed_at is not null",
    )
    .bind(operator_id)
    .fetch_optional(connection)
    .await?;
    Ok(confirmed.unwrap_or_default())
}

/// Secrets that are sealed under a pepper other than this one.
pub async fn sealed_with_other_pepper(
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

/// Replaces a sealed secret, unless it was changed in the meantime.
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
