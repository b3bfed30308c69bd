//! Pages of lists.

use chrono::{DateTime, Utc};

use crate::domain::page::{Page, PageRequest, Position};

/// Builds the requested page from the rows that were read. If the way back has led past the first row,
/// changes the request to the first page and returns `None`: read again.
pub(super) fn page_of<Row>(
    rows: Vec<Row>,
    request: &mut PageRequest,
    position: impl Fn(&Row) -> Position,
) -> Option<Page<Row>> {
    match request.first_page_instead(rows.len()) {
        None => Some(Page::from_rows(rows, request, position)),
        Some(first) => {
            *request = first;
            None
        }
    }
}

/// Position of a row in a list that is sorted by creation time.
pub(super) fn newest_first(at: DateTime<Utc>, id: impl ToString) -> Position {
    Position {
        part: None,
        at,
        id: id.to_string(),
    }
}
