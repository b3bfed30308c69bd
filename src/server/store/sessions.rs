//! Table `operator_sessions`.

use std::net::IpAddr;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::operators::OperatorRow;

/// A session to insert.
pub struct InsertSession<'a> {
    /// Hash of the cookie.
    pub session_hash: &'a [u8; 32],
    pub operator_id: Uuid,
    /// Client address at sign-in.
    pub ip: Option<IpAddr>,
    /// True until the second factor is verified; grants no access until then.
    pub awaits_factor: bool,
    /// Time of the last verification of the second factor.
    pub factor_at: Option<DateTime<Utc>>,
    pub now: DateTime<Utc>,
}

pub async fn insert(
    connection: &mut PgConnection,
    session: &InsertSession<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into operator_sessions
             (session_hash, operator_id, ip, awaits_factor, factor_at, created_at, last_seen_at)
         values ($1, $2, $3::inet, $4, $5, $6, $6)",
    )
    .bind(&session.session_hash[..])
    .bind(session.operator_id)
    .bind(session.ip.map(|ip| ip.to_string()))
    .bind(session.awaits_factor)
    .bind(session.factor_at)
    .bind(session.now)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Active operator of a session created after `created_after` that awaits the second factor.
pub async fn find_awaiting(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    created_after: DateTime<Utc>,
) -> sqlx::Result<Option<OperatorRow>> {
    sqlx::query_as(
        "select o.operator_id, o.email, o.role, o.active, o.password_hash
           from operator_sessions s join operators o on o.operator_id = s.operator_id
          where s.session_hash = $1 and s.awaits_factor and o.active and s.created_at > $2",
    )
    .bind(&session_hash[..])
    .bind(created_after)
    .fetch_optional(connection)
    .await
}

/// Deletes a session that awaits the second factor. Returns false if it did not exist.
pub async fn delete_awaiting(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
) -> sqlx::Result<bool> {
    sqlx::query("delete from operator_sessions where session_hash = $1 and awaits_factor")
        .bind(&session_hash[..])
        .execute(connection)
        .await
        .map(|done| done.rows_affected() == 1)
}

/// Replaces a session's cookie, and records the verification of the second factor if given. Returns
/// false if the session did not exist.
pub async fn renew(
    connection: &mut PgConnection,
    former_hash: &[u8; 32],
    session_hash: &[u8; 32],
    factor_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query(
        "update operator_sessions
            set session_hash = $2, former_hash = $1, renewed_at = $4, factor_at = coalesce($3, factor_at)
          where session_hash = $1 and not awaits_factor",
    )
    .bind(&former_hash[..])
    .bind(&session_hash[..])
    .bind(factor_at)
    .bind(now)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() == 1)
}

/// Removes the verification of the second factor from a session.
pub async fn clear_mfa(connection: &mut PgConnection, session_hash: &[u8; 32]) -> sqlx::Result<()> {
    sqlx::query("update operator_sessions set factor_at = null where session_hash = $1")
        .bind(&session_hash[..])
        .execute(connection)
        .await
        .map(|_| ())
}

/// A session with its operator.
#[derive(FromRow)]
pub struct SessionRow {
    pub last_seen_at: DateTime<Utc>,
    /// Time of the last verification of the second factor.
    pub factor_at: Option<DateTime<Utc>>,
    /// True if the operator has a confirmed second factor.
    pub has_factor: bool,
    #[sqlx(flatten)]
    pub operator: OperatorRow,
}

