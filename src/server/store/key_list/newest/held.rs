//! Keys with their texts, newest first, as they were read; and the pages of a search among them.

use std::collections::HashSet;
use std::ops::Range;

use chrono::{DateTime, Utc};
use memchr::memmem::{Finder, FinderRev};
use sqlx::FromRow;
use uuid::Uuid;

use crate::server::store::key_list::place::Place;

/// A key as far as it is searched.
#[derive(Debug, FromRow)]
pub(super) struct KeyText {
    pub created_at: DateTime<Utc>,
    pub key_id: Box<str>,
    pub partner_id: Uuid,
    pub search_text: Box<str>,
}

/// What is searched for.
pub(super) struct Wanted<'a> {
    /// Anywhere in a key's text.
    pub text: &'a str,
    /// Or a key of one of these, which are in order.
    pub partners: &'a [Uuid],
    /// Keys that are left out.
    pub besides: HashSet<&'a str>,
    /// Rows of the page.
    pub limit: usize,
}

impl Wanted<'_> {
    /// Whether a key fits that is looked at by itself.
    pub fn fits(&self, key: &KeyText) -> bool {
        key.search_text.contains(self.text) || self.is_of_partner(key.partner_id)
    }

    fn is_of_partner(&self, partner_id: Uuid) -> bool {
        self.partners.binary_search(&partner_id).is_ok()
    }
}

/// What was read.
#[derive(Debug)]
pub(super) struct Held {
    /// The transactions before this one had ended.
    pub horizon: String,
    /// When the server was started that said so; `None` before anything was read.
    pub server: Option<DateTime<Utc>>,
    /// Whether there were no other keys.
    is_all: bool,
    keys: Vec<Key>,
    /// One after the other, which are looked through several times as fast as each by itself. Behind each is
    /// a NUL, which neither a text has nor what is searched for.
    texts: String,
}

/// A key whose text ends here.
#[derive(Debug)]
pub(super) struct Key {
    created_at: DateTime<Utc>,
    pub key_id: Box<str>,
    partner_id: Uuid,
    end: usize,
}

impl Key {
    pub fn position(&self) -> (DateTime<Utc>, String) {
        (self.created_at, self.key_id.to_string())
    }
}

impl Default for Held {
    /// Nothing, of a registry of which nothing is known.
    fn default() -> Self {
        Self {
            horizon: "0".to_owned(),
            server: None,
            is_all: false,
            keys: Vec::new(),
            texts: String::new(),
        }
    }
}

