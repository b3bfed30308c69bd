//! The limit on guesses at legacy keys.
//!
//! A legacy row has no check tag before its first success, so each guess costs a run of Argon2id.
//! Guesses are limited per (keyId, client address), and all of them together to a share of the pool,
//! so that they can't starve the keys that have tags.

use std::collections::HashMap;
use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;

use crate::domain::error::{AppError, AppResult};

/// Guesses at one key from one address within [`WINDOW`].
const MAX_GUESSES: u32 = 10;
const WINDOW: TimeDelta = TimeDelta::minutes(1);
/// Concurrent runs for all legacy keys together.
const MAX_RUNNING: usize = 2;
/// Above this, pairs with an expired window are dropped; if there are none, new pairs have to wait.
const MAX_PAIRS: usize = 10_000;

type Pair = (String, Option<IpAddr>);

#[derive(Debug, Default)]
pub struct LegacyLimiter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    guesses: HashMap<Pair, (DateTime<Utc>, u32)>,
    running: usize,
}

impl LegacyLimiter {
    /// Admits one guess, or returns [`AppError::RateLimited`].
    pub fn admit(
        &self,
        key_id: &str,
        client: Option<IpAddr>,
        now: DateTime<Utc>,
    ) -> AppResult<Attempt<'_>> {
        let mut state = self.0.lock();
        if state.running >= MAX_RUNNING {
            return Err(AppError::RateLimited { retry_after: 1 });
        }
        let pair = (key_id.to_owned(), client);
        if state.guesses.len() >= MAX_PAIRS && !state.guesses.contains_key(&pair) {
            state.guesses.retain(|_, (since, _)| now - *since < WINDOW);
            if state.guesses.len() >= MAX_PAIRS {
                return Err(AppError::RateLimited {
                    retry_after: wait(WINDOW),
                });
            }
        }
        let (since, count) = state.guesses.entry(pair.clone()).or_insert((now, 0));
        if now - *since >= WINDOW {
            (*since, *count) = (now, 0);
        }
        if *count >= MAX_GUESSES {
            return Err(AppError::RateLimited {
                retry_after: wait(WINDOW - (now - *since)),
            });
        }
        *count += 1;
        state.running += 1;
        Ok(Attempt {
            limiter: self,
            pair,
        })
    }
}

fn wait(left: TimeDelta) -> u32 {
    u32::try_from(left.num_seconds() + 1).unwrap_or(1).max(1)
}

/// A running guess; its place is freed when dropped.
#[derive(Debug)]
pub struct Attempt<'a> {
    limiter: &'a LegacyLimiter,
    pair: Pair,
}

impl Attempt<'_> {
    /// Forgets the pair's earlier guesses.
    pub fn succeeded(self) {
        self.limiter.0.lock().guesses.remove(&self.pair);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.limiter.0.lock().running -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_are_counted_by_key_and_address_until_the_window_ends_or_one_succeeds() {
        let limiter = LegacyLimiter::default();
        let now = DateTime::from_timestamp(1_000, 0).unwrap();
        let address = |last| Some(IpAddr::from([192, 0, 2, last]));
        for _ in 0..MAX_GUESSES {
            drop(limiter.admit("a", address(1), now).unwrap());
        }
        let refused = limiter
            .admit("a", address(1), now + TimeDelta::seconds(20))
            .unwrap_err();
        assert_eq!(refused, AppError::RateLimited { retry_after: 41 });
        limiter.admit("b", address(1), now).unwrap();
        limiter.admit("a", address(2), now).unwrap();
        limiter
            .admit("a", address(1), now + WINDOW)
            .unwrap()
            .succeeded();
        assert!(
            !limiter
                .0
                .lock()
                .guesses
                .contains_key(&("a".to_owned(), address(1)))
        );
    }

    #[test]
    fn concurrent_guesses_are_limited() {
        let limiter = LegacyLimiter::default();
        let now = DateTime::UNIX_EPOCH;
        let held: Vec<_> = (0..MAX_RUNNING)
            .map(|n| limiter.admit(&n.to_string(), None, now).unwrap())
            .collect();
        assert!(limiter.admit("other", None, now).is_err());
        drop(held);
        limiter.admit("other", None, now).unwrap();
    }
}
