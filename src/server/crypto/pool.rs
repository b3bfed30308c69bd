//! A bounded pool for Argon2 with a bounded queue.
//!
//! Each run takes some 20 ms of a core and 19 MiB. Without a bound, a burst of requests would exhaust the
//! memory; with it, requests beyond the queue are refused (503).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::secret::Memory;
use crate::domain::error::{AppError, AppResult};

/// Runs blocking hash work on a bounded number of threads.
#[derive(Clone)]
pub struct HashPool(Arc<Inner>);

struct Inner {
    running: Arc<Semaphore>,
    /// The share of `running` that bulk actions may take.
    low_priority: Arc<Semaphore>,
    /// Unused working memory, at most one for each concurrent run.
    spare: Mutex<Vec<Memory>>,
    admitted: AtomicUsize,
    max_admitted: usize,
    refused: AtomicU64,
}

/// How busy a pool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Runs in progress or waiting.
    pub admitted: u64,
    /// Maximum of `admitted`.
    pub max: u64,
    /// Runs refused so far because the queue was full.
    pub refused: u64,
}

/// Half of the threads, so that bulk actions leave the rest to requests.
fn share(threads: usize) -> usize {
    (threads / 2).max(1)
}

impl HashPool {
    /// Creates a pool of `threads` concurrent runs with at most `queue` waiting.
    pub fn new(threads: usize, queue: usize) -> Self {
        Self(Arc::new(Inner {
            running: Arc::new(Semaphore::new(threads)),
            low_priority: Arc::new(Semaphore::new(share(threads))),
            spare: Mutex::default(),
            admitted: AtomicUsize::new(0),
            max_admitted: threads + queue,
            refused: AtomicU64::new(0),
        }))
    }

    /// How busy it is.
    #[must_use]
    pub fn load(&self) -> Load {
        let admitted = self.0.admitted.load(Ordering::Relaxed);
        Load {
            admitted: admitted.min(self.0.max_admitted) as u64,
            max: self.0.max_admitted as u64,
            refused: self.0.refused.load(Ordering::Relaxed),
        }
    }

    /// Runs `work` on a blocking thread once one is free.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] at once where the queue is full; [`AppError::Internal`] where the
    /// work panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> AppResult<T> {
        let place = self.admit().ok_or(AppError::UNAVAILABLE)?;
        let permit = permit(&self.0.running).await?;
        self.spawn(work, (place, permit)).await
    }

    /// The same for work that can wait: it takes at most half of the threads and no place in the
    /// queue, so it is never refused.
    pub async fn run_low_priority<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> AppResult<T> {
        let share = permit(&self.0.low_priority).await?;
        let permit = permit(&self.0.running).await?;
        self.spawn(work, (share, permit)).await
    }

    /// Runs `work` on a blocking thread, which holds what it was admitted with: a caller that goes
    /// away frees no thread.
    async fn spawn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
        held: impl Send + 'static,
    ) -> AppResult<T> {
        let span = tracing::Span::current();
        let pool = Arc::clone(&self.0);
        let joined = tokio::task::spawn_blocking(move || {
            let _held = held;
            let mut memory = pool.spare.lock().pop().unwrap_or_default();
            let outcome = span.in_scope(|| work(&mut memory));
            pool.spare.lock().push(memory);
            outcome
        });
        joined.await.map_err(|error| {
            tracing::error!(panicked = error.is_panic(), "a hashing task did not finish");
            AppError::Internal
        })
    }

    fn admit(&self) -> Option<Place> {
        let inner = Arc::clone(&self.0);
        let admitted = inner.admitted.fetch_add(1, Ordering::Relaxed);
        let place = Place(inner);
        if admitted < place.0.max_admitted {
            return Some(place);
        }
        place.0.refused.fetch_add(1, Ordering::Relaxed);
        None
    }
}

async fn permit(semaphore: &Arc<Semaphore>) -> AppResult<OwnedSemaphorePermit> {
    Arc::clone(semaphore)
        .acquire_owned()
        .await
        .map_err(|_| AppError::UNAVAILABLE)
}

/// A place in the pool or its queue, given back when dropped.
struct Place(Arc<Inner>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.admitted.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_queue_refuses_and_a_free_place_serves_again() {
        let pool = HashPool::new(1, 1);
        let (release, blocked) = mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let running = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run(move |_| {
                    let _ = started.send(());
                    let _ = blocked.recv();
                })
                .await
            }
        });
        has_started.await.unwrap();
        let mut waiting = Box::pin(pool.run(|_| 1));
        assert!(futures_poll_once(&mut waiting).await.is_none());
        assert_eq!(pool.run(|_| 2).await, Err(AppError::UNAVAILABLE));
        release.send(()).unwrap();
        assert_eq!(waiting.await, Ok(1));
        running.await.unwrap().unwrap();
        assert_eq!(pool.run(|_| 3).await, Ok(3));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn low_priority_work_leaves_a_thread_and_takes_no_place_in_the_queue() {
        let pool = HashPool::new(2, 0);
        let (release, blocked) = mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let first = tokio::spawn({
            let pool = pool.clone();
            async move {
                pool.run_low_priority(move |_| {
                    let _ = started.send(());
                    let _ = blocked.recv();
                })
                .await
            }
        });
        has_started.await.unwrap();
        let mut second = Box::pin(pool.run_low_priority(|_| 1));
        assert!(futures_poll_once(&mut second).await.is_none());
        assert_eq!(pool.run(|_| 2).await, Ok(2));
        release.send(()).unwrap();
        assert_eq!(second.await, Ok(1));
        first.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let pool = HashPool::new(1, 0);
        assert_eq!(
            pool.run(|_| panic!("as planned")).await,
            Err::<(), _>(AppError::Internal)
        );
        assert_eq!(pool.run(|_| 1).await, Ok(1));
    }

    async fn futures_poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|cx| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(cx) {
                std::task::Poll::Ready(value) => Some(value),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
