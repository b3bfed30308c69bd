//! Table `api_keys`: writes.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::grace::GraceStart;
use crate::domain::key::{Environment, RevocationReason};
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;

/// A key to insert, without its id and secret.
#[derive(Debug)]
pub struct NewKeyRow<'a> {
    pub partner_id: Uuid,
    pub name: Option<&'a str>,
    pub environment: Environment,
    pub scopes: &'a [Scope],
    pub rate_per_minute: i32,
    /// Start of the validity window, inclusive.
    pub not_before: DateTime<Utc>,
    /// End of the validity window, exclusive.
    pub not_after: Option<DateTime<Utc>>,
    /// Predecessor.
    pub rotated_from: Option<&'a KeyId>,
    pub created_at: DateTime<Utc>,
    pub created_by: &'a str,
}

/// Stored form of a secret.
#[derive(Clone)]
pub struct StoredSecret {
    /// PHC string.
    pub hash: String,
    pub tag: [u8; 4],
    /// Pepper of the hash and the tag.
    pub fingerprint: [u8; 8],
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredSecret(…)")
    }
}

/// Inserts a key; returns false if its id exists.
pub async fn insert(
    connection: &mut PgConnection,
    key_id: &KeyId,
    stored: &StoredSecret,
    key: &NewKeyRow<'_>,
) -> sqlx::Result<bool> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.into_str()).collect();
    let result = sqlx::query(
        "insert into api_keys (key_id, partner_id, name, environment, scopes, rate_per_minute,
                               not_before, not_after, rotated_from, created_at, created_by,
                               secret_hash, check_tag, pepper_fingerprint)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         on conflict (key_id) do nothing",
    )
    .bind(key_id.as_str())
    .bind(key.partner_id)
    .bind(key.name)
    .bind(key.environment.into_str())
    .bind(scopes)
    .bind(key.rate_per_minute)
    .bind(key.not_before)
    .bind(key.not_after)
    .bind(key.rotated_from.map(KeyId::as_str))
    .bind(key.created_at)
    .bind(key.created_by)
    .bind(&stored.hash)
    .bind(&stored.tag[..])
    .bind(&stored.fingerprint[..])
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Updates a key's changeable fields. A running grace period never exceeds the new `not_after`.
pub async fn update(
    connection: &mut PgConnection,
    key_id: &KeyId,
    name: Option<&str>,
    environment: Environment,
    rate_per_minute: i32,
    not_after: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update api_keys
            set name = $2, environment = $3, rate_per_minute = $4, not_after = $5,
                retires_at = case when retires_at is not null then least(retires_at, $5) end
          where key_id = $1",
    )
    .bind(key_id.as_str())
    .bind(name)
    .bind(environment.into_str())
    .bind(rate_per_minute)
    .bind(not_after)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Retirement of a rotated key.
#[derive(Clone, Copy, Debug)]
pub struct Retirement {
    /// Latest end of the key.
    pub retires_at: DateTime<Utc>,
    /// True if the key ends immediately.
    pub immediate: bool,
    /// Length of the grace period in seconds, and its start.
    pub grace: (i32, GraceStart),
    /// Start of the grace period; `None` while it waits for the successor's first use.
    pub grace_started_at: Option<DateTime<Utc>>,
}

/// Retires a key that gets a successor.
pub async fn retire(
    connection: &mut PgConnection,
    key_id: &KeyId,
    retirement: Retirement,
) -> sqlx::Result<()> {
    let (seconds, starts) = retirement.grace;
    sqlx::query(
        "update api_keys
            set retires_at = $2, grace_seconds = $3, grace_starts = $4, grace_started_at = $5
          where key_id = $1",
    )
    .bind(key_id.as_str())
    .bind(retirement.retires_at)
    .bind(seconds)
    .bind(starts.into_str())
    .bind(retirement.grace_started_at)
    .execute(&mut *connection)
    .await?;
    if retirement.immediate {
        supersede(connection, key_id, retirement.retires_at).await?;
    }
    Ok(())
}

/// Changes the end of a retiring key, and starts its grace period if it has not started.
pub async fn change_grace(
    connection: &mut PgConnection,
    key_id: &KeyId,
    retires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update api_keys set retires_at = $2, grace_started_at = coalesce(grace_started_at, $3)
          where key_id = $1",
    )
    .bind(key_id.as_str())
    .bind(retires_at)
    .bind(now)
    .execute(&mut *connection)
    .await?;
    if retires_at <= now {
        supersede(connection, key_id, retires_at).await?;
    }
    Ok(())
}

async fn supersede(
    connection: &mut PgConnection,
    key_id: &KeyId,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    revoke(connection, key_id, at, RevocationReason::Superseded, None).await
}

pub async fn revoke(
    connection: &mut PgConnection,
    key_id: &KeyId,
    revoked_at: DateTime<Utc>,
    reason: RevocationReason,
    note: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update api_keys
            set revoked_at = $2, revoked_reason = $3, revoked_note = coalesce($4, revoked_note)
          where key_id = $1",
    )
    .bind(key_id.as_str())
    .bind(revoked_at)
    .bind(reason.into_str())
    .bind(note)
    .execute(connection)
    .await
    .map(|_| ())
}

pub async fn restore(connection: &mut PgConnection, key_id: &KeyId) -> sqlx::Result<()> {
    sqlx::query(
        "update api_keys set revoked_at = null, revoked_reason = null, revoked_note = null
          where key_id = $1",
    )
    .bind(key_id.as_str())
    .execute(connection)
    .await
    .map(|_| ())
}

/// Replaces a stored secret, unless it was changed since it was verified.
pub async fn replace_secret(
    connection: &mut PgConnection,
    key_id: &str,
    verified_hash: &str,
    stored: &StoredSecret,
) -> sqlx::Result<bool> {
    let result = sqlx::query(
        "update api_keys set secret_hash = $3, check_tag = $4, pepper_fingerprint = $5
          where key_id = $1 and secret_hash = $2",
    )
    .bind(key_id)
    .bind(verified_hash)
    .bind(&stored.hash)
    .bind(&stored.tag[..])
    .bind(&stored.fingerprint[..])
    .execute(connection)
    .await?;
    Ok(result.rows_affected() == 1)
}
