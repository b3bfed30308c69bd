//! Table `api_keys`, with what is shown of a key from beside it.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::key::{Environment, KeyStatus, KeyView, Lifetime, RevocationReason};
use crate::domain::list::KeyQuery;
use crate::domain::page::Direction;
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;
use crate::server::db::contains_pattern;

macro_rules! select_keys {
    ($($tail:tt)*) => {
        concat!(
            "select k.key_id, k.partner_id, p.name as partner_name, k.name, k.environment, k.scopes,
                    k.rate_per_minute, k.not_before, k.not_after, k.created_at, k.created_by,
                    u.last_used_at, host(u.last_used_ip) as last_used_ip,
                    k.rotated_from, s.key_id as replaced_by, k.retires_at, k.revoked_at, k.revoked_reason
               from api_keys k
               join partners p on p.partner_id = k.partner_id
               left join api_keys s on s.rotated_from = k.key_id
               left join api_key_last_use u on u.key_id = k.key_id ",
            $($tail)*
        )
    };
}

/// A key with what is shown of it; nothing of its secret.
#[derive(FromRow)]
pub struct KeyRow {
    key_id: String,
    partner_id: Uuid,
    partner_name: String,
    name: Option<String>,
    environment: String,
    scopes: Vec<String>,
    rate_per_minute: i32,
    not_before: DateTime<Utc>,
    not_after: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    created_by: String,
    last_used_at: Option<DateTime<Utc>>,
    last_used_ip: Option<String>,
    rotated_from: Option<String>,
    replaced_by: Option<String>,
    retires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    revoked_reason: Option<String>,
}

impl KeyRow {
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

    /// The key as it is shown at `now`.
    ///
    /// # Errors
    /// [`sqlx::Error::Decode`] where a column holds what its constraint forbids.
    pub fn view(self, now: DateTime<Utc>) -> sqlx::Result<KeyView> {
        let status = KeyStatus::at(now, &self.lifetime());
        let stated_reason = self
            .revoked_reason
            .as_deref()
            .and_then(RevocationReason::parse);
        let (revoked_at, revoked_reason) = match (status, self.revoked_at) {
            (KeyStatus::Revoked, Some(at)) => (Some(at), Some(stated_reason.unwrap_or_default())),
            // The end of a grace needs no write to take effect.
            (KeyStatus::Revoked, None) => (
                self.retires_at,
                Some(stated_reason.unwrap_or(RevocationReason::Superseded)),
            ),
            _ => (None, None),
        };
        Ok(KeyView {
            key_id: key_id(&self.key_id)?,
            partner_id: self.partner_id,
            partner_name: self.partner_name,
            name: self.name,
            environment: Environment::parse(&self.environment)
                .ok_or_else(|| undecodable("environment"))?,
            scopes: scopes(&self.scopes)?,
            status,
            rate_per_minute: self.rate_per_minute,
            not_before: self.not_before,
            not_after: self.not_after,
            created_at: self.created_at,
            created_by: self.created_by,
            last_used_at: self.last_used_at,
            last_used_ip: self.last_used_ip,
            rotated_from: self.rotated_from.as_deref().map(key_id).transpose()?,
            replaced_by: self.replaced_by.as_deref().map(key_id).transpose()?,
            retires_at: self.retires_at,
            revoked_at,
            revoked_reason,
        })
    }
}

fn key_id(text: &str) -> sqlx::Result<KeyId> {
    KeyId::parse(text).ok_or_else(|| undecodable("key_id"))
}

fn scopes(names: &[String]) -> sqlx::Result<Vec<Scope>> {
    names
        .iter()
        .map(|name| Scope::parse(name).ok_or_else(|| undecodable("scopes")))
        .collect()
}

fn undecodable(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} holds what its constraint forbids").into())
}

