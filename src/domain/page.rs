//! Pages of lists, newest first by (createdAt, id) unless sorted otherwise, and the opaque cursors
//! between them. A cursor includes its direction, so that the URL of a page is independent of how
//! it was reached.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{AppError, FieldError};

const NOT_A_CURSOR: &str = "is not a cursor of this list: take nextCursor as it was given";

/// Default rows per page.
pub const DEFAULT_LIMIT: i64 = 50;
/// Maximum rows per page.
pub const MAX_LIMIT: i64 = 200;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The rows in the list's order.
    pub items: Vec<T>,
    /// `None` at the end.
    pub next_cursor: Option<String>,
    /// `None` on the first page.
    pub previous_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Builds a page of at most `limit` rows from up to `limit + 1` that were read in the request's
    /// direction. The extra row shows that there is a further page.
    pub fn from_rows(
        mut rows: Vec<T>,
        request: &PageRequest,
        position: impl Fn(&T) -> Position,
    ) -> Self {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let (has_previous, has_next) = match request.direction() {
            Direction::Forward => (request.from.is_some(), more),
            Direction::Backward => {
                rows.reverse();
                (more, true)
            }
        };
        let cursor = |row: Option<&T>, direction| {
            let position = position(row?);
            Some(
                Cursor {
                    direction,
                    position,
                }
                .encode(),
            )
        };
        Self {
            next_cursor: cursor(rows.last().filter(|_| has_next), Direction::Forward),
            previous_cursor: cursor(rows.first().filter(|_| has_previous), Direction::Backward),
            items: rows,
        }
    }

    /// Maps each row.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
            previous_cursor: self.previous_cursor,
        }
    }
}

/// A request for a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// 1 to [`MAX_LIMIT`].
    pub limit: i64,
    /// The row next to the page and the side it is on; `None` for the first page.
    pub from: Option<Cursor>,
}

impl PageRequest {
    /// Parses `limit` and `cursor` of a query.
    pub fn parse(limit: Option<&str>, cursor: Option<&str>) -> Result<Self, AppError> {
        Self::parse_of(&[None], limit, cursor)
    }

    /// As [`PageRequest::parse`], for a list with these parts.
    pub fn parse_of(
        parts: &[Option<Part>],
        limit: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Self, AppError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit) && !text.starts_with('+'))
                .ok_or_else(|| FieldError::new("limit", "must be a whole number from 1 to 200"))?,
        };
        let from = match cursor {
            None => None,
            Some(text) => Some(
                Cursor::decode(text)
                    .filter(|cursor| parts.contains(&cursor.position.part))
                    .ok_or_else(|| FieldError::new("cursor", NOT_A_CURSOR))?,
            ),
        };
        Ok(Self { limit, from })
    }

    /// Returns the direction in which rows are read.
    pub fn direction(&self) -> Direction {
        self.from
            .as_ref()
            .map_or(Direction::Forward, |cursor| cursor.direction)
    }

    /// Returns a request for the first page if reading backward found fewer than a page of `rows`.
    pub fn first_page_instead(&self, rows: usize) -> Option<Self> {
        let too_few = i64::try_from(rows).is_ok_and(|rows| rows < self.limit);
        (self.direction() == Direction::Backward && too_few).then_some(Self {
            limit: self.limit,
            from: None,
        })
    }

    /// Returns the time of the row next to the page.
    pub fn from_at(&self) -> Option<DateTime<Utc>> {
        self.from.as_ref().map(|cursor| cursor.position.at)
    }

    /// Returns the id of the row next to the page. An id that is not a UUID belongs to a cursor of
    /// another list.
    pub fn from_uuid(&self) -> Result<Option<Uuid>, AppError> {
        let read = |cursor: &Cursor| Uuid::try_parse(&cursor.position.id);
        self.from
            .as_ref()
            .map(read)
            .transpose()
            .map_err(|_| AppError::field("cursor", NOT_A_CURSOR))
    }
}

/// The direction from a cursor to its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the next page.
    Forward,
    /// Towards the previous page.
    Backward,
}

/// Prefix of a backward cursor. It is not a hex digit, so it can't be part of the time.
const BACK: char = 'p';

/// A part of a sorted list, as a letter in the cursor: the sort order, and whether the row has a
/// sort value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part(char);

impl Part {
    /// Takes a letter from `q` to `z`: not a hex digit, so it can't be part of the time.
    pub const fn new(letter: char) -> Self {
        assert!(matches!(letter, 'q'..='z'), "a part is a letter from q on");
        Self(letter)
    }
}

/// The position of a row in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// `None` in a list that is newest first.
    pub part: Option<Part>,
    /// The sort value: the time of creation, unless the part has another.
    pub at: DateTime<Utc>,
    /// The row's id, of `[A-Za-z0-9_-]`.
    pub id: String,
}

/// The position of a row and the direction from there to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub direction: Direction,
    pub position: Position,
}

impl Cursor {
    /// Encodes the cursor as opaque text of `[A-Za-z0-9_-]`.
    pub fn encode(&self) -> String {
        let Position { part, at, id } = &self.position;
        let mut text = String::new();
        text.extend((self.direction == Direction::Backward).then_some(BACK));
        text.extend(part.map(|Part(letter)| letter));
        format!("{text}{:x}-{id}", at.timestamp_micros())
    }

