//! A key's page, and the sparklines of a list of keys.

use std::collections::HashMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::keys::KeyService;
use crate::domain::error::{AppResult, Missing};
use crate::domain::key::KeyView;
use crate::domain::key_details::KeyDetails;
use crate::domain::list::EventQuery;
use crate::domain::page::PageRequest;
use crate::domain::usage::{SPARKLINE_HOURS, Uses, UsesOverTime};
use crate::server::store::keys;
use crate::server::store::usage::{self, Interval, UsesRow};

const HOURS: i32 = 48;
const DAYS: i32 = 30;
/// Keys of a lineage that a key's page shows at most.
const MAX_LINEAGE: i64 = 12;
/// Events that a key's page shows at most.
const MAX_EVENTS: i64 = 10;

impl KeyService {
    /// Returns everything about a key.
    pub async fn details(&self, key_id: &str) -> AppResult<KeyDetails> {
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        let row = keys::find(&mut connection, key_id).await?;
        let key = row.ok_or(Missing::KeyNotFound)?.view(now)?;
        let id = &key.key_id;
        let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
        let (this_hour, today) = (begin(now, hour), begin(now, day));
        let hours = usage::uses(
            &mut connection,
            id,
            this_hour - hour * (HOURS - 1),
            Interval::Hour,
        )
        .await?;
        let days =
            usage::uses(&mut connection, id, today - day * (DAYS - 1), Interval::Day).await?;
        let lineage = keys::lineage(&mut connection, id, MAX_LINEAGE).await?;
        let lineage: sqlx::Result<Vec<KeyView>> =
            lineage.into_iter().map(|row| row.view(now)).collect();
        drop(connection);
        let events = EventQuery {
            key_id: Some(id.clone()),
            partner_id: None,
            actor: None,
            action: None,
            since: None,
            until: None,
            page: PageRequest {
                limit: MAX_EVENTS,
                from: None,
            },
        };
        let events = self.audit.list_described(&events).await?;
        Ok(KeyDetails {
            hours: UsesOverTime::fill(&plain(hours), this_hour, hour, HOURS),
            days: UsesOverTime::fill(&plain(days), today, day, DAYS),
            lineage: lineage?,
            more_events: events.next_cursor.is_some(),
            events: events.items,
            key,
        })
    }

    /// Returns the uses of each key in each of the last hours, in the order of `keys`.
    pub async fn recent_uses(&self, keys: &[KeyView]) -> AppResult<Vec<[i64; SPARKLINE_HOURS]>> {
        let hour = TimeDelta::hours(1);
        let last = begin(self.core.now(), hour);
        let first = last - hour * (SPARKLINE_HOURS as i32 - 1);
        let ids: Vec<&str> = keys.iter().map(|key| key.key_id.as_str()).collect();
        let mut connection = self.core.pool.acquire().await?;
        let uses = usage::uses_of_many(&mut connection, &ids, first).await?;
        let mut by_key: HashMap<String, [i64; SPARKLINE_HOURS]> = HashMap::new();
        for (key_id, at, count) in uses {
            let hour = usize::try_from((at - first).num_hours()).unwrap_or(SPARKLINE_HOURS);
            let hours = by_key.entry(key_id).or_insert([0; SPARKLINE_HOURS]);
            if let Some(place) = hours.get_mut(hour) {
                *place = count;
            }
        }
        let hours = |id: &&str| by_key.remove(*id).unwrap_or([0; SPARKLINE_HOURS]);
        Ok(ids.iter().map(hours).collect())
    }
}

/// Start of the hour or the day (UTC).
fn begin(at: DateTime<Utc>, length: TimeDelta) -> DateTime<Utc> {
    at.duration_trunc(length).unwrap_or(at)
}

fn plain(rows: Vec<UsesRow>) -> Vec<Uses> {
    let plain = |row: UsesRow| Uses {
        at: row.at,
        accepted: row.accepted,
        rate_limited: row.rate_limited,
        refused: row.refused,
    };
    rows.into_iter().map(plain).collect()
}
