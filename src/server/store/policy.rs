//! Table `policy`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::domain::policy::Policy;

#[derive(FromRow)]
struct PolicyRow {
    max_key_age_days: Option<i32>,
    max_lifetime_days: Option<i32>,
    stale_after_days: Option<i32>,
    updated_at: DateTime<Utc>,
}

impl From<PolicyRow> for Policy {
    fn from(row: PolicyRow) -> Self {
        Self {
            max_key_age_days: row.max_key_age_days,
            max_lifetime_days: row.max_lifetime_days,
            stale_after_days: row.stale_after_days,
            updated_at: row.updated_at,
        }
    }
}

macro_rules! select_policy {
    ($tail:literal) => {
        concat!(
            "select max_key_age_days, max_lifetime_days, stale_after_days, updated_at from policy",
            $tail
        )
    };
}

pub async fn find(connection: &mut PgConnection) -> sqlx::Result<Policy> {
    sqlx::query_as::<_, PolicyRow>(select_policy!(""))
        .fetch_one(connection)
        .await
        .map(Policy::from)
}

/// Locks the policy until the transaction ends, and returns it.
pub async fn lock_for_update(connection: &mut PgConnection) -> sqlx::Result<Policy> {
    sqlx::query_as::<_, PolicyRow>(select_policy!(" for update"))
        .fetch_one(connection)
        .await
        .map(Policy::from)
}

pub async fn update(connection: &mut PgConnection, policy: &Policy) -> sqlx::Result<()> {
    sqlx::query(
        "update policy set max_key_age_days = $1, max_lifetime_days = $2, stale_after_days = $3, updated_at = $4",
    )
    .bind(policy.max_key_age_days)
    .bind(policy.max_lifetime_days)
    .bind(policy.stale_after_days)
    .bind(policy.updated_at)
    .execute(connection)
    .await
    .map(|_| ())
}
