//! Generation of sample partners and keys of every kind, oldest first.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::SampleSize;
use crate::domain::key::{KeyStatus, Lifetime};
use crate::domain::token::KeyId;

/// Period that the sample covers.
const PAST: TimeDelta = TimeDelta::days(730);
const REASONS: [&str; 4] = [
    "unspecified",
    "key_compromise",
    "cessation_of_operation",
    "privilege_withdrawn",
];

pub(super) struct SamplePartner {
    pub(super) partner_id: Uuid,
    pub(super) created_at: DateTime<Utc>,
    /// Index of the newest key.
    pub(super) newest: Option<usize>,
}

pub(super) struct SampleKey {
    pub(super) key_id: KeyId,
    pub(super) partner: usize,
    pub(super) created_at: DateTime<Utc>,
    pub(super) life: Lifetime,
    pub(super) reason: Option<&'static str>,
    pub(super) rotated_from: Option<usize>,
    pub(super) lineage: usize,
    pub(super) generation: u32,
    /// Grace period in seconds and time of the rotation, if rotated.
    pub(super) rotated: Option<(i64, DateTime<Utc>)>,
    pub(super) last_used_at: Option<DateTime<Utc>>,
}

/// Keys of a sample, oldest first, with their partners.
pub(super) struct SampleKeys {
    pub(super) keys: Vec<SampleKey>,
    pub(super) partners: Vec<SamplePartner>,
}

/// Generator of a sample, deterministic for a given size, seed and time.
pub(super) struct Draw {
    random: StdRng,
    size: SampleSize,
    pub(super) now: DateTime<Utc>,
}

impl Draw {
    pub(super) fn new(size: SampleSize, now: DateTime<Utc>) -> Self {
        Self {
            random: StdRng::seed_from_u64(size.seed),
            size,
            now,
        }
    }

    /// Returns a random number in [0, 1).
    pub(super) fn share(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.random.next_u64() >> 11) as f64;
        bits / (1_u64 << 53) as f64
    }

    /// Returns true with this probability.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.random.next_u64() % count as u64) as usize
    }

    /// Returns a random part of a span; a higher power makes short parts likelier.
    pub(super) fn part_of(&mut self, span: TimeDelta, power: f64) -> TimeDelta {
        let seconds = span.num_seconds().max(0) as f64 * self.share().powf(power);
        TimeDelta::milliseconds((seconds * 1_000.0) as i64)
    }

    pub(super) fn partner(&mut self) -> SamplePartner {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        SamplePartner {
            partner_id: uuid::Builder::from_random_bytes(bytes).into_uuid(),
            created_at: self.now - PAST - self.part_of(PAST, 1.0),
            newest: None,
        }
    }

    /// Generates the keys, oldest first. A few partners have many keys, most have some, and some keys
    /// replace their partner's newest. The last key has the id `known` and is live.
    pub(super) fn keys(
        &mut self,
        mut partners: Vec<SamplePartner>,
        known: KeyId,
        prefix: &str,
    ) -> SampleKeys {
        let count = self.size.keys;
        let mut keys: Vec<SampleKey> = Vec::with_capacity(count);
        let mut taken = HashSet::from([known.as_str().to_owned()]);
        for n in 0..count {
            let is_known = n + 1 == count;
            let age = PAST.num_milliseconds() as f64 * (count - n) as f64 / count as f64;
            let created_at = self.now - TimeDelta::milliseconds(age as i64);
            let partner = (partners.len() as f64 * self.share().powf(1.6)) as usize;
            let key_id = if is_known {
                known.clone()
            } else {
                self.key_id(prefix, &mut taken)
            };
            let predecessor = partners[partner].newest.filter(|old| {
                let old = &keys[*old];
                let status = KeyStatus::at(created_at, &old.life);
                status == KeyStatus::Active && old.rotated.is_none()
            });
            // More rotations in recent days, so that some grace periods still run.
            let is_recent = self.now - created_at < TimeDelta::days(7);
            let share = if is_recent { 0.5 } else { 0.12 };
            let predecessor = predecessor.filter(|_| !is_known && self.happens(share));
            let life = if is_known {
                Lifetime {
                    not_before: created_at,
                    not_after: None,
                    retires_at: None,
                    revoked_at: None,
                }
            } else {
                self.life(created_at)
            };
            let reason = life.revoked_at.map(|_| REASONS[self.below(REASONS.len())]);
            let (lineage, generation) = match predecessor {
                Some(old) => (keys[old].lineage, keys[old].generation + 1),
                None => (n, 0),
            };
            if let Some(old) = predecessor {
                self.retire(&mut keys[old], created_at);
            }
            partners[partner].newest = Some(n);
            keys.push(SampleKey {
                key_id,
                partner,
                created_at,
                life,
                reason,
                rotated_from: predecessor,
                lineage,
                generation,
                rotated: None,
                last_used_at: None,
            });
        }
        for key in &mut keys {
            key.last_used_at = self.last_use(key);
        }
        SampleKeys { keys, partners }
    }

    pub(super) fn key_id(&mut self, prefix: &str, taken: &mut HashSet<String>) -> KeyId {
        loop {
            let mut bytes = [0; 6];
            self.random.fill_bytes(&mut bytes);
            let key_id = KeyId::from_random(prefix, bytes);
            if taken.insert(key_id.as_str().to_owned()) {
                return key_id;
            }
        }
    }

    pub(super) fn life(&mut self, created_at: DateTime<Utc>) -> Lifetime {
        let is_scheduled = self.now - created_at < TimeDelta::days(20) && self.happens(0.05);
        let not_before = if is_scheduled {
            self.now + self.part_of(TimeDelta::days(30), 1.0) + TimeDelta::seconds(1)
        } else {
            created_at
        };
        let days = [30, 90, 180, 365, 365, 730][self.below(6)];
        let not_after = self
            .happens(0.6)
            .then(|| not_before + TimeDelta::days(days));
        let revoked_at = (!is_scheduled && self.happens(0.08)).then(|| {
            let end = not_after.unwrap_or(self.now).min(self.now);
            created_at + self.part_of(end - created_at, 1.0)
        });
        Lifetime {
            not_before,
            not_after,
            retires_at: None,
            revoked_at,
        }
    }

    /// Applies a rotation to a key.
    pub(super) fn retire(&mut self, old: &mut SampleKey, at: DateTime<Utc>) {
        let grace = [0, 3_600, 86_400, 604_800][self.below(4)];
        let end = at + TimeDelta::seconds(grace);
        let retires_at = old
            .life
            .not_after
            .map_or(end, |not_after| not_after.min(end));
        old.rotated = Some((grace, at));
        old.life.retires_at = Some(retires_at);
        old.life.revoked_at = (grace == 0).then_some(at);
        old.reason = (grace == 0).then_some("superseded");
    }

    pub(super) fn last_use(&mut self, key: &SampleKey) -> Option<DateTime<Utc>> {
        if key.life.not_before >= self.now || self.happens(0.12) {
            return None;
        }
        let ends = [key.life.not_after, key.life.retires_at, key.life.revoked_at];
        let end = ends
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(self.now)
            .min(self.now);
        let span = (end - key.life.not_before).min(TimeDelta::days(120));
        Some(end - self.part_of(span, 4.0))
    }
}
