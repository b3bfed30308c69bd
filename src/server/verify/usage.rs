//! Uses, gathered in memory and written in batches: a request never waits for them.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use sqlx::{Connection, PgPool};
use tokio::sync::Notify;

use super::live::{Live, Taken};
use crate::domain::usage::Outcome;
use crate::server::clock::Clock;
use crate::server::db::usage::{self, UsageBatch};

/// Keys whose uses may wait; beyond it new ones are not remembered, so that a database that is away
/// for long costs no more than this.
const MOST_WAITING: usize = 200_000;

/// Keys that one statement writes: what a restart under load brings at once must not become one
/// statement of many megabytes.
const MOST_AT_ONCE: usize = 8_192;

/// The keys whose uses wait to be written.
pub struct UsageLog {
    clock: Arc<dyn Clock>,
    batch: Queue,
    at_once: Queue,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Vec<Arc<Live>>>,
    arrived: Notify,
}

impl UsageLog {
    /// Nothing waits yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            batch: Queue::default(),
            at_once: Queue::default(),
        }
    }

    /// Counts a use of a key.
    pub fn record(
        &self,
        live: &Arc<Live>,
        outcome: Outcome,
        now: DateTime<Utc>,
        client: Option<IpAddr>,
    ) {
        let to_write = live.record(outcome, now, client);
        if to_write.batch {
            self.batch.push(live);
        }
        if to_write.at_once {
            self.at_once.push(live);
        }
    }

    /// Waits until something was recorded since the last batch.
    pub async fn arrived(&self) {
        self.batch.arrived.notified().await;
    }

    /// Waits until a key was accepted for the very first time.
    pub async fn first_arrived(&self) {
        self.at_once.arrived.notified().await;
    }

    /// Writes what waits, in one transaction; whether more waits than one can take. What could not be
    /// written goes on waiting.
    ///
    /// # Errors
    /// The database's.
    pub async fn flush(&self, pool: &PgPool) -> sqlx::Result<bool> {
        let (keys, more) = self.batch.drain();
        if !more {
            // First acceptances are in the batch too.
            self.at_once.clear();
        }
        self.write(pool, keys, &self.batch).await?;
        Ok(more)
    }

    /// Writes the first acceptances, in one transaction.
    ///
    /// # Errors
    /// The database's; then they wait for the next batch.
    pub async fn flush_first(&self, pool: &PgPool) -> sqlx::Result<()> {
        let (keys, _) = self.at_once.drain();
        self.write(pool, keys, &self.batch).await
    }

    async fn write(&self, pool: &PgPool, keys: Vec<Arc<Live>>, again: &Queue) -> sqlx::Result<()> {
        let taken: Vec<(Arc<Live>, Taken)> = keys
            .into_iter()
            .map(|live| {
                let taken = live.take();
                (live, taken)
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
            // A connection would keep the megabytes of its largest statement.
            connection.shrink_buffers();
            Ok(())
        };
        let written = written.await;
        for (live, taken) in taken {
            if written.is_ok() {
                live.written(&taken);
            } else if live.give_back(&taken) {
                again.push(&live);
            }
        }
        written
    }
}

impl Queue {
    fn push(&self, live: &Arc<Live>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let was_empty = waiting.is_empty();
        if waiting.len() < MOST_WAITING {
            waiting.push(Arc::clone(live));
        }
        drop(waiting);
        if was_empty {
            self.arrived.notify_one();
        }
    }

    /// Takes as many as one statement writes; whether more wait.
    fn drain(&self) -> (Vec<Arc<Live>>, bool) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() <= MOST_AT_ONCE {
            return (std::mem::take(&mut *waiting), false);
        }
        let taken = waiting.drain(..MOST_AT_ONCE).collect();
        drop(waiting);
        self.arrived.notify_one();
        (taken, true)
    }

    /// Forgets all that wait, and gives back the room that they took.
    fn clear(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Vec::new();
    }
}

fn batch_of(taken: &[(Arc<Live>, Taken)]) -> UsageBatch<'_> {
    let mut batch = UsageBatch::default();
    for (live, taken) in taken {
        let key_id = live.key_id.as_str();
        if let Some((at, client)) = taken.last {
            batch.last_use(key_id, at, client);
        }
        for (hour, counts) in taken.hours() {
            for (outcome, count) in Outcome::ALL.into_iter().zip(counts) {
                if *count > 0 {
                    batch.uses(key_id, (*hour).into(), outcome, *count);
                }
            }
        }
    }
    batch
}
