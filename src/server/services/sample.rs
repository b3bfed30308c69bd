//! Sample data for development: partners with keys of every kind, as many as asked for, that all have
//! the one secret. What is drawn depends on the seed and the clock alone.

use std::collections::HashSet;
use std::fmt::Write as _;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Registry;
use super::issuing::Minted;
use crate::domain::error::AppResult;
use crate::domain::key::{KeyStatus, Lifetime};
use crate::domain::token::KeyId;
use crate::server::db::sample::{self, Table};

/// How long the sample's past is.
const PAST: TimeDelta = TimeDelta::days(730);
/// Rows that go to the database at once.
const CHUNK: usize = 20_000;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct SampleSize {
    /// Partners, at least one.
    pub partners: usize,
    /// Keys, at least one.
    pub keys: usize,
    /// Which sample of this size.
    pub seed: u64,
}

struct SamplePartner {
    partner_id: Uuid,
    created_at: DateTime<Utc>,
    /// The newest of its keys, by its place.
    newest: Option<usize>,
}

struct SampleKey {
    key_id: KeyId,
    partner: usize,
    created_at: DateTime<Utc>,
    life: Lifetime,
    reason: Option<&'static str>,
    rotated_from: Option<usize>,
    lineage: usize,
    generation: u32,
    /// Seconds of grace, where it was rotated, and when.
    rotated: Option<(i64, DateTime<Utc>)>,
    last_used_at: Option<DateTime<Utc>>,
}

impl Registry {
    /// Adds sample partners and keys, in one transaction; the token of one that works.
    ///
    /// # Errors
    /// The database's, or that the secret could not be hashed.
    pub async fn add_sample(&self, size: SampleSize) -> AppResult<Zeroizing<String>> {
        let minted = self.mint().await?;
        let mut sample = Draw::new(size, self.now());
        let partners: Vec<SamplePartner> = (0..size.partners).map(|_| sample.partner()).collect();
        let names = sample.partner_rows(&partners);
        let keys = sample.keys(partners, minted.key_id.clone(), &self.issuing.id_prefix);
        let mut transaction = self.pool.begin().await?;
        let aside = sample::begin(&mut transaction).await?;
        sample::copy(&mut transaction, Table::Partners, &names).await?;
        let tables: [(Table, RowsOf); 4] = [
            (Table::Keys, Draw::key_rows),
            (Table::LastUses, Draw::last_use_rows),
            (Table::NeverUsed, Draw::never_used_rows),
            (Table::Usage, Draw::usage_rows),
        ];
        for (table, rows_of) in tables {
            for begin in (0..keys.0.len()).step_by(CHUNK) {
                let end = keys.0.len().min(begin + CHUNK);
                let rows = rows_of(&mut sample, &keys, begin..end, &minted);
                sample::copy(&mut transaction, table, &rows).await?;
            }
        }
        sample::finish(&mut transaction, aside).await?;
        transaction.commit().await?;
        sample::settle(&mut *self.pool.acquire().await?).await?;
        Ok(minted.token)
    }
}

type RowsOf = fn(&mut Draw, &SampleKeys, std::ops::Range<usize>, &Minted) -> String;

/// Every key of a sample, oldest first, with its partners.
struct SampleKeys(Vec<SampleKey>, Vec<SamplePartner>);

/// What a sample is drawn with.
struct Draw {
    random: StdRng,
    size: SampleSize,
    now: DateTime<Utc>,
}

const FIRST_WORDS: [&str; 16] = [
    "Aster",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Fathom",
    "Granite",
    "Harbour",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lumen",
    "Meridian",
    "Northwind",
    "Orchard",
    "Palisade",
];
const SECOND_WORDS: [&str; 12] = [
    "Archive",
    "Assurance",
    "Custody",
    "Exchange",
    "Ledger",
    "Logistics",
    "Notary",
    "Provenance",
    "Registry",
    "Systems",
    "Trust",
    "Vault",
];
const KEY_NAMES: [&str; 12] = [
    "Checkout",
    "Warehouse",
    "Mobile app",
    "Nightly export",
    "Reconciliation",
    "Intake",
    "Audit reader",
    "Partner portal",
    "Batch minting",
    "Verification",
    "Back office",
    "Data lake",
];
const SCOPES: [&str; 6] = [
    "{assets:read}",
    "{assets:read,reverify}",
    "{assets:mint,assets:read}",
    "{assets:mint,assets:read,status:update}",
    "{assets:read,audit:read}",
    "{assets:mint,assets:read,status:update,transfer:execute}",
];
const REASONS: [&str; 4] = [
    "unspecified",
    "key_compromise",
    "cessation_of_operation",
    "privilege_withdrawn",
];

