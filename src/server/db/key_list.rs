//! Table `api_keys`, as it is listed: filtered, searched, sorted, a page at a time. A page's ids are
//! picked by an index made for it, and only then whole rows are looked at.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use super::keys::{self, KeyRow, is_expiring, is_rotation_due, is_stale, is_still_used};
use crate::domain::key::{Environment, KeyStatus, LATELY, SOON};
use crate::domain::key_list::{KeyOrder, KeyQuery};
use crate::domain::page::{Direction, Part, Position};
use crate::server::db::{begins_pattern, contains_pattern};

/// The shortest text that is searched for anywhere: an index of trigrams tells nothing of less.
const ANYWHERE: usize = 3;

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

/// A part of the list with the way through it.
struct Place {
    part: Option<Part>,
    rows: Rows,
    /// Whether what it is sorted by falls on the way.
    falling: bool,
    /// The row that the way begins behind.
    from: Option<(DateTime<Utc>, String)>,
}

/// Which rows make a part of the list, and what they are sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    Made,
    Used,
    NeverUsed,
    Ending,
    Endless,
}

impl Rows {
    /// The tables that they are picked from. In each, `k` is the key.
    const fn source(self) -> &'static str {
        match self {
            Self::Made | Self::Ending | Self::Endless => "api_keys k",
            Self::Used => "api_key_last_use u join api_keys k on k.key_id = u.key_id",
            Self::NeverUsed => "api_key_never_used n join api_keys k on k.key_id = n.key_id",
        }
    }

    /// What they are sorted by, and the id, in the columns of the index.
    const fn place(self) -> (&'static str, &'static str) {
        match self {
            Self::Made | Self::Endless => ("k.created_at", "k.key_id"),
            Self::Used => ("u.last_used_at", "u.key_id"),
            Self::NeverUsed => ("n.created_at", "n.key_id"),
            Self::Ending => ("k.not_after", "k.key_id"),
        }
    }

    /// What makes a key one of them, beside being in the tables.
    const fn condition(self) -> &'static str {
        match self {
            Self::Made | Self::Used | Self::NeverUsed => "",
            Self::Ending => " and k.not_after is not null",
            Self::Endless => " and k.not_after is null",
        }
    }
}

/// The parts of the list that a page may touch, in the request's direction.
fn places(query: &KeyQuery) -> Vec<Place> {
    let rows: &[(Rows, bool)] = match query.order {
        KeyOrder::Newest => &[(Rows::Made, true)],
        KeyOrder::Oldest => &[(Rows::Made, false)],
        KeyOrder::UsedLast => &[(Rows::Used, true), (Rows::NeverUsed, true)],
        KeyOrder::UnusedLongest => &[(Rows::Used, false), (Rows::NeverUsed, true)],
        KeyOrder::EndsLast => &[(Rows::Ending, true), (Rows::Endless, true)],
        KeyOrder::EndsFirst => &[(Rows::Ending, false), (Rows::Endless, true)],
    };
    let parts = query.order.parts().iter().zip(rows);
    let back = query.page.direction() == Direction::Back;
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

/// What is searched for: a pattern for keys, and the partners whose names fit.
pub(super) struct Search {
    found: Option<(String, Vec<Uuid>)>,
}

impl Search {
    /// Looks the partners up.
    pub(super) async fn read(connection: &mut PgConnection, q: Option<&str>) -> sqlx::Result<Self> {
        let Some(q) = q else {
            return Ok(Self { found: None });
        };
        let is_anywhere = q.chars().count() >= ANYWHERE;
        let by_name = if is_anywhere {
            contains_pattern(q)
        } else {
            begins_pattern("", q)
        };
        let partners: Vec<Uuid> =
            sqlx::query_scalar("select partner_id from partners where lower(name) like lower($1)")
                .bind(&by_name)
                .persistent(false)
                .fetch_all(connection)
                .await?;
        let pattern = if is_anywhere {
            contains_pattern(q)
        } else {
            begins_pattern("%\n", q)
        };
        Ok(Self {
            found: Some((pattern, partners)),
        })
    }

    fn push(self: &Search, statement: &mut QueryBuilder<Postgres>) {
        let Some((pattern, partners)) = &self.found else {
            return;
        };
        statement.push(" and (k.search_text like lower(");
        statement.push_bind(pattern.clone());
        statement.push(")");
        if !partners.is_empty() {
            statement.push(" or k.partner_id = any(");
            statement.push_bind(partners.clone());
            statement.push(")");
        }
        statement.push(")");
    }
}

/// The statement of a page.
struct Pick<'a> {
    query: &'a KeyQuery,
    search: &'a Search,
    place: &'a Place,
    now: DateTime<Utc>,
    limit: i64,
}

/// Which keys a part of the statement picks.
#[derive(Clone, Copy)]
enum Branch {
    Any,
    /// Those of a status, as far as that is what it was when last looked at.
    LookedAt(KeyStatus),
    /// Those of a status, as far as it has changed since.
    Over(KeyStatus),
}

