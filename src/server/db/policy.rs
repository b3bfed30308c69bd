//! Table `policy`, and the keys that it makes stand out.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::keys::{is_rotation_due, is_stale};
use crate::domain::key::Attention;
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

/// The policy.
pub async fn find(connection: &mut PgConnection) -> sqlx::Result<Policy> {
    sqlx::query_as::<_, PolicyRow>(select_policy!(""))
        .fetch_one(connection)
        .await
        .map(Policy::from)
}

/// The policy, which others can't change until the transaction ends.
pub async fn lock(connection: &mut PgConnection) -> sqlx::Result<Policy> {
    sqlx::query_as::<_, PolicyRow>(select_policy!(" for update"))
        .fetch_one(connection)
        .await
        .map(Policy::from)
}

/// Writes the policy.
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

/// How many keys ask for attention, each count up to `most`.
pub async fn count_attention(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    most: i64,
) -> sqlx::Result<Attention> {
    // Partners without an age of their own go by the installation's, from its oldest key on; those
    // with one are looked at one by one. Stale keys were used last, or made, longest ago.
    let (rotation_due, stale) = sqlx::query_as(concat!(
        "select (select count(*) from (
                    (select from api_keys k join partners p on p.partner_id = k.partner_id
                      where p.max_key_age_days is null
                        and k.created_at <= $1 - make_interval(hours => 24 * (select max_key_age_days from policy))
                        and ",
        is_rotation_due!("$1"),
        " limit $2)
                    union all
                    (select from partners p join api_keys k on k.partner_id = p.partner_id
                      where p.max_key_age_days is not null
                        and k.created_at <= $1 - make_interval(hours => 24 * p.max_key_age_days)
                        and ",
        is_rotation_due!("$1"),
        " limit $2) limit $2) due),
                (select count(*) from (
                    (select from api_key_last_use u join api_keys k on k.key_id = u.key_id
                      where u.last_used_at <= $1 - make_interval(hours => 24 * (select stale_after_days from policy))
                        and ",
        is_stale!("$1"),
        " limit $2)
                    union all
                    (select from api_key_never_used n join api_keys k on k.key_id = n.key_id
                       left join api_key_last_use u on u.key_id = k.key_id
                      where n.created_at <= $1 - make_interval(hours => 24 * (select stale_after_days from policy))
                        and ",
        is_stale!("$1"),
        " limit $2) limit $2) stale)"
    ))
    .bind(now)
    .bind(most)
    .fetch_one(connection)
    .await?;
    Ok(Attention {
        rotation_due,
        stale,
        most,
    })
}
