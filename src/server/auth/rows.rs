//! Reading keys' rows: once for concurrent requests of the same key, and a bounded number at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::SemaphorePermit;

use super::Guard;
use super::entry::Entry;
use super::key_runtime_state::KeyRuntimeState;
use super::verify::MAX_RETRIES;
use crate::domain::error::{AppError, AppResult};
use crate::domain::token::KeyId;
use crate::server::store::guard_rows::{self, GuardRow};

const MAX_WAITING_READS: usize = 256;

/// A row, with the entry to cache for it; `None` for an unknown id.
pub(super) type Loaded = Option<Arc<(Entry, GuardRow)>>;

impl Guard {
    /// Reads a key's row.
    pub(super) async fn load(&self, key_id: &str) -> AppResult<Loaded> {
        if self.listener_health.is_live() {
            return self.loading.join(key_id.into(), || self.read(key_id)).await;
        }
        // Without a live listener, a read that began before this request may miss a change that this
        // request has to obey.
        self.read(key_id).await
    }

    async fn read(&self, key_id: &str) -> AppResult<Loaded> {
        for _ in 0..MAX_RETRIES {
            let before = self.versions.before_read(key_id);
            let row = {
                let _permit = self.permit_to_read().await?;
                let mut connection = self.pool.acquire().await?;
                guard_rows::find_for_guard(&mut connection, key_id).await?
            };
            let Some(row) = row else {
                self.unknown_ids.put(key_id, before);
                return Ok(None);
            };
            let Some(version) = self.versions.after_read(before, row.partner_id) else {
                continue;
            };
            let known = match self.cache.get(key_id) {
                Some(known) => known,
                // Cached before verification: concurrent requests share the bucket, and wrong secrets
                // are refused from memory.
                None => {
                    let key_id = KeyId::parse(key_id).ok_or(AppError::Internal)?;
                    let runtime = Arc::new(KeyRuntimeState::new(key_id, row.used_before));
                    self.cache
                        .put_new(Arc::new(Entry::new(&row, runtime, version, None)))
                }
            };
            let entry = Entry::new(&row, Arc::clone(&known.runtime), version, Some(&known));
            return Ok(Some(Arc::new((entry, row))));
        }
        Err(AppError::UNAVAILABLE)
    }

    async fn permit_to_read(&self) -> AppResult<SemaphorePermit<'_>> {
        let waiting = Waiting::enter(&self.reads_waiting);
        if waiting.0 > MAX_WAITING_READS {
            return Err(AppError::UNAVAILABLE);
        }
        self.reads
            .acquire()
            .await
            .map_err(|_| AppError::UNAVAILABLE)
    }
}

/// A place in the queue, freed when dropped.
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
