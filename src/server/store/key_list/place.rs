//! The parts that a list is made of, and the way through each.

use chrono::{DateTime, Utc};

use crate::domain::key_list::{KeyOrder, KeyQuery};
use crate::domain::page::{Direction, Part};

/// A part of the list with the way through it.
pub(super) struct Place {
    pub part: Option<Part>,
    pub rows: Rows,
    /// Whether what it is sorted by falls on the way.
    pub falling: bool,
    /// The row that the way begins behind.
    pub from: Option<(DateTime<Utc>, String)>,
}

/// Which rows make a part of the list, and what they are sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    Made,
    Used,
    NeverUsed,
    Ending,
    Endless,
}

impl Rows {
    /// The tables that they are picked from. In each, `k` is the key.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Made | Self::Ending | Self::Endless => "api_keys k",
            Self::Used => "api_key_last_use u join api_keys k on k.key_id = u.key_id",
            Self::NeverUsed => "api_key_never_used n join api_keys k on k.key_id = n.key_id",
        }
    }

    /// What they are sorted by, and the id, in the columns of the index.
    pub const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Made | Self::Endless => ("k.created_at", "k.key_id"),
            Self::Used => ("u.last_used_at", "u.key_id"),
            Self::NeverUsed => ("n.created_at", "n.key_id"),
            Self::Ending => ("k.not_after", "k.key_id"),
        }
    }

    /// Whose key it is, in the columns of the index.
    pub const fn partner(self) -> &'static str {
        match self {
            Self::Made | Self::Ending | Self::Endless => "k.partner_id",
            Self::Used => "u.partner_id",
            Self::NeverUsed => "n.partner_id",
        }
    }

    /// What makes a key one of them, beside being in the tables.
    pub const fn condition(self) -> &'static str {
        match self {
            Self::Made | Self::Used | Self::NeverUsed => "",
            Self::Ending => " and k.not_after is not null",
            Self::Endless => " and k.not_after is null",
        }
    }
}

/// The parts of the list that a page may touch, in the request's direction.
pub(super) fn places(query: &KeyQuery) -> Vec<Place> {
    let rows: &[(Rows, bool)] = match query.order {
        KeyOrder::Newest => &[(Rows::Made, true)],
        KeyOrder::Oldest => &[(Rows::Made, false)],
        KeyOrder::UsedLast => &[(Rows::Used, true), (Rows::NeverUsed, true)],
        KeyOrder::UnusedLongest => &[(Rows::Used, false), (Rows::NeverUsed, true)],
        KeyOrder::EndsLast => &[(Rows::Ending, true), (Rows::Endless, true)],
        KeyOrder::EndsFirst => &[(Rows::Ending, false), (Rows::Endless, true)],
    };
    let parts = query.order.parts().iter().zip(rows);
    let back = query.page.direction() == Direction::Backward;
    let mut places: Vec<Place> = parts
        .map(|(part, (rows, falling))| Place {
            part: *part,
            rows: *rows,
            falling: *falling != back,
            from: None,
        })
        .collect();
    if back {
        places.reverse();
    }
    if let Some(cursor) = &query.page.from {
        let position = &cursor.position;
        let begun = places.iter().position(|place| place.part == position.part);
        places.drain(..begun.unwrap_or_default());
        if let Some(place) = places.first_mut() {
            place.from = Some((position.at, position.id.clone()));
        }
    }
    places
}
