//! Table `operators`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::operator::{Operator, Role};

/// An operator with the password hash.
#[derive(FromRow)]
pub struct OperatorRow {
    pub operator_id: Uuid,
    pub email: String,
    role: String,
    active: bool,
    /// PHC string.
    pub password_hash: String,
}

impl OperatorRow {
    /// Converts to the view. Fails with [`sqlx::Error::Decode`] if a column violates its constraint.
    pub fn view(&self) -> sqlx::Result<Operator> {
        let role = self
            .role
            .parse()
            .map_err(|_| sqlx::Error::Decode("column role violates its constraint".into()))?;
        Ok(Operator {
            operator_id: self.operator_id,
            email: self.email.clone(),
            role,
            active: self.active,
        })
    }
}

/// Finds an operator by e-mail address, in lower case.
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

/// All operators, sorted by e-mail address.
pub async fn list(connection: &mut PgConnection) -> sqlx::Result<Vec<OperatorRow>> {
    sqlx::query_as(
        "select operator_id, email, role, active, password_hash from operators order by email",
    )
    .fetch_all(connection)
    .await
}

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

/// Rehashes an unchanged password, unless another was set in the meantime.
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

/// Locks all operators until the transaction ends, and returns them.
pub async fn lock_all(connection: &mut PgConnection) -> sqlx::Result<Vec<OperatorRow>> {
    sqlx::query_as(
        "select operator_id, email, role, active, password_hash from operators
          order by operator_id for no key update",
    )
    .fetch_all(connection)
    .await
}

/// Updates an operator's role and active state.
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

/// Locks an active operator until the transaction ends, so that no concurrent change misses rows added
/// here. Returns false if the operator is not active or has another password than `password_hash`.
pub async fn lock_active_shared(
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

/// Locks an operator until the transaction ends; conflicts with [`lock_active_shared`].
pub async fn lock_for_update(connection: &mut PgConnection, operator_id: Uuid) -> sqlx::Result<()> {
    sqlx::query("select from operators where operator_id = $1 for no key update")
        .bind(operator_id)
        .execute(connection)
        .await
        .map(|_| ())
}
