//! Tables `operators` and `operator_sessions`.

use std::net::IpAddr;
use std::ops::Range;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::operator::{Operator, Role};

/// An operator with what is stored of the password.
#[derive(FromRow)]
pub struct OperatorRow {
    /// The operator's id.
    pub operator_id: Uuid,
    /// What they sign in with.
    pub email: String,
    role: String,
    active: bool,
    /// A PHC string.
    pub password_hash: String,
}

impl OperatorRow {
    /// The operator as it is shown.
    ///
    /// # Errors
    /// [`sqlx::Error::Decode`] where a column holds what its constraint forbids.
    pub fn view(&self) -> sqlx::Result<Operator> {
        let role = self.role.parse().map_err(|_| {
            sqlx::Error::Decode("column role holds what its constraint forbids".into())
        })?;
        Ok(Operator {
            operator_id: self.operator_id,
            email: self.email.clone(),
            role,
            active: self.active,
        })
    }
}

/// The operator with this address, in lower case.
pub async fn find_by_email(
    connection: &mut PgConnection,
    email: &str,
) -> sqlx::Result<Option<OperatorRow>> {
    sqlx::query_as(
        "select operator_id, email, role, active, password_hash from operators where email = $1",
    )
    .bind(email)
    .fetch_optional(connection)
    .await
}

/// All operators by address.
pub async fn list(connection: &mut PgConnection) -> sqlx::Result<Vec<OperatorRow>> {
    sqlx::query_as(
        "select operator_id, email, role, active, password_hash from operators order by email",
    )
    .fetch_all(connection)
    .await
}

/// Adds an operator.
pub async fn insert(
    connection: &mut PgConnection,
    operator_id: Uuid,
    email: &str,
    role: Role,
    password_hash: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into operators (operator_id, email, role, password_hash, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $5)",
    )
    .bind(operator_id)
    .bind(email)
    .bind(role.into_str())
    .bind(password_hash)
    .bind(now)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Replaces an operator's password.
pub async fn set_password(
    connection: &mut PgConnection,
    operator_id: Uuid,
    password_hash: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query("update operators set password_hash = $2, updated_at = $3 where operator_id = $1")
        .bind(operator_id)
        .bind(password_hash)
        .bind(now)
        .execute(connection)
        .await
        .map(|_| ())
}

/// Replaces the hash of a password that stays the same, unless another was set meanwhile.
pub async fn replace_hash(
    connection: &mut PgConnection,
    operator_id: Uuid,
    before: &str,
    after: &str,
) -> sqlx::Result<()> {
    sqlx::query(
        "update operators set password_hash = $3 where operator_id = $1 and password_hash = $2",
    )
    .bind(operator_id)
    .bind(before)
    .bind(after)
    .execute(connection)
    .await
    .map(|_| ())
}

/// All operators, whom others can't change until the transaction ends.
pub async fn lock_all(connection: &mut PgConnection) -> sqlx::Result<Vec<OperatorRow>> {
    sqlx::query_as(
        "select operator_id, email, role, active, password_hash from operators
          order by operator_id for no key update",
    )
    .fetch_all(connection)
    .await
}

/// Sets what an operator may do, and whether they may sign in.
pub async fn update(
    connection: &mut PgConnection,
    operator_id: Uuid,
    role: Role,
    active: bool,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query(
        "update operators set role = $2, active = $3, updated_at = $4 where operator_id = $1",
    )
    .bind(operator_id)
    .bind(role.into_str())
    .bind(active)
    .bind(now)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Holds an active operator as they are until the transaction ends, so that no change of theirs misses
/// what it adds; whether they are there, with this password where one is named.
pub async fn hold(
    connection: &mut PgConnection,
    operator_id: Uuid,
    password_hash: Option<&str>,
) -> sqlx::Result<bool> {
    sqlx::query(
        "select from operators
          where operator_id = $1 and active and ($2::text is null or password_hash = $2) for share",
    )
    .bind(operator_id)
    .bind(password_hash)
    .fetch_optional(connection)
    .await
    .map(|row| row.is_some())
}

/// Has others wait who hold the operator, or would, until the transaction ends.
pub async fn lock_for_update(connection: &mut PgConnection, operator_id: Uuid) -> sqlx::Result<()> {
    sqlx::query("select from operators where operator_id = $1 for no key update")
        .bind(operator_id)
        .execute(connection)
        .await
        .map(|_| ())
}

/// A session to add.
pub struct InsertSession<'a> {
    /// The hash of its cookie.
    pub session_hash: &'a [u8; 32],
    /// Whose it is.
    pub operator_id: Uuid,
    /// Where it is opened from.
    pub ip: Option<IpAddr>,
    /// Whether it opens nothing before the second factor is shown.
    pub awaits_factor: bool,
    /// When the second factor was shown.
    pub factor_at: Option<DateTime<Utc>>,
    /// When it is opened.
    pub now: DateTime<Utc>,
}