impl Draw {
    fn new(size: SampleSize, now: DateTime<Utc>) -> Self {
        Self {
            random: StdRng::seed_from_u64(size.seed),
            size,
            now,
        }
    }

    /// A number from 0 to below 1.
    fn share(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.random.next_u64() >> 11) as f64;
        bits / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    fn below(&mut self, count: usize) -> usize {
        (self.random.next_u64() % count as u64) as usize
    }

    /// Some part of a span; a higher power makes short ones likelier.
    fn part_of(&mut self, span: TimeDelta, power: f64) -> TimeDelta {
        let seconds = span.num_seconds().max(0) as f64 * self.share().powf(power);
        TimeDelta::milliseconds((seconds * 1_000.0) as i64)
    }

    fn partner(&mut self) -> SamplePartner {
        let mut bytes = [0; 16];
        self.random.fill_bytes(&mut bytes);
        SamplePartner {
            partner_id: uuid::Builder::from_random_bytes(bytes).into_uuid(),
            created_at: self.now - PAST - self.part_of(PAST, 1.0),
            newest: None,
        }
    }

    fn partner_rows(&mut self, partners: &[SamplePartner]) -> String {
        let mut rows = String::new();
        for (n, partner) in partners.iter().enumerate() {
            let (first, second) = (FIRST_WORDS[self.below(16)], SECOND_WORDS[self.below(12)]);
            let at = partner.created_at.to_rfc3339();
            let contact = format!("keys@{}{n}.example", first.to_lowercase());
            let id = partner.partner_id;
            let _ = writeln!(rows, "{id}\t{first} {second} {n:04}\t{contact}\t{at}\t{at}");
        }
        rows
    }

    /// Draws the keys, oldest first. A few partners have many, most have some; one in twenty keys
    /// replaces the newest of its partner. The newest key of all has the given id and works.
    fn keys(&mut self, mut partners: Vec<SamplePartner>, known: KeyId, prefix: &str) -> SampleKeys {
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
            // Of the last days more, so that some graces still run.
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
        SampleKeys(keys, partners)
    }

    fn key_id(&mut self, prefix: &str, taken: &mut HashSet<String>) -> KeyId {
        loop {
            let mut bytes = [0; 6];
            self.random.fill_bytes(&mut bytes);
            let key_id = KeyId::from_random(prefix, bytes);
            if taken.insert(key_id.as_str().to_owned()) {
                return key_id;
            }
        }
    }

