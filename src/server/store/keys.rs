//! Table `api_keys`, joined with partners, policy, successors and last use.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::grace::Grace;
use crate::domain::key::{KeyStatus, KeyView, Lifetime, RevocationReason};
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;

/// Selects key views from `api_keys k`. With `few`, each partner is looked up separately: the planner overestimates
/// the cost of the lookups and would scan all partners otherwise.
macro_rules! select_keys {
    (few $($tail:tt)*) => {
        select_keys!(
            @ "cross join lateral
                 (select name, max_key_age_days from partners where partner_id = k.partner_id limit 1) p ",
            $($tail)*
        )
    };
    (@ $partners:literal, $($tail:tt)*) => {
        concat!(
            "select k.key_id, k.partner_id, p.name as partner_name, k.name, k.environment, k.scopes,
                    k.rate_per_minute, k.not_before, k.not_after, k.created_at, k.created_by,
                    u.last_used_at, host(u.last_used_ip) as last_used_ip,
                    k.rotated_from, s.key_id as replaced_by, s.created_at as rotated_at, k.retires_at,
                    k.grace_seconds, k.grace_starts, k.grace_started_at, k.revoked_at, k.revoked_reason,
                    coalesce(p.max_key_age_days, policy.max_key_age_days) as max_key_age_days,
                    policy.stale_after_days
               from api_keys k ",
            $partners,
            "left join policy on true
               left join api_keys s on s.rotated_from = k.key_id
               left join api_key_last_use u on u.key_id = k.key_id ",
            $($tail)*
        )
    };
    ($($tail:tt)*) => {
        select_keys!(@ "join partners p on p.partner_id = k.partner_id ", $($tail)*)
    };
}

pub(super) use select_keys;

/// A key without its secret.
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
    rotated_at: Option<DateTime<Utc>>,
    retires_at: Option<DateTime<Utc>>,
    grace_seconds: Option<i32>,
    grace_starts: Option<String>,
    grace_started_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    revoked_reason: Option<String>,
    max_key_age_days: Option<i32>,
    stale_after_days: Option<i32>,
}

impl KeyRow {
    /// Dates that determine the key's status.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            not_before: self.not_before,
            not_after: self.not_after,
            retires_at: self.retires_at,
            revoked_at: self.revoked_at,
        }
    }

    /// Converts to the view at `now`. Fails with [`sqlx::Error::Decode`] if a column violates its constraint.
    pub fn view(self, now: DateTime<Utc>) -> sqlx::Result<KeyView> {
        let status = KeyStatus::at(now, &self.lifetime());
        let stated_reason = self
            .revoked_reason
            .as_deref()
            .and_then(|reason| reason.parse().ok());
        let (revoked_at, revoked_reason) = match (status, self.revoked_at) {
            (KeyStatus::Revoked, Some(at)) => (Some(at), Some(stated_reason.unwrap_or_default())),
            // A grace period ends without a write.
            (KeyStatus::Revoked, None) => (
                self.retires_at,
                Some(stated_reason.unwrap_or(RevocationReason::Superseded)),
            ),
            _ => (None, None),
        };
        let grace = self.grace();
        let days = |days: i32| TimeDelta::days(days.into());
        let rotation_due_at = self
            .max_key_age_days
            .filter(|_| self.retires_at.is_none() && status.is_live())
            .map(|age| self.created_at + days(age));
        let last_activity = self
            .created_at
            .max(self.not_before)
            .max(self.last_used_at.unwrap_or(self.created_at));
        let stale_at = self
            .stale_after_days
            .filter(|_| status == KeyStatus::Active)
            .map(|after| last_activity + days(after));
        Ok(KeyView {
            rotation_due_at,
            rotation_due: rotation_due_at.is_some_and(|at| at <= now),
            stale: stale_at.is_some_and(|at| at <= now),
            key_id: key_id(&self.key_id)?,
            partner_id: self.partner_id,
            partner_name: self.partner_name,
            name: self.name,
            environment: self
                .environment
                .parse()
                .map_err(|_| undecodable("environment"))?,
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
            grace,
            revoked_at,
            revoked_reason,
        })
    }

    /// Grace period of the rotation; `None` if the key was not rotated.
    fn grace(&self) -> Option<Grace> {
        Some(Grace {
            seconds: self.grace_seconds?,
            starts: self
                .grace_starts
                .as_deref()
                .and_then(|start| start.parse().ok())?,
            rotated_at: self.rotated_at?,
            started_at: self.grace_started_at,
        })
    }
}

