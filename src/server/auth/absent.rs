//! Ids that no key has, so that a flood of them costs the database nothing after the first. Bounded
//! apart from the keys: it can push out none of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::marks::BeforeRead;

const MOST: usize = 16_384;

/// Ids that were looked up in vain, with the counters from before that.
#[derive(Debug, Default)]
pub struct Absent(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ids: HashMap<Box<str>, BeforeRead>,
    oldest_first: VecDeque<Box<str>>,
}

impl Absent {
    /// When the id was looked up in vain.
    #[must_use]
    pub fn get(&self, key_id: &str) -> Option<BeforeRead> {
        self.lock().ids.get(key_id).copied()
    }

    /// Remembers an id.
    pub fn put(&self, key_id: &str, before: BeforeRead) {
        let mut state = self.lock();
        if state.ids.insert(key_id.into(), before).is_some() {
            return;
        }
        state.oldest_first.push_back(key_id.into());
        if state.oldest_first.len() > MOST
            && let Some(oldest) = state.oldest_first.pop_front()
        {
            state.ids.remove(&oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::auth::marks::Marks;

    #[test]
    fn the_oldest_are_forgotten() {
        let (absent, marks) = (Absent::default(), Marks::default());
        for n in 0..=MOST {
            absent.put(&n.to_string(), marks.before_read("x"));
        }
        assert!(absent.get("0").is_none());
        assert!(absent.get("1").is_some() && absent.get(&MOST.to_string()).is_some());
    }
}
