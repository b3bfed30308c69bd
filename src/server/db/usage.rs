//! Tables `api_key_last_use` and `api_key_usage`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

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
        self.outcomes.push(outcome.as_str());
        self.counts.push(count.into());
    }
}

/// Writes a batch, in one statement. A later use that is there already stays; counts are added.
pub async fn record(connection: &mut PgConnection, batch: &UsageBatch<'_>) -> sqlx::Result<()> {
    // The joins drop keys that are gone; the order keeps two instances from deadlocking.
    sqlx::query(
        "with last as (
            insert into api_key_last_use as u (key_id, last_used_at, last_used_ip)
            select k.key_id, n.at, n.ip::inet
              from unnest($1::text[], $2::timestamptz[], $3::text[]) as n (key_id, at, ip)
              join api_keys k on k.key_id = n.key_id
             order by k.key_id
            on conflict (key_id) do update
               set last_used_at = excluded.last_used_at, last_used_ip = excluded.last_used_ip
             where excluded.last_used_at > u.last_used_at)
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
    .execute(connection)
    .await
    .map(|_| ())
}
