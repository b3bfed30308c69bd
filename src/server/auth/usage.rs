//! Uses of keys, collected in memory and written in batches: no request waits for them.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use sqlx::{Connection, PgPool};
use strum::VariantArray;
use tokio::sync::Notify;

use super::key_runtime_state::{KeyRuntimeState, Taken};
use crate::domain::usage::Outcome;
use crate::server::clock::Clock;
use crate::server::store::usage::{self, UsageBatch};

/// Bounds the memory that a long database outage costs: further keys are not queued.
const MAX_QUEUED: usize = 200_000;

/// Keys per statement, so that a restart under load does not produce a statement of many megabytes.
const BATCH_SIZE: usize = 8_192;

/// The keys whose uses have not been written yet.
pub struct UsageLog {
    clock: Arc<dyn Clock>,
    batch: Queue,
    first_uses: Queue,
}

#[derive(Debug, Default)]
struct Queue {
    keys: Mutex<Vec<Arc<KeyRuntimeState>>>,
    arrived: Notify,
}

impl UsageLog {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            batch: Queue::default(),
            first_uses: Queue::default(),
        }
    }

    /// Counts a use of a key.
    pub fn record(
        &self,
        key: &Arc<KeyRuntimeState>,
        outcome: Outcome,
        now: DateTime<Utc>,
        client: Option<IpAddr>,
    ) {
        let to_write = key.record(outcome, now, client);
        if to_write.batch {
            self.batch.push(key);
        }
        if to_write.immediately {
            self.first_uses.push(key);
        }
    }

    /// Waits until a use has been recorded since the last batch.
    pub async fn arrived(&self) {
        self.batch.arrived.notified().await;
    }

    /// Waits until a key has been accepted for the first time ever.
    pub async fn first_arrived(&self) {
        self.first_uses.arrived.notified().await;
    }

    /// Writes one batch; true if more are waiting. On an error the batch stays queued.
    pub async fn flush(&self, pool: &PgPool) -> sqlx::Result<bool> {
        let (keys, more) = self.batch.drain();
        if !more {
            // The batch contains the first acceptances too.
            self.first_uses.clear();
        }
        self.write(pool, keys).await?;
        Ok(more)
    }

    /// Writes the first acceptances. On an error they wait for the next batch.
    pub async fn flush_first(&self, pool: &PgPool) -> sqlx::Result<()> {
        let (keys, _) = self.first_uses.drain();
        self.write(pool, keys).await
    }

    async fn write(&self, pool: &PgPool, keys: Vec<Arc<KeyRuntimeState>>) -> sqlx::Result<()> {
        let taken: Vec<(Arc<KeyRuntimeState>, Taken)> = keys
            .into_iter()
            .map(|key| {
                let taken = key.take();
                (key, taken)
            })
            .filter(|(_, taken)| *taken != Taken::default())
            .collect();
        if taken.is_empty() {
            return Ok(());
        }
        let written = async {
            let batch = batch_of(&taken);
            let mut connection = pool.acquire().await?;
            let mut transaction = connection.begin().await?;
            usage::record(&mut transaction, &batch, self.clock.now()).await?;
            transaction.commit().await?;
            // The connection would keep a buffer for its largest statement, megabytes.
            connection.shrink_buffers();
            Ok(())
        };
        let written = written.await;
        for (key, taken) in taken {
            if written.is_ok() {
                key.written(&taken);
            } else if key.give_back(&taken) {
                self.batch.push(&key);
            }
        }
        written
    }
}

impl Queue {
    fn push(&self, key: &Arc<KeyRuntimeState>) {
        let mut keys = self.keys.lock();
        let was_empty = keys.is_empty();
        if keys.len() < MAX_QUEUED {
            keys.push(Arc::clone(key));
        }
        drop(keys);
        if was_empty {
            self.arrived.notify_one();
        }
    }

    /// Takes one batch; true if more are waiting.
    fn drain(&self) -> (Vec<Arc<KeyRuntimeState>>, bool) {
        let mut keys = self.keys.lock();
        if keys.len() <= BATCH_SIZE {
            return (std::mem::take(&mut *keys), false);
        }
        let taken = keys.drain(..BATCH_SIZE).collect();
        drop(keys);
        self.arrived.notify_one();
        (taken, true)
    }

    /// Empties the queue and frees its memory.
    fn clear(&self) {
        *self.keys.lock() = Vec::new();
    }
}

fn batch_of(taken: &[(Arc<KeyRuntimeState>, Taken)]) -> UsageBatch<'_> {
    let mut batch = UsageBatch::default();
    for (key, taken) in taken {
        let key_id = key.key_id.as_str();
        if let Some((at, client)) = taken.last {
            batch.last_use(key_id, at, client);
        }
        for (hour, counts) in taken.hours() {
            for (outcome, count) in Outcome::VARIANTS.iter().copied().zip(counts) {
                if *count > 0 {
                    batch.uses(key_id, (*hour).into(), outcome, *count);
                }
            }
        }
    }
    batch
}