/// Adds a session.
pub async fn insert_session(
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

/// The active operator whose sign-in waits for the second factor, since after `made_after`.
pub async fn find_awaiting(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    made_after: DateTime<Utc>,
) -> sqlx::Result<Option<OperatorRow>> {
    sqlx::query_as(
        "select o.operator_id, o.email, o.role, o.active, o.password_hash
           from operator_sessions s join operators o on o.operator_id = s.operator_id
          where s.session_hash = $1 and s.awaits_factor and o.active and s.created_at > $2",
    )
    .bind(&session_hash[..])
    .bind(made_after)
    .fetch_optional(connection)
    .await
}

/// Takes away a sign-in that waited; whether it was there.
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

/// Gives a session another cookie, and notes that the second factor was shown in it, if it was; whether
/// the session was there.
pub async fn renew_session(
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

/// Notes that the second factor counts no more in a session.
pub async fn clear_mfa(connection: &mut PgConnection, session_hash: &[u8; 32]) -> sqlx::Result<()> {
    sqlx::query("update operator_sessions set factor_at = null where session_hash = $1")
        .bind(&session_hash[..])
        .execute(connection)
        .await
        .map(|_| ())
}

/// A session that was found, with the operator it belongs to.
#[derive(FromRow)]
pub struct SessionRow {
    /// When it was last seen.
    pub last_seen_at: DateTime<Utc>,
    /// When the second factor was last shown in it.
    pub factor_at: Option<DateTime<Utc>>,
    /// Whether the operator has a second factor.
    pub has_factor: bool,
    /// Whose it is.
    #[sqlx(flatten)]
    pub operator: OperatorRow,
}

/// The session of an active operator, opened for good, that was made after `made_after` and seen after
/// `seen_after`.
///
/// The cookie before its present one opens it where that is of the time `renewed`, and shows no factor.
pub async fn find_session(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    made_after: DateTime<Utc>,
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
            -- Whatever opened it: without the factor there is none for who has one.
            and (s.factor_at is not null or not exists (
                     select from operator_factors f
                      where f.operator_id = o.operator_id and f.confirmed_at is not null))",
    )
    .bind(&session_hash[..])
    .bind(made_after)
    .bind(seen_after)
    .bind(renewed.start)
    .bind(renewed.end)
    .fetch_optional(connection)
    .await
}

/// Notes that a session is in use.
pub async fn touch_session(
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

/// Ends one session, by its cookie or, where that is newer than `renewed_after`, by the one before; whose it
/// was, by e-mail, where it had not timed out by itself.
pub async fn delete_session(
    connection: &mut PgConnection,
    session_hash: &[u8; 32],
    made_after: DateTime<Utc>,
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
    .bind(made_after)
    .bind(seen_after)
    .bind(renewed_after)
    .fetch_optional(connection)
    .await
    .map(Option::flatten)
}

/// A session as it is listed.
#[derive(FromRow)]
pub struct ListedSession {
    /// Its id.
    pub session_id: Uuid,
    /// The hash of its cookie.
    pub session_hash: Vec<u8>,
    /// The hash of the cookie before.
    pub former_hash: Option<Vec<u8>>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last seen.
    pub last_seen_at: DateTime<Utc>,
    /// Where it was opened from.
    pub ip: Option<String>,
}

/// The sessions of an operator that have not ended, the last used first.
pub async fn sessions_of(
    connection: &mut PgConnection,
    operator_id: Uuid,
    made_after: DateTime<Utc>,
    seen_after: DateTime<Utc>,
) -> sqlx::Result<Vec<ListedSession>> {
    sqlx::query_as(
        "select session_id, session_hash, former_hash, created_at, last_seen_at, host(ip) as ip from operator_sessions
          where operator_id = $1 and not awaits_factor and created_at > $2 and last_seen_at > $3
          order by last_seen_at desc, session_id",
    )
    .bind(operator_id)
    .bind(made_after)
    .bind(seen_after)
    .fetch_all(connection)
    .await
}

/// Ends one session of an operator by its id; whether it was there.
pub async fn delete_session_of(
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

/// Ends all sessions of an operator, but for the one that is kept.
pub async fn delete_sessions_of(
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
pub async fn sweep_sessions(
    connection: &mut PgConnection,
    made_before: DateTime<Utc>,
    seen_before: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let result =
        sqlx::query("delete from operator_sessions where created_at <= $1 or last_seen_at <= $2")
            .bind(made_before)
            .bind(seen_before)
            .execute(connection)
            .await?;
    Ok(result.rows_affected())
}
