//! Pages of table `api_keys`: filtered, searched and sorted. The ids of a page come from an index; whole
//! rows are read afterwards.

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

/// Returns one row more than the page size, in the request's direction, each with its position.
pub async fn list(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(Position, KeyRow)>> {
    loop {
        let positions = page_positions(connection, query, now).await?;
        // The statement for whole rows is prepared, so it is planned once.
        let ids: Vec<&str> = positions
            .iter()
            .map(|position| position.id.as_str())
            .collect();
        let mut rows = keys::by_id(connection, &ids).await?;
        // Retries if a key was deleted between the two statements.
        if rows.len() == positions.len() {
            let with_row =
                |position: Position| rows.remove(&position.id).map(|row| (position, row));
            return Ok(positions.into_iter().filter_map(with_row).collect());
        }
    }
}

/// Positions of a page.
async fn page_positions(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Position>> {
    let mut positions: Vec<Position> = Vec::new();
    for segment in segments(query) {
        let remaining = query.page.limit + 1 - positions.len() as i64;
        if remaining <= 0 {
            break;
        }
        let mut statement = QueryBuilder::new("");
        PageQuery {
            query,
            segment: &segment,
            now,
            limit: remaining,
        }
        .push(&mut statement);
        // Not prepared, since the best plan depends on the filter values.
        let found: Vec<(DateTime<Utc>, String)> = statement
            .build_query_as()
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?;
        let part = segment.part;
        positions.extend(found.into_iter().map(|(at, id)| Position { part, at, id }));
    }
    Ok(positions)
}

/// PostgreSQL's query plans of a page, one per segment, for the list benchmark.
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
