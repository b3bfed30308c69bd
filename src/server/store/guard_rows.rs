//! Table `api_keys`, as the guard reads it: with what is stored of the secret.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::key::Lifetime;
use crate::domain::scope::Scope;

/// What the guard needs of a key, its stored secret included.
#[derive(FromRow)]
pub struct GuardRow {
    /// Whose it is.
    pub partner_id: Uuid,
    /// Whether that partner is active.
    pub partner_active: bool,
    /// What it may do, by name.
    pub scopes: Vec<String>,
    /// Requests a minute.
    pub rate_per_minute: i32,
    /// First moment of its window.
    pub not_before: DateTime<Utc>,
    /// First moment after its window.
    pub not_after: Option<DateTime<Utc>>,
    /// End of its grace.
    pub retires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// A PHC string.
    pub secret_hash: String,
    /// The check tag; `None` for a legacy row before its first success.
    pub check_tag: Option<Vec<u8>>,
    /// Which pepper the hash was made under; `None` for an imported row.
    pub pepper_fingerprint: Option<Vec<u8>>,
    /// Whether the secret is one of the earlier Node pack's.
    pub legacy: bool,
    /// Whether it was accepted before.
    pub used_before: bool,
}

impl GuardRow {
    /// The dates that decide what the key is.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            not_before: self.not_before,
            not_after: self.not_after,
            retires_at: self.retires_at,
            revoked_at: self.revoked_at,
        }
    }

    /// What the key may do; a name that is no scope grants nothing.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        self.scopes
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect()
    }
}

/// What the guard needs of a key.
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

/// How many keys that may still be accepted were made under none of these peppers.
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
