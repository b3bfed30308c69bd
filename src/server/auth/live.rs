//! What lives as long as a key is known in this process, however often its row is read again: its
//! rate bucket, and its uses since the last write.

use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use strum::VariantArray;

use super::rate::Bucket;
use crate::domain::token::KeyId;
use crate::domain::usage::Outcome;

const HOUR_MICROS: i64 = 3_600_000_000;

/// Uses by outcome, in the order of [`Outcome::VARIANTS`].
pub type Counts = [u32; Outcome::VARIANTS.len()];

/// A key's state in this process.
#[derive(Debug)]
pub struct Live {
    /// The key.
    pub key_id: KeyId,
    /// Its rate.
    pub bucket: Bucket,
    /// Whether the cache should spare it at its next round.
    pub visited: AtomicBool,
    uses: Mutex<Uses>,
}

#[derive(Debug, Default)]
struct Uses {
    /// The last acceptance, in microseconds since the epoch; 0 for none.
    last_at: i64,
    /// The address that it came from.
    last_from: Option<IpAddr>,
    /// Hours since the epoch.
    hour: i32,
    counts: Counts,
    /// Hours that have ended since the last write; nearly always none.
    ended: Option<Box<Ended>>,
    /// Whether the key waits to be written.
    waiting: bool,
    first: First,
}

type Ended = Vec<(i32, Counts)>;

/// Where a key's very first acceptance stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum First {
    /// None is written, and none was accepted.
    #[default]
    Outstanding,
    /// It was accepted and waits to be written at once.
    Announced,
    /// It is written.
    Durable,
}

/// What has to be done about a use that was just recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToWrite {
    /// The key begins to wait for the next batch.
    pub batch: bool,
    /// It is the key's first acceptance: at once.
    pub at_once: bool,
}

/// A key's uses, taken to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The last acceptance and the address it came from.
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

impl Live {
    /// A key that was not used in this process yet; `used_before` tells whether its row knows of an
    /// acceptance.
    #[must_use]
    pub fn new(key_id: KeyId, used_before: bool) -> Self {
        let first = if used_before {
            First::Durable
        } else {
            First::Outstanding
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
        let mut uses = self.lock();
        let at = now.timestamp_micros();
        uses.count(hour_of(at), outcome, 1);
        let mut to_write = ToWrite {
            batch: !uses.waiting,
            at_once: false,
        };
        uses.waiting = true;
        if outcome == Outcome::Accepted {
            uses.accepted(at, client);
            if uses.first == First::Outstanding {
                uses.first = First::Announced;
                to_write.at_once = true;
            }
        }
        to_write
    }

    /// Takes what waits. A later use makes the key wait anew.
    #[must_use]
    pub fn take(&self) -> Taken {
        let mut uses = self.lock();
        uses.waiting = false;
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

    /// What was taken has been written.
    pub fn written(&self, taken: &Taken) {
        if taken.last.is_some() {
            self.lock().first = First::Durable;
        }
    }

    /// What was taken could not be written: it goes on waiting. Whether the key has to be queued
    /// again.
    pub fn give_back(&self, taken: &Taken) -> bool {
        let mut uses = self.lock();
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
        !std::mem::replace(&mut uses.waiting, true)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Uses> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hour_of(micros: i64) -> i32 {
    i32::try_from(micros.div_euclid(HOUR_MICROS)).unwrap_or(i32::MAX)
}

impl Uses {
    /// Notes an acceptance, unless a later one is known.
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
        let live = Live::new(KeyId::parse("mpk_1").unwrap(), false);
        let first = live.record(Outcome::Accepted, at(7_190), None);
        assert_eq!((first.batch, first.at_once), (true, true));
        let again = live.record(Outcome::Accepted, at(7_100), None);
        assert_eq!(again, ToWrite::default());
        live.record(Outcome::RateLimited, at(7_200), None);
        let taken = live.take();
        assert_eq!(taken.last, Some((at(7_190), None)));
        let hours: Vec<_> = taken.hours().collect();
        assert_eq!(hours.len(), 2);
        assert_eq!((hours[0].0, hours[0].1[0]), (1, 2));
        assert_eq!((hours[1].0, hours[1].1[1]), (2, 1));

        // What can't be written waits with what came meanwhile.
        live.record(Outcome::Accepted, at(7_201), None);
        assert!(!live.give_back(&taken));
        let both = live.take();
        assert_eq!(both.last, Some((at(7_201), None)));
        let total: u32 = both.hours().flat_map(|(_, counts)| counts).sum();
        assert_eq!(total, 4);
        live.written(&both);
        assert!(
            !live
                .record(Outcome::Accepted, at(7_202) + TimeDelta::hours(1), None)
                .at_once
        );
    }
}
