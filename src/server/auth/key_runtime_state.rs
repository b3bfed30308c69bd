//! A key's state in this process, kept across re-reads of its row: its rate bucket, and its uses since
//! the last write.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use strum::VariantArray;

use super::rate::Bucket;
use crate::domain::token::KeyId;
use crate::domain::usage::Outcome;

const HOUR_MICROS: i64 = 3_600_000_000;

/// Uses by outcome, in the order of [`Outcome::VARIANTS`].
pub type Counts = [u32; Outcome::VARIANTS.len()];

#[derive(Debug)]
pub struct KeyRuntimeState {
    pub key_id: KeyId,
    pub bucket: Bucket,
    /// True if used since the cache's hand last passed: the cache spares it once.
    pub visited: AtomicBool,
    uses: Mutex<Uses>,
}

#[derive(Debug, Default)]
struct Uses {
    /// The last acceptance, in microseconds since the epoch; 0 for none.
    last_at: i64,
    last_from: Option<IpAddr>,
    /// Hours since the epoch.
    hour: i32,
    counts: Counts,
    /// Hours that ended since the last write; usually none.
    ended: Option<Box<Ended>>,
    /// True if the key is queued for the next write.
    queued: bool,
    first: FirstUse,
}

type Ended = Vec<(i32, Counts)>;

/// The state of a key's first acceptance ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FirstUse {
    #[default]
    None,
    Queued,
    Written,
}

/// The queues that a recorded use puts its key into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToWrite {
    pub batch: bool,
    /// The key's first acceptance is written immediately.
    pub immediately: bool,
}

/// A key's uses, taken to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The last acceptance and its address.
    pub last: Option<(DateTime<Utc>, Option<IpAddr>)>,
    current: Option<(i32, Counts)>,
    ended: Option<Box<Ended>>,
}

impl Taken {
    /// Counts by hour since the epoch.
    pub fn hours(&self) -> impl Iterator<Item = &(i32, Counts)> {
        let ended = self.ended.iter().flat_map(|ended| ended.iter());
        ended.chain(&self.current)
    }
}

impl KeyRuntimeState {
    /// `used_before`: the database has recorded an acceptance.
    pub fn new(key_id: KeyId, used_before: bool) -> Self {
        let first = if used_before {
            FirstUse::Written
        } else {
            FirstUse::None
        };
        Self {
            key_id,
            bucket: Bucket::default(),
            visited: AtomicBool::new(false),
            uses: Mutex::new(Uses {
                first,
                ..Uses::default()
            }),
        }
    }

    /// Counts a use.
    pub fn record(&self, outcome: Outcome, now: DateTime<Utc>, client: Option<IpAddr>) -> ToWrite {
        let mut uses = self.uses.lock();
        let at = now.timestamp_micros();
        uses.count(hour_of(at), outcome, 1);
        let mut to_write = ToWrite {
            batch: !uses.queued,
            immediately: false,
        };
        uses.queued = true;
        if outcome == Outcome::Accepted {
            uses.accepted(at, client);
            if uses.first == FirstUse::None {
                uses.first = FirstUse::Queued;
                to_write.immediately = true;
            }
        }
        to_write
    }

    /// Takes the uses to be written. A later use queues the key again.
    pub fn take(&self) -> Taken {
        let mut uses = self.uses.lock();
        uses.queued = false;
        let ended = uses.ended.take();
        let counts = std::mem::take(&mut uses.counts);
        let current = (counts != Counts::default()).then_some((uses.hour, counts));
        let at = std::mem::take(&mut uses.last_at);
        let last = (at != 0)
            .then(|| DateTime::from_timestamp_micros(at))
            .flatten();
        Taken {
            last: last.map(|at| (at, uses.last_from)),
            current,
            ended,
        }
    }

    /// Confirms that `taken` has been written.
    pub fn written(&self, taken: &Taken) {
        if taken.last.is_some() {
            self.uses.lock().first = FirstUse::Written;
        }
    }

    /// Puts back what could not be written; true if the key has to be queued again.
    pub fn give_back(&self, taken: &Taken) -> bool {
        let mut uses = self.uses.lock();
        for (hour, counts) in taken.hours() {
            for (outcome, count) in Outcome::VARIANTS.iter().copied().zip(*counts) {
                if count > 0 {
                    uses.count(*hour, outcome, count);
                }
            }
        }
        if let Some((at, client)) = taken.last {
            uses.accepted(at.timestamp_micros(), client);
        }
        !std::mem::replace(&mut uses.queued, true)
    }
}

fn hour_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(HOUR_MICROS)).unwrap_or(i32::MAX)
}

impl Uses {
    /// Records an acceptance, unless a later one is known.
    fn accepted(&mut self, at: i64, client: Option<IpAddr>) {
        if self.last_at < at {
            self.last_at = at;
            self.last_from = client;
        }
    }

    fn count(&mut self, hour: i32, outcome: Outcome, count: u32) {
        if self.hour != hour {
            let counts = std::mem::take(&mut self.counts);
            if counts != Counts::default() {
                self.ended.get_or_insert_default().push((self.hour, counts));
            }
            self.hour = hour;
        }
        let slot = &mut self.counts[outcome as usize];
        *slot = slot.saturating_add(count);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn uses_are_counted_by_hour_and_the_last_moves_forward_only() {
        let state = KeyRuntimeState::new(KeyId::parse("mpk_1").unwrap(), false);
        let first = state.record(Outcome::Accepted, at(7_190), None);
        assert_eq!((first.batch, first.immediately), (true, true));
        let again = state.record(Outcome::Accepted, at(7_100), None);
        assert_eq!(again, ToWrite::default());
        state.record(Outcome::RateLimited, at(7_200), None);
        let taken = state.take();
        assert_eq!(taken.last, Some((at(7_190), None)));
        let hours: Vec<_> = taken.hours().collect();
        assert_eq!(hours.len(), 2);
        assert_eq!((hours[0].0, hours[0].1[0]), (1, 2));
        assert_eq!((hours[1].0, hours[1].1[1]), (2, 1));

        // A failed write is put back beside later uses.
        state.record(Outcome::Accepted, at(7_201), None);
        assert!(!state.give_back(&taken));
        let both = state.take();
        assert_eq!(both.last, Some((at(7_201), None)));
        let total: u32 = both.hours().flat_map(|(_, counts)| counts).sum();
        assert_eq!(total, 4);
        state.written(&both);
        assert!(
            !state
                .record(Outcome::Accepted, at(7_202) + TimeDelta::hours(1), None)
                .immediately
        );
    }
}