    /// Decodes a cursor.
    pub fn decode(text: &str) -> Option<Self> {
        let (direction, text) = match text.strip_prefix(BACK) {
            Some(rest) => (Direction::Backward, rest),
            None => (Direction::Forward, text),
        };
        let part = text.chars().next().filter(|c| matches!(c, 'q'..='z'));
        let text = text.get(part.map_or(0, char::len_utf8)..)?;
        let (micros, id) = text.split_once('-')?;
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if !micros.bytes().all(digits) || id.is_empty() || id.len() > 64 {
            return None;
        }
        if !id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            return None;
        }
        // `{:x}` prints a negative number (a time before 1970) as its two's complement.
        let micros = u64::from_str_radix(micros, 16).ok()?.cast_signed();
        let at = DateTime::from_timestamp_micros(micros)?;
        // PostgreSQL's range is narrower than chrono's; no row has a time outside it.
        let years = -4000..=9999;
        years.contains(&chrono::Datelike::year(&at)).then(|| Self {
            direction,
            position: Position {
                part: part.map(Part),
                at,
                id: id.to_owned(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip() {
        for micros in [0, -1, 1_800_000_000_123_456] {
            let directions = [Direction::Forward, Direction::Backward];
            let parts = [None, Some(Part::new('q')), Some(Part::new('z'))];
            for (direction, part) in directions.into_iter().flat_map(|d| parts.map(|p| (d, p))) {
                let cursor = Cursor {
                    direction,
                    position: Position {
                        part,
                        at: DateTime::from_timestamp_micros(micros).unwrap(),
                        id: "mpk_0f1e-2d".into(),
                    },
                };
                let text = cursor.encode();
                assert!(
                    text.bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
                );
                assert_eq!(Cursor::decode(&text), Some(cursor));
            }
        }
    }

    #[test]
    fn junk_is_no_cursor() {
        for text in [
            "",
            "-",
            "-a",
            "5f-",
            "zz-a",
            "5f-a b",
            "5f-é",
            "7fffffffffffffff-a",
            "+5-a",
            "11112222333344445-a",
            "p",
            "pp5f-a",
            "q",
            "qp5f-a",
            "qr5f-a",
            "g5f-a",
        ] {
            assert_eq!(Cursor::decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let sorted = [Some(Part::new('u')), Some(Part::new('v'))];
        assert!(PageRequest::parse_of(&sorted, None, Some("v5f-a")).is_ok());
        for text in ["5f-a", "w5f-a", "pq5f-a"] {
            assert!(
                PageRequest::parse_of(&sorted, None, Some(text)).is_err(),
                "{text:?}"
            );
        }
        assert!(PageRequest::parse(None, Some("u5f-a")).is_err());
    }

    #[test]
    fn limits() {
        assert_eq!(PageRequest::parse(None, None).unwrap().limit, 50);
        assert_eq!(PageRequest::parse(Some("200"), None).unwrap().limit, 200);
        for limit in ["0", "201", "-1", "+5", "1.0", "", "9".repeat(30).as_str()] {
            assert!(PageRequest::parse(Some(limit), None).is_err(), "{limit:?}");
        }
        assert!(PageRequest::parse(None, Some("")).is_err());
    }

    /// Reads a page of two rows of the list 9, 8, … 1, as the database would.
    fn page(cursor: Option<&str>) -> Page<i64> {
        let request = PageRequest::parse(Some("2"), cursor).unwrap();
        let edge = request
            .from
            .as_ref()
            .map(|cursor| cursor.position.id.parse::<i64>().unwrap());
        let rows: Vec<i64> = match (request.direction(), edge) {
            (Direction::Forward, edge) => (1..edge.unwrap_or(10)).rev().take(3).collect(),
            (Direction::Backward, edge) => (edge.unwrap() + 1..10).take(3).collect(),
        };
        let first = request.first_page_instead(rows.len());
        match first {
            Some(_) => page(None),
            None => Page::from_rows(rows, &request, |n| Position {
                part: None,
                at: DateTime::UNIX_EPOCH,
                id: n.to_string(),
            }),
        }
    }

    #[test]
    fn pages_lead_on_and_back() {
        let first = page(None);
        assert_eq!((first.items, &first.previous_cursor), (vec![9, 8], &None));
        let second = page(first.next_cursor.as_deref());
        assert_eq!(second.items, [7, 6]);
        let third = page(second.next_cursor.as_deref());
        assert_eq!(third.items, [5, 4]);
        let back = page(third.previous_cursor.as_deref());
        assert_eq!(
            (back.items, &back.next_cursor),
            (vec![7, 6], &second.next_cursor)
        );
        let start = page(back.previous_cursor.as_deref());
        assert_eq!((start.items, start.previous_cursor), (vec![9, 8], None));
        let last = page(page(third.next_cursor.as_deref()).next_cursor.as_deref());
        assert_eq!((last.items, last.next_cursor), (vec![1], None));
    }

    #[test]
    fn the_way_back_past_the_start_shows_the_whole_first_page() {
        let odd = page(Some("p0-8"));
        assert_eq!((odd.items, odd.previous_cursor), (vec![9, 8], None));
    }
}
