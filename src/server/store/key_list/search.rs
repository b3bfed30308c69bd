//! Search patterns.

use crate::server::store::{contains_pattern, prefix_pattern};

/// Minimum length of a substring search, since a trigram index needs three characters. A shorter text
/// is matched at the beginning of ids and names.
const MIN_SUBSTRING_LENGTH: usize = 3;

/// LIKE patterns of a search.
pub(super) struct SearchCriteria {
    /// Pattern for `api_keys.search_text`.
    pub keys: String,
    /// Pattern for partner names.
    pub partners: String,
}

impl SearchCriteria {
    pub fn new(q: &str) -> Self {
        if q.chars().count() >= MIN_SUBSTRING_LENGTH {
            Self {
                keys: contains_pattern(q),
                partners: contains_pattern(q),
            }
        } else {
            Self {
                keys: prefix_pattern("%\n", q),
                partners: prefix_pattern("", q),
            }
        }
    }
}
