//! Rows of a sample in COPY's text format.

use std::fmt::Write as _;
use std::ops::Range;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use data_encoding::HEXLOWER;

use super::draw::{Draw, SampleKeys, SamplePartner};
use crate::server::store::key_changes::StoredSecret;

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

impl Draw {
    pub(super) fn partner_rows(&mut self, partners: &[SamplePartner]) -> String {
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

    pub(super) fn key_rows(
        &mut self,
        keys: &SampleKeys,
        range: Range<usize>,
        stored: &StoredSecret,
    ) -> String {
        let mut rows = String::new();
        let (tag, fingerprint) = (
            HEXLOWER.encode(&stored.tag),
            HEXLOWER.encode(&stored.fingerprint),
        );
        for key in &keys.keys[range] {
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
            let rotated_from = key.rotated_from.map(|old| keys.keys[old].key_id.as_str());
            let _ = writeln!(
                rows,
                "{}\t{}\t{name}\t{environment}\t{scopes}\t{rate}\t{}\t\\\\x{tag}\t\\\\x{fingerprint}\t{}\t{}\t{created}\tsystem:sample\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
                key.key_id,
                keys.partners[key.partner].partner_id,
                stored.hash,
                key.life.not_before.to_rfc3339(),
                time(key.life.not_after),
                rotated_from.unwrap_or(NULL),
                keys.keys[key.lineage].key_id,
                key.generation,
                time(key.life.retires_at),
                key.rotated
                    .map_or(NULL.to_owned(), |(grace, _)| grace.to_string()),
                key.rotated.map_or(NULL, |_| "now"),
                time(key.rotated.map(|(_, at)| at)),
                time(key.life.revoked_at),
                key.reason.unwrap_or(NULL),
            );
        }
        rows
    }

    pub(super) fn last_use_rows(
        &mut self,
        keys: &SampleKeys,
        range: Range<usize>,
        _: &StoredSecret,
    ) -> String {
        let mut rows = String::new();
        for key in &keys.keys[range] {
            let (id, created) = (&key.key_id, key.created_at.to_rfc3339());
            let partner = keys.partners[key.partner].partner_id;
            let address = match key.last_used_at {
                Some(_) => format!("192.0.2.{}", self.below(254) + 1),
                None => NULL.to_owned(),
            };
            let at = time(key.last_used_at);
            let _ = writeln!(rows, "{id}\t{partner}\t{created}\t{at}\t{address}");
        }
        rows
    }

    /// Usage of the last 48 hours, for the newest keys and one in fifty of the others in use.
    pub(super) fn usage_rows(
        &mut self,
        keys: &SampleKeys,
        range: Range<usize>,
        _: &StoredSecret,
    ) -> String {
        let mut rows = String::new();
        let newest = keys.keys.len().saturating_sub(500);
        let hour = self
            .now
            .duration_trunc(TimeDelta::hours(1))
            .unwrap_or(self.now);
        for n in range {
            let key = &keys.keys[n];
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

/// Null in COPY's text format.
const NULL: &str = "\\N";

fn time(at: Option<DateTime<Utc>>) -> String {
    at.map_or_else(|| NULL.to_owned(), |at| at.to_rfc3339())
}
