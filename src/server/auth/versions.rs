//! Versions of keys and partners. Each announced change raises a counter; a cached entry holds the
//! counters as they were *before* its row was read, so an entry loaded just before a change and
//! stored just after it is outdated from the start.
//!
//! Keys and partners share counters by hash: a change also makes a few unrelated entries be re-read.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;

const KEY_COUNTERS: usize = 4_096;
const PARTNER_COUNTERS: usize = 1_024;

#[derive(Debug)]
pub struct Versions {
    hasher: RandomState,
    /// Raised when everything has to be re-read.
    epoch: AtomicU32,
    keys: Box<[AtomicU32]>,
    partners: Box<[AtomicU32]>,
    /// Raised by a change of any partner, before that partner's own counter.
    any_partner: AtomicU32,
}

/// The counters that an entry depends on, as they were before its row was read. 32 bits each, since
/// every cached key has one; an entry would be mistaken for current only after exactly 2³² changes
/// between two uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionStamp {
    epoch: u32,
    key: u32,
    partner: u32,
    key_slot: u16,
    partner_slot: u16,
}

/// The counters before a read, when the partner is not known yet.
#[derive(Clone, Copy, Debug)]
pub struct BeforeRead {
    epoch: u32,
    key: (u16, u32),
    any_partner: u32,
}

impl Default for Versions {
    fn default() -> Self {
        let counters = |count| (0..count).map(|_| AtomicU32::new(0)).collect();
        Self {
            hasher: RandomState::new(),
            epoch: AtomicU32::new(0),
            keys: counters(KEY_COUNTERS),
            partners: counters(PARTNER_COUNTERS),
            any_partner: AtomicU32::new(0),
        }
    }
}

impl Versions {
    /// The counters before a key's row is read.
    pub fn before_read(&self, key_id: &str) -> BeforeRead {
        let slot = self.slot(key_id, KEY_COUNTERS);
        BeforeRead {
            epoch: self.epoch.load(Ordering::SeqCst),
            key: (slot, self.keys[slot as usize].load(Ordering::SeqCst)),
            any_partner: self.any_partner.load(Ordering::SeqCst),
        }
    }

    /// The stamp of a row read after `before`; `None` if a partner changed meanwhile, so that the row
    /// has to be read again.
    pub fn after_read(&self, before: BeforeRead, partner_id: Uuid) -> Option<VersionStamp> {
        let slot = self.slot(&partner_id, PARTNER_COUNTERS);
        let partner = self.partners[slot as usize].load(Ordering::SeqCst);
        (self.any_partner.load(Ordering::SeqCst) == before.any_partner).then_some(VersionStamp {
            epoch: before.epoch,
            key: before.key.1,
            partner,
            key_slot: before.key.0,
            partner_slot: slot,
        })
    }

    /// True if nothing that the entry depends on has changed.
    pub fn is_current(&self, stamp: &VersionStamp) -> bool {
        let load = |counter: &AtomicU32| counter.load(Ordering::Acquire);
        load(&self.epoch) == stamp.epoch
            && load(&self.keys[stamp.key_slot as usize]) == stamp.key
            && load(&self.partners[stamp.partner_slot as usize]) == stamp.partner
    }

    /// True if no key with the unknown id can have been created.
    pub fn is_still_unknown(&self, before: &BeforeRead) -> bool {
        self.epoch.load(Ordering::Acquire) == before.epoch
            && self.keys[before.key.0 as usize].load(Ordering::Acquire) == before.key.1
    }

    pub fn key_changed(&self, key_id: &str) {
        let slot = self.slot(key_id, KEY_COUNTERS);
        self.keys[slot as usize].fetch_add(1, Ordering::SeqCst);
    }

    pub fn partner_changed(&self, partner_id: Uuid) {
        self.any_partner.fetch_add(1, Ordering::SeqCst);
        let slot = self.slot(&partner_id, PARTNER_COUNTERS);
        self.partners[slot as usize].fetch_add(1, Ordering::SeqCst);
    }

    pub fn everything_changed(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    fn slot<T: std::hash::Hash + ?Sized>(&self, value: &T, counters: usize) -> u16 {
        (self.hasher.hash_one(value) as usize % counters) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_before_a_change_are_outdated_whenever_they_are_stored() {
        let versions = Versions::default();
        let partner = Uuid::from_u128(7);
        let read = || versions.after_read(versions.before_read("mpk_1"), partner);
        let stamp = read().unwrap();
        assert!(versions.is_current(&stamp));
        versions.key_changed("mpk_1");
        assert!(!versions.is_current(&stamp));

        // The change arrives between the read and the storing.
        let before = versions.before_read("mpk_1");
        versions.key_changed("mpk_1");
        let late = versions.after_read(before, partner).unwrap();
        assert!(!versions.is_current(&late));
        let before = versions.before_read("mpk_1");
        versions.partner_changed(partner);
        assert_eq!(versions.after_read(before, partner), None);

        let stamp = read().unwrap();
        versions.partner_changed(partner);
        assert!(!versions.is_current(&stamp));
        let stamp = read().unwrap();
        versions.everything_changed();
        assert!(!versions.is_current(&stamp));
        let unknown = versions.before_read("mpk_2");
        assert!(versions.is_still_unknown(&unknown));
        versions.key_changed("mpk_2");
        assert!(!versions.is_still_unknown(&unknown));
    }
}
