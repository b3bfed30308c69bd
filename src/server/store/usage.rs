//! Tables `api_key_last_use`, `api_key_last_refusal` and `api_key_usage`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};

use crate::domain::token::KeyId;
use crate::domain::usage::Outcome;

/// Uses of many keys, column by column.
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

    /// Adds a key's uses of one outcome in one hour, counted from the epoch.
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

/// Writes a batch, in one statement. A later use that is there already stays; counts are added.
/// Refusals are as of `now`: they are a second old at most.
pub async fn record(
    connection: &mut PgConnection,
    batch: &UsageBatch<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // The joins drop keys that are gone; the order keeps two instances from deadlocking.
    sqlx::query(
        "with last as (
            insert into api_key_last_use as u (key_id, partner_id, last_used_at, last_used_ip)
            select k.key_id, k.partner_id, n.at, n.ip::inet
              from unnest($1::text[], $2::timestamptz[], $3::text[]) as n (key_id, at, ip)
              join api_keys k on k.key_id = n.key_id
             order by k.key_id
            on conflict (key_id) do update
               set last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip
             where excluded.last_used_at > u.last_used_at),
         refused as (
            insert into api_key_last_refusal as r (key_id, last_refused_at)
            select distinct k.key_id, $9::timestamptz
              from unnest($8::text[]) as n (key_id) join api_keys k on k.key_id = n.key_id
             order by k.key_id
            on conflict (key_id) do update set last_refused_at = excluded.last_refused_at
             where excluded.last_refused_at > r.last_refused_at)
         insert into api_key_usage as u (key_id, hour, outcome, uses)
         select k.key_id, n.hour, n.outcome, sum(n.uses)
           from unnest($4::text[], $5::timestamptz[], $6::text[], $7::bigint[]) as n (key_id, hour, outcome, uses)
           join api_keys k on k.key_id = n.key_id
          group by 1, 2, 3
          order by 1, 2, 3
         on conflict (key_id, hour, outcome) do update set uses = u.uses + excluded.uses",
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
    .execute(connection)
    .await
    .map(|_| ())
}

/// Uses of a key in a span of time, the outcomes apart.
#[derive(Clone, Copy, Debug, FromRow, PartialEq, Eq)]
pub struct UsesRow {
    /// When the span begins.
    pub at: DateTime<Utc>,
    /// Uses that were accepted.
    pub accepted: i64,
    /// Uses beyond the rate.
    pub rate_limited: i64,
    /// Uses that were refused.
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

/// A key's uses from a moment on, by hour or by day (UTC), without the spans that have none.
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

/// What was asked of many keys from an hour on: the key, the hour, and how often.
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
