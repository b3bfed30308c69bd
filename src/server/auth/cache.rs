//! The keys that this process knows, bounded. The CLOCK algorithm evicts approximately the least
//! recently used ones; a key used within a minute stays long enough for its rate bucket to refill.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashTable;
use parking_lot::RwLock;

use super::entry::Entry;

const SHARDS: usize = 64;

/// Keys by id.
#[derive(Debug)]
pub struct Cache {
    hasher: RandomState,
    shards: Box<[RwLock<Shard>]>,
    max_per_shard: usize,
}

#[derive(Debug, Default)]
struct Shard {
    slots: Vec<Arc<Entry>>,
    /// Slot numbers by the hash of their keys.
    index: HashTable<u32>,
    hand: usize,
}

impl Cache {
    pub fn new(max_keys: usize) -> Self {
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            max_per_shard: max_keys.div_ceil(SHARDS).max(1),
        }
    }

    pub fn len(&self) -> usize {
        let len = |shard: &RwLock<Shard>| shard.read().slots.len();
        self.shards.iter().map(len).sum()
    }

    pub fn get(&self, key_id: &str) -> Option<Arc<Entry>> {
        let hash = self.hasher.hash_one(key_id);
        let shard = self.shard(hash).read();
        let slot = *shard.index.find(hash, |slot| shard.is(*slot, key_id))?;
        let entry = &shard.slots[slot as usize];
        // Reads first: a store would invalidate the line in the other cores' caches.
        if !entry.runtime.visited.load(Ordering::Relaxed) {
            entry.runtime.visited.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(entry))
    }

    /// Inserts an entry, or replaces the key's older one.
    pub fn put(&self, entry: Arc<Entry>) {
        self.insert(entry, true);
    }

    /// Inserts an entry unless the key has one. Returns the one that is cached.
    pub fn put_new(&self, entry: Arc<Entry>) -> Arc<Entry> {
        self.insert(entry, false)
    }

    fn insert(&self, entry: Arc<Entry>, replace: bool) -> Arc<Entry> {
        let hash = self.hasher.hash_one(entry.runtime.key_id.as_str());
        let shard = &mut *self.shard(hash).write();
        let key_id = entry.runtime.key_id.as_str();
        let known = shard.index.find(hash, |slot| shard.is(*slot, key_id));
        if let Some(slot) = known {
            let known = &mut shard.slots[*slot as usize];
            if replace {
                *known = entry;
            }
            return Arc::clone(known);
        }
        let stored = Arc::clone(&entry);
        let slot = if shard.slots.len() < self.max_per_shard {
            shard.slots.push(entry);
            shard.slots.len() - 1
        } else {
            let slot = shard.evict(&self.hasher);
            shard.slots[slot] = entry;
            slot
        };
        let Shard { slots, index, .. } = shard;
        index.insert_unique(hash, slot as u32, |slot| {
            self.hasher
                .hash_one(slots[*slot as usize].runtime.key_id.as_str())
        });
        stored
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        // The table uses the low and the highest bits; these are in between.
        &self.shards[(hash >> 40) as usize % SHARDS]
    }
}

impl Shard {
    fn is(&self, slot: u32, key_id: &str) -> bool {
        self.slots[slot as usize].runtime.key_id.as_str() == key_id
    }

    /// Frees the first slot that was not visited since the hand last passed.
    fn evict(&mut self, hasher: &RandomState) -> usize {
        loop {
            let slot = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            if self.slots[slot]
                .runtime
                .visited
                .swap(false, Ordering::Relaxed)
            {
                continue;
            }
            let hash = hasher.hash_one(self.slots[slot].runtime.key_id.as_str());
            if let Ok(found) = self.index.find_entry(hash, |known| *known as usize == slot) {
                found.remove();
            }
            return slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::token::KeyId;
    use crate::server::auth::key_runtime_state::KeyRuntimeState;
    use crate::server::auth::versions::Versions;
    use crate::server::store::guard_rows::GuardRow;

    fn entry(id: &str, rate_per_minute: i32) -> Arc<Entry> {
        let row = GuardRow {
            partner_id: Uuid::nil(),
            partner_active: true,
            scopes: vec![],
            rate_per_minute,
            not_before: DateTime::UNIX_EPOCH,
            not_after: None,
            retires_at: None,
            revoked_at: None,
            secret_hash: String::new(),
            check_tag: None,
            pepper_fingerprint: None,
            legacy: false,
            used_before: false,
        };
        let versions = Versions::default();
        let version = versions
            .after_read(versions.before_read(id), Uuid::nil())
            .unwrap();
        let runtime = Arc::new(KeyRuntimeState::new(KeyId::parse(id).unwrap(), false));
        Arc::new(Entry::new(&row, runtime, version, None))
    }

    #[test]
    fn the_newest_entry_of_a_key_is_found() {
        let cache = Cache::new(SHARDS * 100);
        for n in 0..500 {
            cache.put(entry(&format!("mpk_{n}"), n));
        }
        cache.put(entry("mpk_7", -7));
        assert_eq!(cache.len(), 500);
        assert_eq!(cache.get("mpk_7").unwrap().rate_per_minute, -7);
        assert_eq!(cache.get("mpk_499").unwrap().rate_per_minute, 499);
        assert!(cache.get("mpk_500").is_none());
    }

    #[test]
    fn it_is_bounded_and_spares_what_is_used() {
        let cache = Cache::new(SHARDS * 8);
        cache.put(entry("mpk_used", 1));
        for n in 0..20_000 {
            cache.put(entry(&format!("mpk_{n}"), 0));
            assert!(cache.get("mpk_used").is_some(), "{n}");
        }
        assert!(cache.len() <= SHARDS * 8);
        let found = (0..20_000).filter(|n| cache.get(&format!("mpk_{n}")).is_some());
        assert_eq!(found.count() + 1, cache.len());
    }
}