/// Finds the complete session of an active operator, created after `created_after` and last seen after
/// `seen_after`.
///
/// The former cookie is accepted if the session was renewed within `renewed`, but without the
/// verification of the second factor.
pub async fn find(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    created_after: DateTime<Utc>,
    seen_after: DateTime<Utc>,
    renewed: Range<DateTime<Utc>>,
) -> sqlx::Result<Option<SessionRow>> {
    sqlx::query_as(
        "select s.last_seen_at, case when s.session_hash = $1 then s.factor_at end as factor_at,
                o.operator_id, o.email, o.role, o.active, o.password_hash,
                exists (select from operator_factors f
                         where f.operator_id = o.operator_id and f.confirmed_at is not null) as has_factor
           from operator_sessions s join operators o on o.operator_id = s.operator_id
          where (s.session_hash = $1 or (s.former_hash = $1 and s.renewed_at > $4 and s.renewed_at < $5))
            and o.active and not s.awaits_factor
            and s.created_at > $2 and s.last_seen_at > $3
            -- An operator with a second factor needs a session in which it was verified.
            and (s.factor_at is not null or not exists (
                     select from operator_factors f
                      where f.operator_id = o.operator_id and f.confirmed_at is not null))",
    )
    .bind(&session_hash[..])
    .bind(created_after)
    .bind(seen_after)
    .bind(renewed.start)
    .bind(renewed.end)
    .fetch_optional(connection)
    .await
}

/// Updates the time at which a session was last seen.
pub async fn touch(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("update operator_sessions set last_seen_at = $2 where session_hash = $1 and last_seen_at < $2")
        .bind(&session_hash[..])
        .bind(now)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Deletes a session by its cookie, or by the former cookie if renewed after `renewed_after`. Returns the
/// operator's e-mail address, unless the session had timed out.
pub async fn delete(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    created_after: DateTime<Utc>,
    seen_after: DateTime<Utc>,
    renewed_after: DateTime<Utc>,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar(
        "delete from operator_sessions s using operators o
          where (s.session_hash = $1 or (s.former_hash = $1 and s.renewed_at > $4))
            and o.operator_id = s.operator_id
         returning case when not s.awaits_factor and s.created_at > $2 and s.last_seen_at > $3 then o.email end",
    )
    .bind(&session_hash[..])
    .bind(created_after)
    .bind(seen_after)
    .bind(renewed_after)
    .fetch_optional(connection)
    .await
    .map(Option::flatten)
}

/// A session in a list.
#[derive(FromRow)]
pub struct ListedSession {
    pub session_id: Uuid,
    /// Hash of the cookie.
    pub session_hash: Vec<u8>,
    /// Hash of the former cookie.
    pub former_hash: Option<Vec<u8>>,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    /// Client address at sign-in.
    pub ip: Option<String>,
}

/// Active sessions of an operator, last used first.
pub async fn list(
    connection: &mut PgConnection,
    operator_id: Uuid,
    created_after: DateTime<Utc>,
    seen_after: DateTime<Utc>,
) -> sqlx::Result<Vec<ListedSession>> {
    sqlx::query_as(
        "select session_id, session_hash, former_hash, created_at, last_seen_at, host(ip) as ip from operator_sessions
          where operator_id = $1 and not awaits_factor and created_at > $2 and last_seen_at > $3
          order by last_seen_at desc, session_id",
    )
    .bind(operator_id)
    .bind(created_after)
    .bind(seen_after)
    .fetch_all(connection)
    .await
}

/// Deletes a session of an operator by its id. Returns false if it did not exist.
pub async fn delete_by_id(
    connection: &mut PgConnection,
    operator_id: Uuid,
    session_id: Uuid,
) -> sqlx::Result<bool> {
    sqlx::query("delete from operator_sessions where operator_id = $1 and session_id = $2")
        .bind(operator_id)
        .bind(session_id)
        .execute(connection)
        .await
        .map(|done| done.rows_affected() > 0)
}

/// Deletes all sessions of an operator, except `kept`.
pub async fn delete_all(
    connection: &mut PgConnection,
    operator_id: Uuid,
    kept: Option<&[u8; 32]>,
) -> sqlx::Result<()> {
    sqlx::query(
        "delete from operator_sessions
          where operator_id = $1 and ($2::bytea is null or session_hash <> $2)",
    )
    .bind(operator_id)
    .bind(kept.map(|hash| &hash[..]))
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes the sessions that have timed out.
pub async fn sweep(
    connection: &mut PgConnection,
    created_before: DateTime<Utc>,
    seen_before: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let result =
        sqlx::query("delete from operator_sessions where created_at <= $1 or last_seen_at <= $2")
            .bind(created_before)
            .bind(seen_before)
            .execute(connection)
            .await?;
    Ok(result.rows_affected())
}
