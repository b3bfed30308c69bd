//! Table `api_keys`, as it is listed: filtered, searched, sorted, a page at a time. A page's ids are
//! picked by an index made for it, and only then whole rows are looked at.

mod newest;
mod pick;
mod place;
mod search;

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, QueryBuilder};

use self::newest::{NEWEST, push_changes, push_reading};
use self::pick::Pick;
use self::place::places;
use self::search::Search;
use super::keys::{self, KeyRow};
use crate::domain::key_list::KeyQuery;
use crate::domain::page::Position;

pub use self::newest::Newest;
pub(super) use self::pick::push_at;

const EXPLAIN: &str = "explain (format json) ";

/// One more row than the page has, in the request's direction, each with its place in the list.
pub async fn list(
    connection: &mut PgConnection,
    newest: &Newest,
    query: &KeyQuery,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<(Position, KeyRow)>> {
    let search = Search::read(connection, query.q.as_deref()).await?;
    let picked = page(connection, Some(newest), query, &search, now).await?;
    let most = picked.len();
    let rows = with_rows(connection, picked).await?;
    if rows.len() == most {
        return Ok(rows);
    }
    // Keys are gone that were picked, and others take their places.
    newest.forget();
    let picked = page(connection, None, query, &search, now).await?;
    with_rows(connection, picked).await
}

/// The places of a page.
async fn page(
    connection: &mut PgConnection,
    newest: Option<&Newest>,
    query: &KeyQuery,
    search: &Search,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Position>> {
    let mut picked: Vec<Position> = Vec::new();
    for place in places(query) {
        let left = query.page.limit + 1 - picked.len() as i64;
        if left <= 0 {
            break;
        }
        let pick = Pick {
            query,
            search,
            place: &place,
            now,
            limit: left,
        };
        let kept = match newest {
            Some(newest) => newest.pick(connection, &pick).await?,
            None => None,
        };
        let found = match kept {
            Some(found) => found,
            None => pick_by(connection, &pick).await?,
        };
        let part = place.part;
        picked.extend(found.into_iter().map(|(at, id)| Position { part, at, id }));
    }
    Ok(picked)
}

/// The rows of these places, as far as there still are such keys.
async fn with_rows(
    connection: &mut PgConnection,
    picked: Vec<Position>,
) -> sqlx::Result<Vec<(Position, KeyRow)>> {
    // Whole rows are read by a statement that is planned once.
    let ids: Vec<&str> = picked.iter().map(|position| position.id.as_str()).collect();
    let mut rows = keys::by_id(connection, &ids).await?;
    let with_row = |position: Position| rows.remove(&position.id).map(|row| (position, row));
    Ok(picked.into_iter().filter_map(with_row).collect())
}

/// The rows of a part of the list, by a statement that is planned anew each time: what fits one filter is
/// far off for another.
async fn pick_by(
    connection: &mut PgConnection,
    pick: &Pick<'_>,
) -> sqlx::Result<Vec<(DateTime<Utc>, String)>> {
    let mut statement = QueryBuilder::new("");
    pick.push(&mut statement);
    statement
        .build_query_as()
        .persistent(false)
        .fetch_all(connection)
        .await
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
        let pick = Pick {
            query,
            search: &search,
            place: &place,
            now,
            limit: query.page.limit + 1,
        };
        let mut statements = vec![QueryBuilder::new(EXPLAIN)];
        pick.push(&mut statements[0]);
        if let Some(text) = pick.text_alone() {
            let mut changes = QueryBuilder::new(EXPLAIN);
            push_changes(&mut changes, "0", text);
            let mut reading = QueryBuilder::new(EXPLAIN);
            push_reading(&mut reading, NEWEST);
            statements.extend([changes, reading]);
        }
        for mut statement in statements {
            let plan = statement
                .build_query_scalar()
                .persistent(false)
                .fetch_one(&mut *connection)
                .await?;
            plans.push(plan);
        }
    }
    Ok(plans)
}
