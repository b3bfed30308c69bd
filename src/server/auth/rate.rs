//! A key's rate limit: GCRA (the generic cell rate algorithm, ITU-T I.371) with a burst of a whole
//! minute's allowance, so that over any window at most burst + rate × time pass.
//!
//! The bucket is one number, the theoretical arrival time: when it will be full again. Requests update
//! it by compare-and-swap, without a lock.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Utc};

const SECOND: i64 = 1_000_000_000;

/// A key's bucket in this process; initially full.
#[derive(Debug, Default)]
pub struct Bucket(AtomicI64);

/// The remaining allowance, as the headers state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateState {
    /// Requests per minute, and the burst.
    pub quota: i32,
    /// Requests that may be made immediately, rounded down.
    pub left: i64,
    /// Seconds until the bucket is full, rounded up.
    pub full_in: i64,
}

/// The refusal of an empty bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    pub state: RateState,
    /// Seconds until one more request may pass, rounded up.
    pub retry_after: u32,
}

impl Bucket {
    /// Takes one unit at `now`, at a rate that may have changed since the last one. If none is left,
    /// nothing is taken.
    pub fn take(&self, per_minute: i32, now: DateTime<Utc>) -> Result<RateState, Limited> {
        let quota = per_minute.max(1);
        // Rounded up, so that the bucket never refills faster than promised.
        let interval = (60 * SECOND + i64::from(quota) - 1) / i64::from(quota);
        let whole = interval * i64::from(quota);
        let now = now.timestamp_micros().saturating_mul(1_000);
        let mut full_at = self.0.load(Ordering::Relaxed);
        loop {
            // After the clock was set back, the stored time can be impossible. The bucket then holds
            // exactly this request, so that nobody within their rate is refused.
            let begin = if full_at > now + whole + SECOND {
                now + whole - interval
            } else {
                full_at.clamp(now, now + whole)
            };
            let next = begin + interval;
            let over = next - now - whole;
            if over > 0 {
                let state = RateState {
                    quota,
                    left: 0,
                    full_in: seconds(begin - now),
                };
                let retry_after = u32::try_from(seconds(over)).unwrap_or(1);
                return Err(Limited { state, retry_after });
            }
            match self
                .0
                .compare_exchange_weak(full_at, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => {
                    return Ok(RateState {
                        quota,
                        left: -over / interval,
                        full_in: seconds(next - now),
                    });
                }
                Err(moved) => full_at = moved,
            }
        }
    }
}

/// Whole seconds, rounded up.
fn seconds(nanoseconds: i64) -> i64 {
    (nanoseconds + SECOND - 1) / SECOND
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_burst_then_the_rate() {
        let bucket = Bucket::default();
        let first = bucket.take(60, start()).unwrap();
        assert_eq!((first.quota, first.left, first.full_in), (60, 59, 1));
        for left in (0..59).rev() {
            assert_eq!(bucket.take(60, start()).unwrap().left, left);
        }
        let limited = bucket.take(60, start()).unwrap_err();
        assert_eq!(limited.retry_after, 1);
        assert_eq!((limited.state.left, limited.state.full_in), (0, 60));
        let almost = start() + TimeDelta::microseconds(999_999);
        assert!(bucket.take(60, almost).is_err());
        let second = start() + TimeDelta::seconds(1);
        assert_eq!(bucket.take(60, second).unwrap().left, 0);
        assert!(bucket.take(60, second).is_err());
        let full = start() + TimeDelta::minutes(5);
        assert_eq!(bucket.take(60, full).unwrap().left, 59);
    }

    #[test]
    fn over_any_window_no_more_than_burst_and_rate_pass() {
        for rate in [1, 7, 300, 9_999] {
            let bucket = Bucket::default();
            let mut passed = Vec::new();
            // Steps that fit no rate, for five minutes.
            let mut at = start();
            while at < start() + TimeDelta::minutes(5) {
                while bucket.take(rate, at).is_ok() {
                    passed.push(at);
                }
                at += TimeDelta::microseconds(1_234_567);
            }
            for window in [1, 30, 60, 200] {
                let window = TimeDelta::seconds(window);
                for (index, from) in passed.iter().enumerate().step_by(97) {
                    let count = passed[index..].partition_point(|at| *at - *from < window);
                    let most =
                        f64::from(rate) * (1.0 + window.num_milliseconds() as f64 / 60_000.0);
                    assert!(count as f64 <= most + 1.0, "{rate}: {count} > {most}");
                }
            }
        }
    }

    #[test]
    fn concurrent_requests_share_one_bucket() {
        let bucket = Bucket::default();
        let passed: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|_| {
                    scope.spawn(|| {
                        (0..50)
                            .filter(|_| bucket.take(300, start()).is_ok())
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(passed, 300);
    }

    #[test]
    fn a_changed_rate_applies_immediately_and_a_clock_set_back_locks_nobody_out() {
        let bucket = Bucket::default();
        for _ in 0..10 {
            bucket.take(10, start()).unwrap();
        }
        assert!(bucket.take(10, start()).is_err());
        let later = start() + TimeDelta::milliseconds(100);
        assert!(bucket.take(10, later).is_err());
        assert!(bucket.take(6_000, later).is_ok());
        let back = start() - TimeDelta::hours(2);
        assert_eq!(bucket.take(10, back).unwrap().left, 0);
        assert!(bucket.take(10, back).is_err());
        assert!(bucket.take(10, back + TimeDelta::seconds(6)).is_ok());
        let huge = Bucket::default().take(i32::MAX, start()).unwrap();
        assert!(huge.left > 2_000_000_000);
    }
}
