//! The segments of a list, each with its order.

use chrono::{DateTime, Utc};

use crate::domain::key_list::{KeyOrder, KeyQuery};
use crate::domain::page::{Direction, Part};

/// A segment of the list, with the direction in which it is read.
pub(super) struct Segment {
    pub part: Option<Part>,
    pub rows: Rows,
    pub descending: bool,
    /// The row behind which reading begins.
    pub from: Option<(DateTime<Utc>, String)>,
}

/// The rows of a segment, and what they are sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Created,
    Used,
    NeverUsed,
    Ending,
    Endless,
}

impl Rows {
    /// Whether they are read from `api_key_last_use`.
    pub const fn by_use(self) -> bool {
        matches!(self, Self::Used | Self::NeverUsed)
    }

    /// What they are sorted by, and the id, in the columns of the index.
    pub const fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Created | Self::Endless => ("k.created_at", "k.key_id"),
            Self::Used => ("u.last_used_at", "u.key_id"),
            Self::NeverUsed => ("u.created_at", "u.key_id"),
            Self::Ending => ("k.not_after", "k.key_id"),
        }
    }

    /// The partner, in the columns of the index.
    pub const fn partner(self) -> &'static str {
        match self {
            Self::Created | Self::Ending | Self::Endless => "k.partner_id",
            Self::Used | Self::NeverUsed => "u.partner_id",
        }
    }

    /// What makes a key one of them.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Created => "",
            Self::Used => " and u.last_used_at is not null",
            Self::NeverUsed => " and u.last_used_at is null",
            Self::Ending => " and k.not_after is not null",
            Self::Endless => " and k.not_after is null",
        }
    }

    /// The order of the index.
    pub fn order(self, descending: bool) -> String {
        let (at, id) = self.key();
        let (order, nulls) = match descending {
            true => ("desc", "desc nulls last"),
            false => ("asc", "asc nulls first"),
        };
        match self {
            Self::Created | Self::Ending | Self::Endless => format!("{at} {order}, {id} {order}"),
            Self::Used => format!("{at} {nulls}, {id} {order}"),
            Self::NeverUsed => format!("u.last_used_at {nulls}, {at} {order}, {id} {order}"),
        }
    }
}

/// The segments that a page may touch, in the request's direction.
pub(super) fn segments(query: &KeyQuery) -> Vec<Segment> {
    let rows: &[(Rows, bool)] = match query.order {
        KeyOrder::Newest => &[(Rows::Created, true)],
        KeyOrder::Oldest => &[(Rows::Created, false)],
        KeyOrder::UsedLast => &[(Rows::Used, true), (Rows::NeverUsed, true)],
        KeyOrder::UnusedLongest => &[(Rows::Used, false), (Rows::NeverUsed, true)],
        KeyOrder::EndsLast => &[(Rows::Ending, true), (Rows::Endless, true)],
        KeyOrder::EndsFirst => &[(Rows::Ending, false), (Rows::Endless, true)],
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
        let begun = segments
            .iter()
            .position(|segment| segment.part == position.part);
        segments.drain(..begun.unwrap_or_default());
        if let Some(segment) = segments.first_mut() {
            segment.from = Some((position.at, position.id.clone()));
        }
    }
    segments
}
