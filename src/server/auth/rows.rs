//! Reading keys' rows for the guard: once for all who ask at a time, and not too many at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::SemaphorePermit;

use super::entry::Entry;
use super::live::Live;
use super::{Guard, MOST_TURNS};
use crate::domain::error::{AppError, AppResult};
use crate::domain::token::KeyId;
use crate::server::store::guard_rows::{self, GuardRow};

/// Requests that may wait for their row to be read.
const MOST_WAITING_READS: usize = 256;

/// A row that was read, with what is remembered of it from now on.
pub(super) type Loaded = Option<Arc<(Entry, GuardRow)>>;

impl Guard {
    /// Reads a key's row, once for all who ask while changes are heard of; `None` where there is
    /// no such key.
    pub(super) async fn load(&self, key_id: &str) -> AppResult<Loaded> {
        if self.link.is_live() {
            return self.loading.join(key_id.into(), || self.read(key_id)).await;
        }
        // A read that began earlier may have missed what this request has to obey.
        self.read(key_id).await
    }

    async fn read(&self, key_id: &str) -> AppResult<Loaded> {
        for _ in 0..MOST_TURNS {
            let before = self.marks.before_read(key_id);
            let row = {
                let _permit = self.permit_to_read().await?;
                let mut connection = self.pool.acquire().await?;
                guard_rows::find_for_guard(&mut connection, key_id).await?
            };
            let Some(row) = row else {
                self.absent.put(key_id, before);
                return Ok(None);
            };
            let Some(mark) = self.marks.after_read(before, row.partner_id) else {
                continue;
            };
            let known = match self.cache.get(key_id) {
                Some(known) => known,
                // From the first request on the bucket is shared, and wrong secrets are refused
                // from memory.
                None => {
                    let key_id = KeyId::parse(key_id).ok_or(AppError::Internal)?;
                    let live = Arc::new(Live::new(key_id, row.used_before));
                    self.cache
                        .put_new(Arc::new(Entry::new(&row, live, mark, None)))
                }
            };
            let entry = Entry::new(&row, Arc::clone(&known.live), mark, Some(&known));
            return Ok(Some(Arc::new((entry, row))));
        }
        Err(AppError::UNAVAILABLE)
    }

    async fn permit_to_read(&self) -> AppResult<SemaphorePermit<'_>> {
        let waiting = Waiting::enter(&self.reads_waiting);
        if waiting.0 > MOST_WAITING_READS {
            return Err(AppError::UNAVAILABLE);
        }
        self.reads
            .acquire()
            .await
            .map_err(|_| AppError::UNAVAILABLE)
    }
}

/// A place among those who wait, given back when dropped.
struct Waiting<'a>(usize, &'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        Self(count.fetch_add(1, Ordering::Relaxed), count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}
