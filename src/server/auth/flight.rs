//! The same work asked for many times at once is done once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::domain::error::AppResult;

/// Work under way, by what it is about.
#[derive(Debug)]
pub struct Flights<K, V>(Mutex<HashMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Flights<K, V> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Flights<K, V> {
    /// Joins the work on `about`, or begins it. Should the caller who does it go away, the next one
    /// does. A failure is nobody else's: each caller tries again.
    ///
    /// # Errors
    /// The work's.
    pub async fn join<F>(&self, about: K, work: impl FnOnce() -> F) -> AppResult<V>
    where
        F: Future<Output = AppResult<V>>,
    {
        let cell = Arc::clone(self.lock().entry(about.clone()).or_default());
        let outcome = cell.get_or_try_init(work).await.cloned();
        let mut flights = self.lock();
        // Whoever comes from here on begins anew.
        if flights
            .get(&about)
            .is_some_and(|known| Arc::ptr_eq(known, &cell))
        {
            flights.remove(&about);
        }
        outcome
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<K, Arc<OnceCell<V>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::domain::error::AppError;

    #[tokio::test]
    async fn many_at_once_are_one_and_failures_are_not_shared() {
        let flights = Flights::<u8, u8>::default();
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
        assert!(flights.lock().is_empty());
    }
}
