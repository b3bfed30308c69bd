//! Ids that no key has, so that a flood of them costs one query per id. Bounded apart from the keys,
//! so it can't evict any of them.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use super::versions::BeforeRead;

const MAX_IDS: usize = 16_384;

/// Unknown ids, each with the versions from before its lookup. Evicts the oldest.
#[derive(Debug, Default)]
pub struct NegativeCache(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ids: HashMap<Box<str>, BeforeRead>,
    oldest_first: VecDeque<Box<str>>,
}

impl NegativeCache {
    pub fn get(&self, key_id: &str) -> Option<BeforeRead> {
        self.0.lock().ids.get(key_id).copied()
    }

    pub fn put(&self, key_id: &str, before: BeforeRead) {
        let mut state = self.0.lock();
        if state.ids.insert(key_id.into(), before).is_some() {
            return;
        }
        state.oldest_first.push_back(key_id.into());
        if state.oldest_first.len() > MAX_IDS
            && let Some(oldest) = state.oldest_first.pop_front()
        {
            state.ids.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::versions::Versions;

    #[test]
    fn the_oldest_are_evicted() {
        let (unknown, versions) = (NegativeCache::default(), Versions::default());
        for n in 0..=MAX_IDS {
            unknown.put(&n.to_string(), versions.before_read("x"));
        }
        assert!(unknown.get("0").is_none());
        assert!(unknown.get("1").is_some() && unknown.get(&MAX_IDS.to_string()).is_some());
    }
}