// The CASE is [`KeyStatus::at`] in SQL; a test holds them to each other.
macro_rules! select_page {
    ($compare:literal, $order:literal) => {
        select_keys!(
            "where ($1::uuid is null or k.partner_id = $1)
               and ($2::text is null or k.key_id ilike $2 or k.name ilike $2 or p.name ilike $2)
               and ($3::text is null or $3 = case
                     when k.revoked_at is not null or k.retires_at <= $4 then 'revoked'
                     when $4 < k.not_before then 'scheduled'
                     when k.not_after <= $4 then 'expired'
                     when k.retires_at is not null then 'retiring'
                     else 'active' end)
               and ($5::text is null or k.environment = $5)
               and ($6::timestamptz is null or (k.created_at, k.key_id) ",
            $compare,
            " ($6, $7)) order by k.created_at ",
            $order,
            ", k.key_id ",
            $order,
            " limit $8"
        )
    };
}

/// One more row than the page has, in the request's direction.
pub async fn list(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<KeyRow>> {
    let sql = match query.page.direction() {
        Direction::Older => select_page!("<", "desc"),
        Direction::Newer => select_page!(">", "asc"),
    };
    sqlx::query_as(sql)
        .bind(query.partner_id)
        .bind(query.q.as_deref().map(contains_pattern))
        .bind(query.status.map(KeyStatus::as_str))
        .bind(now)
        .bind(query.environment.map(Environment::as_str))
        .bind(query.page.from.as_ref().map(|cursor| cursor.at))
        .bind(query.page.from.as_ref().map(|cursor| &cursor.id))
        .bind(query.page.limit + 1)
        .fetch_all(connection)
        .await
}

/// One key. Text that is no id is nobody's, and is not sent to the database, which takes no NUL.
pub async fn find(connection: &mut PgConnection, key_id: &str) -> sqlx::Result<Option<KeyRow>> {
    if KeyId::parse(key_id).is_none() {
        return Ok(None);
    }
    sqlx::query_as(select_keys!("where k.key_id = $1"))
        .bind(key_id)
        .fetch_optional(connection)
        .await
}

/// One key, which others can't change until the transaction ends.
pub async fn lock(connection: &mut PgConnection, key_id: &str) -> sqlx::Result<Option<KeyRow>> {
    if KeyId::parse(key_id).is_none() {
        return Ok(None);
    }
    // A row that this waited for is read again once the lock is had, but the left-joined
    // successor isn't: the lock comes first, in a statement of its own.
    let locked: Option<String> =
        sqlx::query_scalar("select key_id from api_keys where key_id = $1 for update")
            .bind(key_id)
            .fetch_optional(&mut *connection)
            .await?;
    if locked.is_none() {
        return Ok(None);
    }
    find(connection, key_id).await
}

/// A key to be added, but for its id and secret.
#[derive(Debug)]
pub struct NewKeyRow<'a> {
    /// Whose it is.
    pub partner_id: Uuid,
    /// What the operator calls it.
    pub name: Option<&'a str>,
    /// Where it is meant to be used.
    pub environment: Environment,
    /// What it may do.
    pub scopes: &'a [Scope],
    /// Requests a minute.
    pub rate_per_minute: i32,
    /// First moment of its window.
    pub not_before: DateTime<Utc>,
    /// First moment after its window.
    pub not_after: Option<DateTime<Utc>>,
    /// Its predecessor.
    pub rotated_from: Option<&'a KeyId>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    pub created_by: &'a str,
}

/// What is stored of a secret.
#[derive(Clone)]
pub struct StoredSecret {
    /// A PHC string.
    pub hash: String,
    /// The check tag.
    pub tag: [u8; 4],
    /// Which pepper both were made under.
    pub fingerprint: [u8; 8],
}

impl std::fmt::Debug for StoredSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoredSecret(…)")
    }
}

/// Adds a key; `false` where its id is taken.
pub async fn insert(
    connection: &mut PgConnection,
    key_id: &KeyId,
    stored: &StoredSecret,
    key: &NewKeyRow<'_>,
) -> sqlx::Result<bool> {
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
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
    .bind(key.environment.as_str())
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

/// Writes a key's changeable fields. A grace that runs never outlives the new end.
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
    .bind(environment.as_str())
    .bind(rate_per_minute)
    .bind(not_after)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Ends a rotated key: at `retires_at`, or at once where `revoked_at` is given.
pub async fn retire(
    connection: &mut PgConnection,
    key_id: &KeyId,
    retires_at: DateTime<Utc>,
    revoked_at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update api_keys
            set retires_at = $2, revoked_at = $3,
                revoked_reason = case when $3::timestamptz is null then revoked_reason else 'superseded' end
          where key_id = $1",
    )
    .bind(key_id.as_str())
    .bind(retires_at)
    .bind(revoked_at)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Revokes a key.
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
    .bind(reason.as_str())
    .bind(note)
    .execute(connection)
    .await
    .map(|_| ())
}

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
            .filter_map(|name| Scope::parse(name))
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
                exists (select from api_key_last_use u where u.key_id = k.key_id) as used_before
           from api_keys k join partners p on p.partner_id = k.partner_id
          where k.key_id = $1",
    )
    .bind(key_id)
    .fetch_optional(connection)
    .await
}

/// Replaces what is stored of a secret, if it is still what was verified.
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
