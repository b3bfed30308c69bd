//! Table `api_keys`, counted: by status, and what stands out.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgConnection, QueryBuilder};
use uuid::Uuid;

use super::error::is_timeout;
use super::key_list::push_at;
use super::keys::{is_expiring, is_rotation_due, is_stale, is_still_used};

/// How many keys have each status, each counted up to `most`.
pub async fn count_statuses(
    connection: &mut PgConnection,
    partner_id: Option<Uuid>,
    now: DateTime<Utc>,
    most: i64,
) -> sqlx::Result<Vec<(String, i64)>> {
    // As they were last looked at, and those whose status has changed since.
    const OF_ALL: &str = "
        select s.status,
               (select count(*) from (
                   (select from api_keys k where k.listed_status = s.status
                       and (k.listed_until is null or k.listed_until > $1) limit $2)
                   union all
                   (select from api_keys k where k.listed_until <= $1
                       and api_key_status(k.revoked_at, k.retires_at, k.not_before, k.not_after, $1) = s.status
                     limit $2) limit $2) counted)
          from unnest(array['scheduled', 'active', 'retiring', 'expired', 'revoked']) s (status)
         where $3::uuid is null";
    const OF_PARTNER: &str = "
        select api_key_status(k.revoked_at, k.retires_at, k.not_before, k.not_after, $1), count(*)
          from (select * from api_keys where partner_id = $3 limit 5 * $2) k
         group by 1";
    sqlx::query_as(if partner_id.is_none() {
        OF_ALL
    } else {
        OF_PARTNER
    })
    .bind(now)
    .bind(most)
    .bind(partner_id)
    .persistent(false)
    .fetch_all(connection)
    .await
}

/// About how many keys have each status, as far as the statistics tell.
pub async fn estimate_statuses(connection: &mut PgConnection) -> sqlx::Result<Vec<(String, i64)>> {
    sqlx::query_as(
        "select v.status, (c.reltuples * v.share)::bigint
           from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           join pg_stats s on s.schemaname = n.nspname and s.tablename = c.relname and s.attname = 'listed_status'
          cross join unnest(s.most_common_vals::text::text[], s.most_common_freqs) v (status, share)
          where c.oid = 'api_keys'::regclass and c.reltuples > 0",
    )
    .fetch_all(connection)
    .await
}

/// Keys that stand out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outstanding {
    /// Live keys that end soon.
    Expiring,
    /// Keys that are due for rotation.
    RotationDue,
    /// Retiring keys on which calls still arrive.
    StillUsed,
    /// Keys that were refused lately.
    Refused,
    /// Keys that are stale.
    Stale,
}

impl Outstanding {
    /// What counts them, its values by name.
    const fn rows(self) -> &'static str {
        match self {
            Self::Expiring => concat!(
                "select count(*) from (select from api_keys k where ",
                is_expiring!("$now", "$soon"),
                " limit $most) counted"
            ),
            // Partners without an age of their own go by the installation's, from its oldest key on;
            // those with one are looked at one by one.
            Self::RotationDue => concat!(
                "select count(*) from (
                    (select from api_keys k join partners p on p.partner_id = k.partner_id
                      where p.max_key_age_days is null
                        and k.created_at <= $now - make_interval(hours => 24 * (select max_key_age_days from policy))
                        and ",
                is_rotation_due!("$now"),
                " limit $most)
                    union all
                    (select from partners p join api_keys k on k.partner_id = p.partner_id
                      where p.max_key_age_days is not null
                        and k.created_at <= $now - make_interval(hours => 24 * p.max_key_age_days)
                        and ",
                is_rotation_due!("$now"),
                " limit $most) limit $most) counted"
            ),
            Self::StillUsed => concat!(
                "select count(*) from (select from api_keys k where ",
                is_still_used!("$now"),
                " limit $most) counted"
            ),
            Self::Refused => {
                "select count(*) from (
                    select from api_key_last_refusal where last_refused_at > $lately limit $most) counted"
            }
            // They were used last, or made, longest ago.
            Self::Stale => concat!(
                "select count(*) from (
                    (select from api_key_last_use u join api_keys k on k.key_id = u.key_id
                      where u.last_used_at <= $now - make_interval(hours => 24 * (select stale_after_days from policy))
                        and ",
                is_stale!("$now"),
                " limit $most)
                    union all
                    (select from api_key_never_used n join api_keys k on k.key_id = n.key_id
                       left join api_key_last_use u on u.key_id = k.key_id
                      where n.created_at <= $now - make_interval(hours => 24 * (select stale_after_days from policy))
                        and ",
                is_stale!("$now"),
                " limit $most) limit $most) counted"
            ),
        }
    }
}

/// How many keys stand out, counted up to `most`; `None` where that would take longer than `patience`:
/// what is old and still live may lie among many that are not.
pub async fn count_outstanding(
    connection: &mut PgConnection,
    which: Outstanding,
    now: DateTime<Utc>,
    most: i64,
    patience: Duration,
) -> sqlx::Result<Option<i64>> {
    let mut transaction = connection.begin().await?;
    sqlx::query("select set_config('statement_timeout', $1, true)")
        .bind(patience.as_millis().to_string())
        .execute(&mut *transaction)
        .await?;
    let mut statement = QueryBuilder::new("");
    for (n, part) in which.rows().split("$most").enumerate() {
        if n > 0 {
            statement.push_bind(most);
        }
        push_at(&mut statement, part, now);
    }
    let counted = statement
        .build_query_scalar()
        .fetch_one(&mut *transaction)
        .await;
    transaction.rollback().await?;
    match counted {
        Err(error) if is_timeout(&error) => Ok(None),
        counted => counted.map(Some),
    }
}
