//! Table `api_keys`, as it is listed: filtered, searched, sorted, a page at a time. A page's ids are
//! picked by an index made for it, and only then whole rows are read.

mod page_query;
mod search;
mod segment;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, QueryBuilder};

use self::page_query::PageQuery;
use self::segment::segments;
use super::keys::{self, KeyRow};
use crate::domain::key_list::KeyQuery;
use crate::domain::page::Position;

pub(super) use self::page_query::push_count;

/// One more row than the page has, in the request's direction, each with its place in the list.
pub async fn list(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(Position, KeyRow)>> {
    loop {
        let picked = pick(connection, query, now).await?;
        // Whole rows are read by a statement that is planned once.
        let ids: Vec<&str> = picked.iter().map(|position| position.id.as_str()).collect();
        let mut rows = keys::by_id(connection, &ids).await?;
        // Keys that were picked may be deleted by now; then others take their places.
        if rows.len() == picked.len() {
            let with_row =
                |position: Position| rows.remove(&position.id).map(|row| (position, row));
            return Ok(picked.into_iter().filter_map(with_row).collect());
        }
    }
}

/// The places of a page.
async fn pick(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Position>> {
    let mut picked: Vec<Position> = Vec::new();
    for segment in segments(query) {
        let left = query.page.limit + 1 - picked.len() as i64;
        if left <= 0 {
            break;
        }
        let mut statement = QueryBuilder::new("");
        PageQuery {
            query,
            segment: &segment,
            now,
            limit: left,
        }
        .push(&mut statement);
        // Planned anew each time: what fits one filter is far off for another.
        let found: Vec<(DateTime<Utc>, String)> = statement
            .build_query_as()
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?;
        let part = segment.part;
        picked.extend(found.into_iter().map(|(at, id)| Position { part, at, id }));
    }
    Ok(picked)
}

/// PostgreSQL's plans of the page, one for each segment that it may touch. The benchmark of lists looks
/// for indexes in them.
///
/// # Errors
/// The database's.
pub async fn explain(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<serde_json::Value>> {
    let mut plans = Vec::new();
    for segment in segments(query) {
        let mut statement = QueryBuilder::new("explain (format json) ");
        PageQuery {
            query,
            segment: &segment,
            now,
            limit: query.page.limit + 1,
        }
        .push(&mut statement);
        let plan = statement
            .build_query_scalar()
            .persistent(false)
            .fetch_one(&mut *connection)
            .await?;
        plans.push(plan);
    }
    Ok(plans)
}
