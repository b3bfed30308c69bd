//! Concurrent requests for the same work share one run of it.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::domain::error::AppResult;

/// Work in progress, by key.
#[derive(Debug)]
pub struct SingleFlight<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for SingleFlight<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> SingleFlight<K, V> {
    /// Joins the work for `key`, or starts it. If the caller doing the work is cancelled, a waiting
    /// one takes over. Errors are not shared: each caller tries again.
    pub async fn join<F>(&self, key: K, work: impl FnOnce() -> F) -> AppResult<V>
    where
        F: Future<Output = AppResult<V>>,
    {
        let cell = Arc::clone(self.0.lock().entry(key.clone()).or_default());
        let outcome = cell.get_or_try_init(work).await.cloned();
        let mut flights = self.0.lock();
        // Later callers start a new run.
        if flights
            .get(&key)
            .is_some_and(|current| Arc::ptr_eq(current, &cell))
        {
            flights.remove(&key);
        }
        outcome
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::domain::error::AppError;

    #[tokio::test]
    async fn concurrent_calls_share_a_success_but_no_error() {
        let flights = SingleFlight::<u8, u8>::default();
        let runs = AtomicUsize::new(0);
        let join = |outcome: AppResult<u8>| {
            flights.join(1, || async {
                runs.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                outcome
            })
        };
        let all = futures::future::join_all((0..20).map(|_| join(Ok(7)))).await;
        assert!(all.iter().all(|outcome| *outcome == Ok(7)));
        assert_eq!(runs.swap(0, Ordering::Relaxed), 1);
        let all = futures::future::join_all((0..3).map(|_| join(Err(AppError::Internal)))).await;
        assert!(all.iter().all(Result::is_err));
        assert_eq!(runs.load(Ordering::Relaxed), 3);
        assert!(flights.0.lock().is_empty());
    }
}