impl Held {
    /// These keys, in the list's order, newest first.
    pub fn new(horizon: String, server: DateTime<Utc>, is_all: bool, read: Vec<KeyText>) -> Self {
        let server = Some(server);
        let mut texts = String::new();
        let mut keys = Vec::with_capacity(read.len());
        for key in read {
            texts.push_str(&key.search_text);
            texts.push('\0');
            keys.push(Key {
                created_at: key.created_at,
                key_id: key.key_id,
                partner_id: key.partner_id,
                end: texts.len(),
            });
        }
        Self {
            horizon,
            server,
            is_all,
            keys,
            texts,
        }
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The rows of a page; `None` where older keys may belong to it.
    pub fn page(&self, place: &Place, wanted: &Wanted<'_>) -> Option<Vec<&Key>> {
        let (before, behind) = match &place.from {
            Some(from) => self.around(from)?,
            None => (self.keys.len(), 0),
        };
        let way = if place.falling {
            behind..self.keys.len()
        } else if before < self.keys.len() || self.is_all {
            0..before
        } else {
            return None;
        };
        let found = self.find(way, place.falling, wanted);
        let is_whole = found.len() == wanted.limit || self.is_all || !place.falling;
        is_whole.then(|| found.into_iter().map(|n| &self.keys[n]).collect())
    }

    /// Where the keys newer than this place end, and where the older ones begin.
    fn around(&self, (at, id): &(DateTime<Utc>, String)) -> Option<(usize, usize)> {
        let first = self.keys.partition_point(|key| key.created_at > *at);
        let of_then = &self.keys[first..];
        let same = of_then.partition_point(|key| key.created_at == *at);
        if same == 0 {
            return Some((first, first));
        }
        // Keys of one moment are in the database's order of ids, so this one is looked for.
        let own = of_then[..same].iter().position(|key| *key.key_id == **id)?;
        Some((first + own, first + own + 1))
    }

    /// The first keys on a way that fit.
    fn find(&self, way: Range<usize>, falling: bool, wanted: &Wanted<'_>) -> Vec<usize> {
        let mut found = if falling {
            let finder = Finder::new(wanted.text);
            self.with_text(&way, falling, wanted, |texts| finder.find(texts))
        } else {
            let finder = FinderRev::new(wanted.text);
            self.with_text(&way, falling, wanted, |texts| finder.rfind(texts))
        };
        if !wanted.partners.is_empty() {
            let fits = |n: &usize| {
                wanted.is_of_partner(self.keys[*n].partner_id) && self.is_wanted(*n, wanted)
            };
            if falling {
                found.extend(way.filter(fits).take(wanted.limit));
            } else {
                found.extend(way.rev().filter(fits).take(wanted.limit));
            }
            found.sort_unstable_by(|a, b| if falling { a.cmp(b) } else { b.cmp(a) });
            found.dedup();
            found.truncate(wanted.limit);
        }
        found
    }

    /// The first keys on a way whose text has the wanted one, `next` finding the first place of it.
    fn with_text(
        &self,
        way: &Range<usize>,
        falling: bool,
        wanted: &Wanted<'_>,
        next: impl Fn(&[u8]) -> Option<usize>,
    ) -> Vec<usize> {
        let mut left = way.clone();
        let mut found = Vec::new();
        while found.len() < wanted.limit {
            let begin = self.begin(left.start);
            let Some(place) = next(&self.texts.as_bytes()[begin..self.begin(left.end)]) else {
                break;
            };
            let key = self.keys.partition_point(|key| key.end <= begin + place);
            if falling {
                left.start = key + 1;
            } else {
                left.end = key;
            }
            if self.is_wanted(key, wanted) {
                found.push(key);
            }
        }
        found
    }

    fn is_wanted(&self, key: usize, wanted: &Wanted<'_>) -> bool {
        !wanted.besides.contains(&*self.keys[key].key_id)
    }

    /// Where a key's text begins.
    fn begin(&self, key: usize) -> usize {
        key.checked_sub(1).map_or(0, |before| self.keys[before].end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(texts: &[&str], is_all: bool) -> Held {
        let start: DateTime<Utc> = "2027-01-15T12:00:00Z".parse().unwrap();
        let key = |(n, text): (usize, &&str)| KeyText {
            created_at: start - chrono::TimeDelta::seconds(n as i64 / 2),
            key_id: format!("k{n}").into(),
            partner_id: Uuid::from_u128(n as u128 % 3),
            search_text: (*text).into(),
        };
        Held::new(
            "7".to_owned(),
            start,
            is_all,
            texts.iter().enumerate().map(key).collect(),
        )
    }

    fn page(
        held: &Held,
        text: &str,
        partners: &[Uuid],
        falling: bool,
        from: Option<usize>,
        limit: usize,
    ) -> Option<Vec<String>> {
        let place = Place {
            part: None,
            rows: crate::server::store::key_list::place::Rows::Made,
            falling,
            from: from.map(|n| held.keys[n].position()),
        };
        let wanted = Wanted {
            text,
            partners,
            besides: HashSet::from(["k4"]),
            limit,
        };
        let found = held.page(&place, &wanted)?;
        Some(
            found
                .into_iter()
                .map(|key| key.key_id.to_string())
                .collect(),
        )
    }

    const TEXTS: [&str; 7] = ["aba", "b", "xab", "aab", "ab", "ba\nb", "abab"];

    #[test]
    fn pages_are_full_or_not_sure() {
        let some = held(&TEXTS, false);
        assert_eq!(page(&some, "ab", &[], true, None, 2).unwrap(), ["k0", "k2"]);
        assert_eq!(
            page(&some, "ab", &[], true, Some(0), 3).unwrap(),
            ["k2", "k3", "k6"]
        );
        assert_eq!(
            page(&some, "ab", &[], true, Some(0), 4),
            None,
            "older keys may fit"
        );
        assert_eq!(
            page(&some, "ab", &[], false, Some(6), 9).unwrap(),
            ["k3", "k2", "k0"]
        );
        assert_eq!(
            page(&some, "ab", &[], false, Some(6), 2).unwrap(),
            ["k3", "k2"]
        );
        assert_eq!(
            page(&some, "ab", &[], false, None, 2),
            None,
            "the oldest are not here"
        );
    }

    #[test]
    fn all_there_is_makes_every_page() {
        let all = held(&TEXTS, true);
        assert_eq!(
            page(&all, "ab", &[], true, Some(2), 9).unwrap(),
            ["k3", "k6"]
        );
        assert_eq!(page(&all, "ab", &[], false, None, 2).unwrap(), ["k6", "k3"]);
        assert!(
            page(&all, "bx", &[], true, None, 9).unwrap().is_empty(),
            "two texts make no third"
        );
        assert!(
            page(&held(&[], true), "ab", &[], true, None, 9)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn a_partner_s_keys_come_in_between_and_once() {
        let all = held(&TEXTS, true);
        let own = [Uuid::from_u128(1)];
        assert_eq!(
            page(&all, "xab", &own, true, None, 9).unwrap(),
            ["k1", "k2"]
        );
        assert_eq!(page(&all, "b", &own, true, None, 2).unwrap(), ["k0", "k1"]);
        assert_eq!(
            page(&all, "aba", &own, false, None, 9).unwrap(),
            ["k6", "k1", "k0"]
        );
    }

    #[test]
    fn places_that_are_not_kept_lie_between_those_that_are() {
        let some = held(&TEXTS, false);
        let at = |n: usize| some.keys[n].created_at;
        let between = at(2) + chrono::TimeDelta::milliseconds(500);
        assert_eq!(some.around(&(between, "other".to_owned())), Some((2, 2)));
        assert_eq!(
            some.around(&(at(2), "other".to_owned())),
            None,
            "only the database knows"
        );
        assert_eq!(some.around(&(at(2), "k3".to_owned())), Some((3, 4)));
    }
}