impl Pick<'_> {
    fn push(&self, statement: &mut QueryBuilder<Postgres>) {
        let branches: &[Branch] = match self.query.status {
            None => &[Branch::Any],
            Some(status) => &[Branch::LookedAt(status), Branch::Over(status)],
        };
        statement.push("select picked.at, picked.key_id from (");
        for (n, branch) in branches.iter().enumerate() {
            statement.push(if n == 0 { "(" } else { " union all (" });
            self.push_branch(statement, *branch);
            statement.push(")");
        }
        statement.push(") picked");
        self.push_end(statement, "picked.at", "picked.key_id");
    }

    fn push_branch(&self, statement: &mut QueryBuilder<Postgres>, branch: Branch) {
        let (query, place) = (self.query, self.place);
        let (at, id) = place.rows.place();
        let source = place.rows.source();
        statement.push(format!("select {at} as at, {id} as key_id from {source}"));
        if query.rotation_due.is_some() {
            statement.push(" join partners p on p.partner_id = k.partner_id");
        }
        if query.stale.is_some() && place.rows != Rows::Used {
            statement.push(" left join api_key_last_use u on u.key_id = k.key_id");
        }
        statement.push(" where true");
        statement.push(place.rows.condition());
        if let Some((from, from_id)) = &place.from {
            let compare = if place.falling { "<" } else { ">" };
            statement.push(format!(" and ({at}, {id}) {compare} ("));
            statement.push_bind(*from);
            statement.push(", ");
            statement.push_bind(from_id.clone());
            statement.push(")");
        }
        push_filters(statement, query, self.search, self.now);
        self.push_status(statement, branch);
        self.push_end(statement, at, id);
    }

    fn push_status(&self, statement: &mut QueryBuilder<Postgres>, branch: Branch) {
        let now = self.now;
        match branch {
            Branch::Any => {}
            Branch::LookedAt(status) => {
                statement.push(" and k.listed_status = ");
                statement.push_bind(status.as_str());
                statement.push(" and (k.listed_until is null or k.listed_until > ");
                statement.push_bind(now);
                statement.push(")");
                let ends_later = matches!(status, KeyStatus::Active | KeyStatus::Retiring);
                if ends_later && self.place.rows == Rows::Ending {
                    // Implied, but so the index is entered where those begin.
                    statement.push(" and k.not_after > ");
                    statement.push_bind(now);
                }
            }
            Branch::Over(status) => {
                statement.push(" and k.listed_until <= ");
                statement.push_bind(now);
                statement.push(
                    " and api_key_status(k.revoked_at, k.retires_at, k.not_before, k.not_after, ",
                );
                statement.push_bind(now);
                statement.push(") = ");
                statement.push_bind(status.as_str());
            }
        }
    }

    fn push_end(&self, statement: &mut QueryBuilder<Postgres>, at: &str, id: &str) {
        let order = if self.place.falling { "desc" } else { "asc" };
        statement.push(format!(" order by {at} {order}, {id} {order} limit "));
        statement.push_bind(self.limit);
    }
}

/// Everything that a list is filtered by, but for the status.
fn push_filters(
    statement: &mut QueryBuilder<Postgres>,
    query: &KeyQuery,
    search: &Search,
    now: DateTime<Utc>,
) {
    if let Some(partner_id) = query.partner_id {
        statement.push(" and k.partner_id = ");
        statement.push_bind(partner_id);
    }
    if let Some(environment) = query.environment {
        statement.push(" and k.environment = ");
        statement.push_bind(Environment::as_str(environment));
    }
    search.push(statement);
    let flags = [
        (query.rotation_due, is_rotation_due!("$now")),
        (query.stale, is_stale!("$now")),
        (query.expiring, is_expiring!("$now", "$soon")),
        (query.still_used, is_still_used!("$now")),
        (
            query.refused,
            "exists (select from api_key_last_refusal r
                      where r.key_id = k.key_id and r.last_refused_at > $lately)",
        ),
        (
            query.never_used,
            "exists (select from api_key_never_used n where n.key_id = k.key_id)",
        ),
        // What the first two imply, in a form that an index can begin at.
        (
            query.rotation_due.filter(|due| *due),
            "k.created_at <= $now - make_interval(hours => 24 * (select least(
                 (select max_key_age_days from policy),
                 (select min(max_key_age_days) from partners where max_key_age_days is not null))))",
        ),
        (
            query.stale.filter(|stale| *stale),
            "k.created_at <= $now - make_interval(hours => 24 * (select stale_after_days from policy))",
        ),
    ];
    for (wanted, condition) in flags {
        if let Some(wanted) = wanted {
            // A plain condition can use an index; only its opposite must mind what is unknown.
            statement.push(if wanted {
                " and ("
            } else {
                " and not coalesce(("
            });
            push_at(statement, condition, now);
            statement.push(if wanted { ")" } else { "), false)" });
        }
    }
}

/// A condition with its moments, `$now`, `$soon` and `$lately`, in their places.
pub(super) fn push_at(statement: &mut QueryBuilder<Postgres>, condition: &str, now: DateTime<Utc>) {
    let moments = [("now", now), ("soon", now + SOON), ("lately", now - LATELY)];
    for (n, part) in condition.split('$').enumerate() {
        let named = moments
            .iter()
            .find_map(|(name, at)| Some((part.strip_prefix(name)?, at)));
        match named {
            Some((rest, at)) if n > 0 => {
                statement.push_bind(*at);
                statement.push(rest);
            }
            _ => {
                statement.push(part);
            }
        }
    }
}
