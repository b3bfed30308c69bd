//! Segments of a list, each with its own order.

use chrono::{DateTime, Utc};

use crate::domain::key_list::{KeyOrder, KeyQuery};
use crate::domain::page::{Direction, Part};

/// A segment of the list and the direction in which it is read.
pub(super) struct Segment {
    pub part: Option<Part>,
    pub rows: Rows,
    pub descending: bool,
    /// Row after which the page starts.
    pub from: Option<(DateTime<Utc>, String)>,
}

/// Rows of a segment, which determine the sort columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Created,
    Used,
    NeverUsed,
    WithEnd,
    WithoutEnd,
}

impl Rows {
    /// True if the index is on `api_key_last_use`.
    pub const fn by_use(self) -> bool {
        matches!(self, Self::Used | Self::NeverUsed)
    }

    /// Sort column and id column of the index.
    pub const fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Created | Self::WithoutEnd => ("k.created_at", "k.key_id"),
            Self::Used => ("u.last_used_at", "u.key_id"),
            Self::NeverUsed => ("u.created_at", "u.key_id"),
            Self::WithEnd => ("k.not_after", "k.key_id"),
        }
    }

    /// Partner column of the index.
    pub const fn partner(self) -> &'static str {
        match self {
            Self::Created | Self::WithEnd | Self::WithoutEnd => "k.partner_id",
            Self::Used | Self::NeverUsed => "u.partner_id",
        }
    }

    /// Condition that selects the rows.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Created => "",
            Self::Used => " and u.last_used_at is not null",
            Self::NeverUsed => " and u.last_used_at is null",
            Self::WithEnd => " and k.not_after is not null",
            Self::WithoutEnd => " and k.not_after is null",
        }
    }

    /// ORDER BY that matches the index.
    pub fn order(self, descending: bool) -> String {
        let (at, id) = self.key();
        let (order, nulls) = match descending {
            true => ("desc", "desc nulls last"),
            false => ("asc", "asc nulls first"),
        };
        match self {
            Self::Created | Self::WithEnd | Self::WithoutEnd => {
                format!("{at} {order}, {id} {order}")
            }
            Self::Used => format!("{at} {nulls}, {id} {order}"),
            Self::NeverUsed => format!("u.last_used_at {nulls}, {at} {order}, {id} {order}"),
        }
    }
}

/// Segments that a page may include, in the request's direction.
pub(super) fn segments(query: &KeyQuery) -> Vec<Segment> {
    let rows: &[(Rows, bool)] = match query.order {
        KeyOrder::Newest => &[(Rows::Created, true)],
        KeyOrder::Oldest => &[(Rows::Created, false)],
        KeyOrder::UsedLast => &[(Rows::Used, true), (Rows::NeverUsed, true)],
        KeyOrder::UnusedLongest => &[(Rows::Used, false), (Rows::NeverUsed, true)],
        KeyOrder::EndsLast => &[(Rows::WithEnd, true), (Rows::WithoutEnd, true)],
        KeyOrder::EndsFirst => &[(Rows::WithEnd, false), (Rows::WithoutEnd, true)],
    };
    let parts = query.order.parts().iter().zip(rows);
    let back = query.page.direction() == Direction::Backward;
    let mut segments: Vec<Segment> = parts
        .map(|(part, (rows, descending))| Segment {
            part: *part,
            rows: *rows,
            descending: *descending != back,
            from: None,
        })
        .collect();
    if back {
        segments.reverse();
    }
    if let Some(cursor) = &query.page.from {
        let position = &cursor.position;
        let first = segments
            .iter()
            .position(|segment| segment.part == position.part);
        segments.drain(..first.unwrap_or_default());
        if let Some(segment) = segments.first_mut() {
            segment.from = Some((position.at, position.id.clone()));
        }
    }
    segments
}
