//! Tables `api_key_last_use` and `api_key_usage`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use super::changes;
use crate::domain::token::KeyId;
use crate::domain::usage::Outcome;

/// Uses of many keys, as arrays of columns.
#[derive(Debug, Default)]
pub struct UsageBatch<'a> {
    last_key_ids: Vec<&'a str>,
    last_times: Vec<DateTime<Utc>>,
    last_addresses: Vec<Option<String>>,
    key_ids: Vec<&'a str>,
    hours: Vec<DateTime<Utc>>,
    outcomes: Vec<&'static str>,
    counts: Vec<i64>,
    refused_key_ids: Vec<&'a str>,
}

impl<'a> UsageBatch<'a> {
    /// Adds a key's last acceptance.
    pub fn last_use(&mut self, key_id: &'a str, at: DateTime<Utc>, client: Option<IpAddr>) {
        self.last_key_ids.push(key_id);
        self.last_times.push(at);
        self.last_addresses
            .push(client.map(|client| client.to_string()));
    }

    /// Adds a key's uses of one outcome in one hour, in hours since the epoch.
    pub fn uses(&mut self, key_id: &'a str, hour: i64, outcome: Outcome, count: u32) {
        let Some(hour) = DateTime::from_timestamp(hour.saturating_mul(3_600), 0) else {
            return;
        };
        self.key_ids.push(key_id);
        self.hours.push(hour);
        self.outcomes.push(outcome.into_str());
        self.counts.push(count.into());
        if outcome.is_refusal() {
            self.refused_key_ids.push(key_id);
        }
    }
}

/// Records a batch in the caller's transaction. A later stored use is kept; counts are added. Refusals are
/// dated `now`, which is at most about a second late.
pub async fn record(
    connection: &mut PgConnection,
    batch: &UsageBatch<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // The joins drop deleted keys; the order prevents deadlocks between instances.
    let first_uses: Vec<(String, DateTime<Utc>)> = sqlx::query_as(
        "with accepted as (
            select distinct on (key_id) key_id, at, ip::inet
              from unnest($1::text[], $2::timestamptz[], $3::text[]) as n (key_id, at, ip)
             order by key_id, at desc),
         refused as (
            select distinct key_id from unnest($8::text[]) as n (key_id)),
         before as (
            select u.key_id, u.last_used_at, a.at, a.ip, r.key_id is not null as is_refused
              from api_key_last_use u
              left join accepted a on a.key_id = u.key_id
              left join refused r on r.key_id = u.key_id
             where u.key_id = any($1) or u.key_id = any($8)
             order by u.key_id for no key update of u),
         written as (
            update api_key_last_use u
               set last_used_at = greatest(b.last_used_at, b.at),
                   last_used_ip = case when b.at > coalesce(b.last_used_at, '-infinity') then b.ip
                                       else u.last_used_ip end,
                   last_refused_at = case when b.is_refused then greatest(u.last_refused_at, $9)
                                          else u.last_refused_at end
              from before b
             where u.key_id = b.key_id),
         counted as (
            insert into api_key_usage as u (key_id, hour, outcome, uses)
            select k.key_id, n.hour, n.outcome, sum(n.uses)
              from unnest($4::text[], $5::timestamptz[], $6::text[], $7::bigint[]) as n (key_id, hour, outcome, uses)
              join api_keys k on k.key_id = n.key_id
             group by 1, 2, 3
             order by 1, 2, 3
            on conflict (key_id, hour, outcome) do update set uses = u.uses + excluded.uses)
         select key_id, at from before where last_used_at is null and at is not null",
    )
    .bind(&batch.last_key_ids)
    .bind(&batch.last_times)
    .bind(&batch.last_addresses)
    .bind(&batch.key_ids)
    .bind(&batch.hours)
    .bind(&batch.outcomes)
    .bind(&batch.counts)
    .bind(&batch.refused_key_ids)
    .bind(now)
    .fetch_all(&mut *connection)
    .await?;
    if first_uses.is_empty() {
        return Ok(());
    }
    process_first_uses(connection, first_uses).await
}

