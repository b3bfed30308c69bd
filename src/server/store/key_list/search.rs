//! What is searched for.

use crate::server::store::{begins_pattern, contains_pattern};

/// The shortest text that is searched for anywhere: an index of trigrams tells nothing of less. A shorter
/// one is searched for at the beginning of ids and names.
const MIN_ANYWHERE: usize = 3;

/// The patterns of a search.
pub(super) struct SearchCriteria {
    /// For `api_keys.search_text`.
    pub keys: String,
    /// For partners' names.
    pub partners: String,
}

impl SearchCriteria {
    pub fn new(q: &str) -> Self {
        if q.chars().count() >= MIN_ANYWHERE {
            Self {
                keys: contains_pattern(q),
                partners: contains_pattern(q),
            }
        } else {
            Self {
                keys: begins_pattern("%\n", q),
                partners: begins_pattern("", q),
            }
        }
    }
}