fn key_id(text: &str) -> sqlx::Result<KeyId> {
    KeyId::parse(text).ok_or_else(|| undecodable("key_id"))
}

fn scopes(names: &[String]) -> sqlx::Result<Vec<Scope>> {
    names
        .iter()
        .map(|name| name.parse().map_err(|_| undecodable("scopes")))
        .collect()
}

fn undecodable(column: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("column {column} violates its constraint").into())
}

/// Finds a key. Text that is not a valid id is not sent to the database, which rejects NUL.
pub async fn find(connection: &mut PgConnection, key_id: &str) -> sqlx::Result<Option<KeyRow>> {
    if KeyId::parse(key_id).is_none() {
        return Ok(None);
    }
    sqlx::query_as(select_keys!("where k.key_id = $1"))
        .bind(key_id)
        .fetch_optional(connection)
        .await
}

/// Existing keys among `ids`, by id.
pub async fn by_id(
    connection: &mut PgConnection,
    ids: &[&str],
) -> sqlx::Result<HashMap<String, KeyRow>> {
    let rows: Vec<KeyRow> = sqlx::query_as(select_keys!(few "where k.key_id = any($1)"))
        .bind(ids)
        .fetch_all(connection)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.key_id.clone(), row))
        .collect())
}

/// Up to `limit` newest keys of a key's lineage, including itself, oldest first.
pub async fn lineage(
    connection: &mut PgConnection,
    key_id: &KeyId,
    limit: i64,
) -> sqlx::Result<Vec<KeyRow>> {
    let mut rows: Vec<KeyRow> = sqlx::query_as(select_keys!(
        "where k.lineage = (select lineage from api_keys where key_id = $1)
         order by k.generation desc limit $2"
    ))
    .bind(key_id.as_str())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.reverse();
    Ok(rows)
}

/// Lifetimes of the existing keys among `ids`, by id.
pub async fn lifetimes(
    connection: &mut PgConnection,
    ids: &[KeyId],
) -> sqlx::Result<Vec<(String, Lifetime)>> {
    let ids: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
    let rows = by_id(connection, &ids).await?.into_iter();
    Ok(rows.map(|(key_id, row)| (key_id, row.lifetime())).collect())
}

/// Locks a key until the transaction ends, and returns it. The first key of its lineage is locked
/// before it, which serialises writes to a lineage. The lock (`no key update`) still allows uses of the
/// keys to be written.
pub async fn lock_for_update(
    connection: &mut PgConnection,
    key_id: &str,
) -> sqlx::Result<Option<KeyRow>> {
    if KeyId::parse(key_id).is_none() {
        return Ok(None);
    }
    // After waiting for a lock, PostgreSQL reads the locked row again but not the left-joined
    // successor, so the lock is a separate statement.
    sqlx::query(
        "select from api_keys
          where key_id in ($1, (select lineage from api_keys where key_id = $1))
          order by generation for no key update",
    )
    .bind(key_id)
    .execute(&mut *connection)
    .await?;
    find(connection, key_id).await
}

/// Other live keys of a key's lineage, oldest first.
pub async fn other_live(
    connection: &mut PgConnection,
    key_id: &KeyId,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select other.key_id
           from api_keys k
           join api_keys other on other.lineage = k.lineage and other.key_id <> k.key_id
          where k.key_id = $1 and other.revoked_at is null
            and (other.retires_at is null or other.retires_at > $2)
            and (other.not_after is null or other.not_after > $2)
          order by other.generation",
    )
    .bind(key_id.as_str())
    .bind(now)
    .fetch_all(connection)
    .await
}