/// Processes keys' first acceptances in the transaction that records them, so that a crash cannot separate
/// the two: starts waiting grace periods, notifies partners and updates consoles. Starting a grace period
/// never extends it: `retires_at` is the latest end, set by the rotation.
async fn process_first_uses(
    connection: &mut PgConnection,
    first_uses: Vec<(String, DateTime<Utc>)>,
) -> sqlx::Result<()> {
    let (key_ids, times): (Vec<String>, Vec<DateTime<Utc>>) = first_uses.into_iter().unzip();
    // Same lock order as bulk actions, to prevent deadlocks.
    sqlx::query(
        "with first_uses as (
            select key_id, at from unnest($1::text[], $2::timestamptz[]) as n (key_id, at)),
         waiting as (
            select rotated.key_id, used.at
              from first_uses used
              join api_keys successor on successor.key_id = used.key_id
              join api_keys rotated
                on rotated.lineage = successor.lineage and rotated.generation < successor.generation
             where rotated.grace_starts = 'first_use' and rotated.grace_started_at is null
             order by rotated.lineage, rotated.generation for no key update of rotated),
         begun as (
            update api_keys rotated
               set grace_started_at = w.at,
                   retires_at = least(rotated.retires_at, w.at + make_interval(secs => rotated.grace_seconds))
              from (select key_id, min(at) as at from waiting group by key_id) w
             where rotated.key_id = w.key_id),
         notified as (
            insert into notices (kind, partner_id, key_id, at, data)
            select 'key.first_used', k.partner_id, k.key_id, used.at,
                   jsonb_build_object('name', k.name, 'environment', k.environment,
                                      'rotatedFrom', k.rotated_from)
              from first_uses used join api_keys k on k.key_id = used.key_id)
         select pg_notify($3, '')",
    )
    .bind(key_ids)
    .bind(times)
    .bind(changes::SHOWN)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Uses of a key in an interval, by outcome.
#[derive(Clone, Copy, Debug, FromRow, PartialEq, Eq)]
pub struct UsesRow {
    /// Start of the interval.
    pub at: DateTime<Utc>,
    pub accepted: i64,
    pub rate_limited: i64,
    /// Uses refused for other reasons than the rate.
    pub refused: i64,
}

/// Interval over which uses are summed.
#[derive(Clone, Copy, Debug)]
pub enum Interval {
    Hour,
    Day,
}

impl Interval {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// A key's uses since a time, by hour or by day (UTC), without empty intervals.
pub async fn uses(
    connection: &mut PgConnection,
    key_id: &KeyId,
    since: DateTime<Utc>,
    interval: Interval,
) -> sqlx::Result<Vec<UsesRow>> {
    sqlx::query_as(
        "select date_trunc($3, hour, 'UTC') as at,
                coalesce(sum(uses) filter (where outcome = 'accepted'), 0)::bigint as accepted,
                coalesce(sum(uses) filter (where outcome = 'rate_limited'), 0)::bigint as rate_limited,
                coalesce(sum(uses) filter (where outcome not in ('accepted', 'rate_limited')), 0)::bigint as refused
           from api_key_usage
          where key_id = $1 and hour >= $2
          group by 1
          order by 1",
    )
    .bind(key_id.as_str())
    .bind(since)
    .bind(interval.as_str())
    .fetch_all(connection)
    .await
}

/// Uses of many keys since an hour: the key, the hour and the count.
pub async fn uses_of_many(
    connection: &mut PgConnection,
    key_ids: &[&str],
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<(String, DateTime<Utc>, i64)>> {
    sqlx::query_as(
        "select key_id, hour, sum(uses)::bigint from api_key_usage
          where key_id = any($1) and hour >= $2 group by 1, 2",
    )
    .bind(key_ids)
    .bind(since)
    .fetch_all(connection)
    .await
}
