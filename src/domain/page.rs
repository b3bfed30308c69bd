//! Lists, newest first by (createdAt, id), and the opaque cursor between their pages.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::{AppError, FieldError};

const NOT_A_CURSOR: &str = "is not a cursor of this list: take nextCursor as it was given";

/// Rows of a page when the caller names no number.
pub const DEFAULT_LIMIT: i64 = 50;
/// Most rows of a page.
pub const MAX_LIMIT: i64 = 200;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The rows, newest first.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of at most `limit` rows out of up to `limit + 1` that were read: the one too
    /// many tells that there is a next page.
    pub fn from_rows(mut rows: Vec<T>, limit: i64, position: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .map(|last| position(last).encode());
        Self {
            items: rows,
            next_cursor,
        }
    }
}

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Rows on the page, 1 to [`MAX_LIMIT`].
    pub limit: i64,
    /// The last row of the page before; `None` for the first page.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// Reads `limit` and `cursor` as they stand in a query.
    ///
    /// # Errors
    /// [`AppError::Invalid`] naming the faulty parameter.
    pub fn parse(limit: Option<&str>, cursor: Option<&str>) -> Result<Self, AppError> {
        let limit = match limit {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit) && !text.starts_with('+'))
                .ok_or_else(|| FieldError::new("limit", "must be a whole number from 1 to 200"))?,
        };
        let after = match cursor {
            None => None,
            Some(text) => {
                Some(Cursor::decode(text).ok_or_else(|| FieldError::new("cursor", NOT_A_CURSOR))?)
            }
        };
        Ok(Self { limit, after })
    }
}

impl PageRequest {
    /// The id of the last row of the page before, in a list whose ids are UUIDs.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a cursor of another list.
    pub fn after_uuid(&self) -> Result<Option<Uuid>, AppError> {
        let read = |cursor: &Cursor| Uuid::try_parse(&cursor.id);
        self.after
            .as_ref()
            .map(read)
            .transpose()
            .map_err(|_| AppError::field("cursor", NOT_A_CURSOR))
    }
}

/// A position in a list: the creation time and the id of the last row that was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// When the row was made.
    pub at: DateTime<Utc>,
    /// The row's id, `[A-Za-z0-9_-]`.
    pub id: String,
}

impl Cursor {
    /// The position as opaque text of `[A-Za-z0-9_-]`.
    #[must_use]
    pub fn encode(&self) -> String {
        format!("{:x}-{}", self.at.timestamp_micros(), self.id)
    }

    /// Reads the text back; `None` where it is no cursor.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
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
        // PostgreSQL's range is narrower than chrono's; a time outside it is no row's.
        let years = -4000..=9999;
        years.contains(&chrono::Datelike::year(&at)).then(|| Self {
            at,
            id: id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip() {
        for micros in [0, -1, 1_800_000_000_123_456] {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let cursor = Cursor {
                at,
                id: "mpk_0f1e-2d".into(),
            };
            let text = cursor.encode();
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
            );
            assert_eq!(Cursor::decode(&text), Some(cursor));
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
        ] {
            assert_eq!(Cursor::decode(text), None, "{text:?}");
        }
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

    #[test]
    fn a_page_ends_where_the_rows_end() {
        let position = |n: &i64| Cursor {
            at: DateTime::from_timestamp_micros(*n).unwrap(),
            id: n.to_string(),
        };
        assert_eq!(Page::from_rows(vec![3, 2], 2, position).next_cursor, None);
        let page = Page::from_rows(vec![3, 2, 1], 2, position);
        assert_eq!(
            (page.items, page.next_cursor),
            (vec![3, 2], Some("2-2".into()))
        );
    }
}
