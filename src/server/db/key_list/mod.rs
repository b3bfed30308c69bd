//! Table `api_keys`, as it is listed: filtered, searched, sorted, a page at a time. A page's ids are
//! picked by an index made for it, and only then whole rows are looked at.

mod pick;
mod place;
mod search;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, QueryBuilder};

use self::pick::Pick;
use self::place::places;
use self::search::Search;
use super::keys::{self, KeyRow};
use crate::domain::key_list::KeyQuery;
use crate::domain::page::Position;

pub(super) use self::pick::push_at;

/// One more row than the page has, in the request's direction, each with its place in the list.
pub async fn list(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(Position, KeyRow)>> {
    let search = Search::read(connection, query.q.as_deref()).await?;
    let mut picked: Vec<Position> = Vec::new();
    for place in places(query) {
        let left = query.page.limit + 1 - picked.len() as i64;
        if left <= 0 {
            break;
        }
        let mut statement = QueryBuilder::new("");
        let pick = Pick {
            query,
            search: &search,
            place: &place,
            now,
            limit: left,
        };
        pick.push(&mut statement);
        // Planned anew each time: what fits one filter is far off for another.
        let found: Vec<(DateTime<Utc>, String)> = statement
            .build_query_as()
            .persistent(false)
            .fetch_all(&mut *connection)
            .await?;
        let part = place.part;
        picked.extend(found.into_iter().map(|(at, id)| Position { part, at, id }));
    }
    // Whole rows are read by a statement that is planned once.
    let ids: Vec<&str> = picked.iter().map(|position| position.id.as_str()).collect();
    let mut rows = keys::by_id(connection, &ids).await?;
    let with_row = |position: Position| rows.remove(&position.id).map(|row| (position, row));
    Ok(picked.into_iter().filter_map(with_row).collect())
}

/// How PostgreSQL would read the page: one plan for each part of the list that the page may touch.
/// What the benchmark of lists looks for indexes in.
///
/// # Errors
/// The database's.
pub async fn explain(
    connection: &mut PgConnection,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<serde_json::Value>> {
    let search = Search::read(connection, query.q.as_deref()).await?;
    let mut plans = Vec::new();
    for place in places(query) {
        let mut statement = QueryBuilder::new("explain (format json) ");
        let pick = Pick {
            query,
            search: &search,
            place: &place,
            now,
            limit: query.page.limit + 1,
        };
        pick.push(&mut statement);
        let plan = statement
            .build_query_scalar()
            .persistent(false)
            .fetch_one(&mut *connection)
            .await?;
        plans.push(plan);
    }
    Ok(plans)
}
