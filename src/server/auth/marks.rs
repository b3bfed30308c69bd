//! Whether what was read of a key may have changed since. Each change moves a counter; an entry
//! remembers the counters as they were *before* its row was read, so one that was loaded just
//! before a change and stored just after is out of date from the start.
//!
//! Keys and partners share counters by hash: a change makes a few unrelated entries be read again
//! too, and costs no more than that.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use uuid::Uuid;

const KEY_COUNTERS: usize = 4_096;
const PARTNER_COUNTERS: usize = 1_024;

/// The counters.
#[derive(Debug)]
pub struct Marks {
    hasher: RandomState,
    /// Moves when everything has to be read again.
    epoch: AtomicU32,
    keys: Box<[AtomicU32]>,
    partners: Box<[AtomicU32]>,
    /// Moves with every change of any partner, and before that partner's own counter does.
    any_partner: AtomicU32,
}

/// The counters that an entry depends on, as they were before its row was read. Small, since every
/// key that is remembered has one; only a key that slept through exactly 2³² changes would be
/// mistaken for a current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    epoch: u32,
    key: u32,
    partner: u32,
    key_slot: u16,
    partner_slot: u16,
}

/// The counters before a read, of which the partner is not known yet.
#[derive(Clone, Copy, Debug)]
pub struct BeforeRead {
    epoch: u32,
    key: (u16, u32),
    any_partner: u32,
}

impl Default for Marks {
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

impl Marks {
    /// Notes the counters before a key's row is read.
    #[must_use]
    pub fn before_read(&self, key_id: &str) -> BeforeRead {
        let slot = self.slot(key_id, KEY_COUNTERS);
        BeforeRead {
            epoch: self.epoch.load(Ordering::SeqCst),
            key: (slot, self.keys[slot as usize].load(Ordering::SeqCst)),
            any_partner: self.any_partner.load(Ordering::SeqCst),
        }
    }

    /// The mark of a row that was read after `before`; `None` where a partner changed meanwhile, so
    /// that the row has to be read again.
    #[must_use]
    pub fn after_read(&self, before: BeforeRead, partner_id: Uuid) -> Option<Mark> {
        let slot = self.slot(&partner_id, PARTNER_COUNTERS);
        let partner = self.partners[slot as usize].load(Ordering::SeqCst);
        (self.any_partner.load(Ordering::SeqCst) == before.any_partner).then_some(Mark {
            epoch: before.epoch,
            key: before.key.1,
            partner,
            key_slot: before.key.0,
            partner_slot: slot,
        })
    }

    /// Whether nothing that the mark depends on has changed since.
    #[must_use]
    pub fn is_current(&self, mark: &Mark) -> bool {
        let load = |counter: &AtomicU32| counter.load(Ordering::Acquire);
        load(&self.epoch) == mark.epoch
            && load(&self.keys[mark.key_slot as usize]) == mark.key
            && load(&self.partners[mark.partner_slot as usize]) == mark.partner
    }

    /// The same for a key that does not exist.
    #[must_use]
    pub fn is_still_absent(&self, before: &BeforeRead) -> bool {
        self.epoch.load(Ordering::Acquire) == before.epoch
            && self.keys[before.key.0 as usize].load(Ordering::Acquire) == before.key.1
    }

    /// A key's row has changed.
    pub fn key_changed(&self, key_id: &str) {
        let slot = self.slot(key_id, KEY_COUNTERS);
        self.keys[slot as usize].fetch_add(1, Ordering::SeqCst);
    }

    /// A partner's row has changed.
    pub fn partner_changed(&self, partner_id: Uuid) {
        self.any_partner.fetch_add(1, Ordering::SeqCst);
        let slot = self.slot(&partner_id, PARTNER_COUNTERS);
        self.partners[slot as usize].fetch_add(1, Ordering::SeqCst);
    }

    /// Anything may have changed.
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
    fn what_was_read_before_a_change_is_out_of_date_whenever_it_is_stored() {
        let marks = Marks::default();
        let partner = Uuid::from_u128(7);
        let read = || marks.after_read(marks.before_read("mpk_1"), partner);
        let mark = read().unwrap();
        assert!(marks.is_current(&mark));
        marks.key_changed("mpk_1");
        assert!(!marks.is_current(&mark));

        // The change arrives between the read and the storing.
        let before = marks.before_read("mpk_1");
        marks.key_changed("mpk_1");
        let late = marks.after_read(before, partner).unwrap();
        assert!(!marks.is_current(&late));
        let before = marks.before_read("mpk_1");
        marks.partner_changed(partner);
        assert_eq!(marks.after_read(before, partner), None);

        let mark = read().unwrap();
        marks.partner_changed(partner);
        assert!(!marks.is_current(&mark));
        let mark = read().unwrap();
        marks.everything_changed();
        assert!(!marks.is_current(&mark));
        let absent = marks.before_read("mpk_2");
        assert!(marks.is_still_absent(&absent));
        marks.key_changed("mpk_2");
        assert!(!marks.is_still_absent(&absent));
    }
}
