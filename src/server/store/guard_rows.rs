//! Table `api_keys`, as read by the guard: with the stored secret.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::key::Lifetime;
use crate::domain::scope::Scope;

/// Key columns for verification, including the stored secret.
#[derive(FromRow)]
pub struct GuardRow {
    pub partner_id: Uuid,
    pub partner_active: bool,
    pub scopes: Vec<String>,
    pub rate_per_minute: i32,
    /// Start of the validity window, inclusive.
    pub not_before: DateTime<Utc>,
    /// End of the validity window, exclusive.
    pub not_after: Option<DateTime<Utc>>,
    /// End of the grace period.
    pub retires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// PHC string.
    pub secret_hash: String,
    /// `None` for a legacy row before its first success.
    pub check_tag: Option<Vec<u8>>,
    /// Pepper of the hash; `None` for an imported row before its first success.
    pub pepper_fingerprint: Option<Vec<u8>>,
    /// True if the earlier Node version issued the secret.
    pub legacy: bool,
    /// True if the key was accepted before.
    pub used_before: bool,
}

impl GuardRow {
    /// Dates that determine the key's status.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            not_before: self.not_before,
            not_after: self.not_after,
            retires_at: self.retires_at,
            revoked_at: self.revoked_at,
        }
    }

    /// Known scopes; an unknown name grants nothing.
    pub fn scopes(&self) -> Vec<Scope> {
        self.scopes
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }
}

/// Finds a key for verification.
pub async fn find_for_guard(
    connection: &mut PgConnection,
    key_id: &str,
) -> sqlx::Result<Option<GuardRow>> {
    sqlx::query_as(
        "select k.partner_id, p.active as partner_active, k.scopes, k.rate_per_minute, k.not_before,
                k.not_after, k.retires_at, k.revoked_at, k.secret_hash, k.check_tag,
                k.pepper_fingerprint, k.legacy,
                exists (select from api_key_last_use u where u.key_id = k.key_id and u.last_used_at is not null)
                    as used_before
           from api_keys k join partners p on p.partner_id = k.partner_id
          where k.key_id = $1",
    )
    .bind(key_id)
    .fetch_optional(connection)
    .await
}

/// Number of live keys under none of these peppers.
pub async fn count_uncovered(
    connection: &mut PgConnection,
    fingerprints: &[Vec<u8>],
    now: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*) from api_keys
          where pepper_fingerprint is not null and pepper_fingerprint <> all ($1)
            and revoked_at is null and (retires_at is null or retires_at > $2)
            and (not_after is null or not_after > $2)",
    )
    .bind(fingerprints)
    .bind(now)
    .fetch_one(connection)
    .await
}