    fn life(&mut self, created_at: DateTime<Utc>) -> Lifetime {
        let waits = self.now - created_at < TimeDelta::days(20) && self.happens(0.05);
        let not_before = if waits {
            self.now + self.part_of(TimeDelta::days(30), 1.0) + TimeDelta::seconds(1)
        } else {
            created_at
        };
        let days = [30, 90, 180, 365, 365, 730][self.below(6)];
        let not_after = self
            .happens(0.6)
            .then(|| not_before + TimeDelta::days(days));
        let revoked_at = (!waits && self.happens(0.08)).then(|| {
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

    /// What a rotation at a moment makes of a key.
    fn retire(&mut self, old: &mut SampleKey, at: DateTime<Utc>) {
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

    fn last_use(&mut self, key: &SampleKey) -> Option<DateTime<Utc>> {
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

    fn key_rows(
        &mut self,
        keys: &SampleKeys,
        range: std::ops::Range<usize>,
        minted: &Minted,
    ) -> String {
        let mut rows = String::new();
        let stored = &minted.stored;
        let (tag, fingerprint) = (
            HEXLOWER.encode(&stored.tag),
            HEXLOWER.encode(&stored.fingerprint),
        );
        for key in &keys.0[range] {
            let name = match self.happens(0.9) {
                true => {
                    let name = KEY_NAMES[self.below(KEY_NAMES.len())];
                    format!("{name} {}", self.below(1_000))
                }
                false => NULL.to_owned(),
            };
            let environment = [
                "production",
                "production",
                "production",
                "test",
                "development",
            ][self.below(5)];
            let scopes = SCOPES[self.below(SCOPES.len())];
            let rate = [60, 300, 300, 1_000][self.below(4)];
            let created = key.created_at.to_rfc3339();
            let rotated_from = key.rotated_from.map(|old| keys.0[old].key_id.as_str());
            let status = KeyStatus::at(self.now, &key.life);
            let _ = writeln!(
                rows,
                "{}\t{}\t{name}\t{environment}\t{scopes}\t{rate}\t{}\t\\\\x{tag}\t\\\\x{fingerprint}\t{}\t{}\t{created}\tsystem:sample\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t\\n{}\\n{}\t{}\t{}",
                key.key_id,
                keys.1[key.partner].partner_id,
                stored.hash,
                key.life.not_before.to_rfc3339(),
                time(key.life.not_after),
                rotated_from.unwrap_or(NULL),
                keys.0[key.lineage].key_id,
                key.generation,
                time(key.life.retires_at),
                key.rotated
                    .map_or(NULL.to_owned(), |(grace, _)| grace.to_string()),
                key.rotated.map_or(NULL, |_| "now"),
                time(key.rotated.map(|(_, at)| at)),
                time(key.life.revoked_at),
                key.reason.unwrap_or(NULL),
                key.key_id,
                if name == NULL {
                    String::new()
                } else {
                    name.to_lowercase()
                },
                status.as_str(),
                time(key.life.changes_after(self.now)),
            );
        }
        rows
    }

    fn last_use_rows(
        &mut self,
        keys: &SampleKeys,
        range: std::ops::Range<usize>,
        _: &Minted,
    ) -> String {
        let mut rows = String::new();
        for key in &keys.0[range] {
            if let Some(at) = key.last_used_at {
                let (at, address) = (at.to_rfc3339(), self.below(254) + 1);
                let _ = writeln!(rows, "{}\t{at}\t192.0.2.{address}", key.key_id);
            }
        }
        rows
    }

    fn never_used_rows(
        &mut self,
        keys: &SampleKeys,
        range: std::ops::Range<usize>,
        _: &Minted,
    ) -> String {
        let mut rows = String::new();
        for key in keys.0[range]
            .iter()
            .filter(|key| key.last_used_at.is_none())
        {
            let _ = writeln!(rows, "{}\t{}", key.key_id, key.created_at.to_rfc3339());
        }
        rows
    }

    /// Counts of the last two days, for the newest keys and one in fifty of the others in use.
    fn usage_rows(
        &mut self,
        keys: &SampleKeys,
        range: std::ops::Range<usize>,
        _: &Minted,
    ) -> String {
        let mut rows = String::new();
        let newest = keys.0.len().saturating_sub(500);
        let hour = self
            .now
            .duration_trunc(TimeDelta::hours(1))
            .unwrap_or(self.now);
        for n in range {
            let key = &keys.0[n];
            let Some(last) = key
                .last_used_at
                .filter(|at| self.now - *at < TimeDelta::hours(48))
            else {
                continue;
            };
            if n < newest && !self.happens(0.02) {
                continue;
            }
            let busy = 1.0 + 400.0 * self.share().powi(3);
            for back in 0..48 {
                let at = hour - TimeDelta::hours(back);
                if at > last || at < key.created_at {
                    continue;
                }
                let at = at.to_rfc3339();
                let uses = 1 + (busy * self.share()) as u64;
                let _ = writeln!(rows, "{}\t{at}\taccepted\t{uses}", key.key_id);
                if self.happens(0.1) {
                    let _ = writeln!(
                        rows,
                        "{}\t{at}\trate_limited\t{}",
                        key.key_id,
                        1 + uses / 10
                    );
                }
                if self.happens(0.03) {
                    let _ = writeln!(
                        rows,
                        "{}\t{at}\tsecret_mismatch\t{}",
                        key.key_id,
                        1 + uses / 50
                    );
                }
            }
        }
        rows
    }
}

/// What COPY reads as null.
const NULL: &str = "\\N";

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| NULL.to_owned(), |at| at.to_rfc3339())
}
