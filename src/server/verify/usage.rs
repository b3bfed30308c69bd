//! Uses, gathered in memory and written in batches: a request never waits for them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;

use crate::domain::token::KeyId;
use crate::server::db::keys;

/// Keys whose last use waits to be written; beyond it a new one is not remembered, so that a
/// database that is away for long costs no more than this.
const MOST_WAITING: usize = 100_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LastUse {
    at: DateTime<Utc>,
    client: Option<IpAddr>,
}

/// The last use of each key since the last write.
#[derive(Debug, Default)]
pub struct UsageLog {
    waiting: Mutex<HashMap<KeyId, LastUse>>,
    arrived: Notify,
}

impl UsageLog {
    /// Remembers an accepted use.
    pub fn record(&self, key_id: &KeyId, at: DateTime<Utc>, client: Option<IpAddr>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = waiting.is_empty();
        remember(&mut waiting, key_id.clone(), LastUse { at, client });
        drop(waiting);
        if was_empty {
            self.arrived.notify_one();
        }
    }

    /// Waits until something was recorded since the last write.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Writes what waits, in one statement. What could not be written goes on waiting.
    ///
    /// # Errors
    /// The database's.
    pub async fn flush(&self, pool: &PgPool) -> sqlx::Result<()> {
        let batch =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        if batch.is_empty() {
            return Ok(());
        }
        let written = write(pool, &batch).await;
        if written.is_err() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            for (key_id, last_use) in batch {
                remember(&mut waiting, key_id, last_use);
            }
            drop(waiting);
            self.arrived.notify_one();
        }
        written
    }
}

fn remember(waiting: &mut HashMap<KeyId, LastUse>, key_id: KeyId, last_use: LastUse) {
    if let Some(known) = waiting.get_mut(&key_id) {
        if last_use.at > known.at {
            *known = last_use;
        }
    } else if waiting.len() < MOST_WAITING {
        waiting.insert(key_id, last_use);
    }
}

async fn write(pool: &PgPool, batch: &HashMap<KeyId, LastUse>) -> sqlx::Result<()> {
    let mut key_ids = Vec::with_capacity(batch.len());
    let mut times = Vec::with_capacity(batch.len());
    let mut addresses = Vec::with_capacity(batch.len());
    for (key_id, last_use) in batch {
        key_ids.push(key_id.as_str().to_owned());
        times.push(last_use.at);
        addresses.push(last_use.client.map(|client| client.to_string()));
    }
    let mut connection = pool.acquire().await?;
    keys::record_last_uses(&mut connection, &key_ids, &times, &addresses).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_moves_forward_only() {
        let log = UsageLog::default();
        let key_id = KeyId::parse("mpk_1").unwrap();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        log.record(&key_id, at(20), None);
        log.record(&key_id, at(10), Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(
            log.waiting.lock().unwrap()[&key_id],
            LastUse {
                at: at(20),
                client: None
            }
        );
    }
}
