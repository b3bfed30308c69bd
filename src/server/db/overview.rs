//! Table `api_keys`, counted: by status, and what stands out.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

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
#[derive(Clone, Copy, Debug, FromRow, PartialEq, Eq)]
pub struct Outstanding {
    /// Live keys that end soon.
    pub expiring: i64,
    /// Keys that are due for rotation.
    pub rotation_due: i64,
    /// Retiring keys on which calls still arrive.
    pub still_used: i64,
    /// Keys that were refused lately.
    pub refused: i64,
    /// Keys that are stale.
    pub stale: i64,
}

/// How many keys stand out, each counted up to `most`: those that end within `soon`, and those that
/// were refused no longer than `lately` ago, among others.
pub async fn count_outstanding(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    (soon, lately): (TimeDelta, TimeDelta),
    most: i64,
) -> sqlx::Result<Outstanding> {
    // Partners without an age of their own go by the installation's, from its oldest key on; those
    // with one are looked at one by one. Stale keys were used last, or made, longest ago.
    sqlx::query_as(concat!(
        "select (select count(*) from (
                    select from api_keys k where ", is_expiring!("$1", "$3"), " limit $2) expiring) as expiring,
                (select count(*) from (
                    (select from api_keys k join partners p on p.partner_id = k.partner_id
                      where p.max_key_age_days is null
                        and k.created_at <= $1 - make_interval(hours => 24 * (select max_key_age_days from policy))
                        and ", is_rotation_due!("$1"), " limit $2)
                    union all
                    (select from partners p join api_keys k on k.partner_id = p.partner_id
                      where p.max_key_age_days is not null
                        and k.created_at <= $1 - make_interval(hours => 24 * p.max_key_age_days)
                        and ", is_rotation_due!("$1"), " limit $2) limit $2) due) as rotation_due,
                (select count(*) from (
                    select from api_keys k where ", is_still_used!("$1"), " limit $2) still_used) as still_used,
                (select count(*) from (
                    select from api_key_last_refusal where last_refused_at > $4 limit $2) refused) as refused,
                (select count(*) from (
                    (select from api_key_last_use u join api_keys k on k.key_id = u.key_id
                      where u.last_used_at <= $1 - make_interval(hours => 24 * (select stale_after_days from policy))
                        and ", is_stale!("$1"), " limit $2)
                    union all
                    (select from api_key_never_used n join api_keys k on k.key_id = n.key_id
                       left join api_key_last_use u on u.key_id = k.key_id
                      where n.created_at <= $1 - make_interval(hours => 24 * (select stale_after_days from policy))
                        and ", is_stale!("$1"), " limit $2) limit $2) stale) as stale"
    ))
    .bind(now)
    .bind(most)
    .bind(now + soon)
    .bind(now - lately)
    .fetch_one(connection)
    .await
}
