//! Statement that selects the ids of a page.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};

use super::search::SearchCriteria;
use super::segment::{Rows, Segment};
use crate::domain::key_list::KeyQuery;
use crate::server::store::key_conditions as conditions;

/// Query for the rows of a page within a segment.
pub(super) struct PageQuery<'a> {
    pub query: &'a KeyQuery,
    pub segment: &'a Segment,
    pub now: DateTime<Utc>,
    pub limit: i64,
}

impl PageQuery<'_> {
    /// Adds the whole statement. A search is a union of two branches, each with its own index: matching
    /// keys, and keys of matching partners.
    pub fn push(&self, statement: &mut QueryBuilder<Postgres>) {
        let Some(q) = &self.query.q else {
            self.push_branch(statement, |_, _| {});
            return;
        };
        let search = SearchCriteria::new(q);
        statement.push("select found.at, found.key_id from ((");
        self.push_branch(statement, |statement, _| push_text(statement, &search));
        statement.push(") union (");
        self.push_branch(statement, |statement, rows| {
            push_partners(statement, &search, rows);
        });
        let order = if self.segment.descending {
            "desc"
        } else {
            "asc"
        };
        statement.push(format!(
            ")) found order by found.at {order}, found.key_id {order} limit "
        ));
        statement.push_bind(self.limit);
    }

    fn push_branch(
        &self,
        statement: &mut QueryBuilder<Postgres>,
        push_search: impl Fn(&mut QueryBuilder<Postgres>, Rows),
    ) {
        let Segment {
            rows,
            descending,
            from,
            ..
        } = self.segment;
        let (at, id) = rows.key();
        statement.push(format!("select {at} as at, {id} as key_id"));
        push_matching(statement, self.query, *rows, self.now);
        if let Some((from, from_id)) = from {
            let compare = if *descending { "<" } else { ">" };
            statement.push(format!(" and ({at}, {id}) {compare} ("));
            statement.push_bind(*from);
            statement.push(", ");
            statement.push_bind(from_id.clone());
            statement.push(")");
        }
        push_search(statement, *rows);
        statement.push(format!(" order by {} limit ", rows.order(*descending)));
        statement.push_bind(self.limit);
    }
}

/// Adds a subquery that counts the matching keys up to `max`, ignoring the search.
pub fn push_count(
    statement: &mut QueryBuilder<Postgres>,
    query: &KeyQuery,
    now: DateTime<Utc>,
    max: i64,
) {
    statement.push("(select count(*) from (select");
    push_matching(statement, query, Rows::Created, now);
    statement.push(" limit ");
    statement.push_bind(max);
    statement.push(") counted)");
}

/// Adds FROM and WHERE with all filters except the search.
fn push_matching(
    statement: &mut QueryBuilder<Postgres>,
    query: &KeyQuery,
    rows: Rows,
    now: DateTime<Utc>,
) {
    let with_use = [
        query.stale,
        query.still_used,
        query.refused,
        query.never_used,
    ];
    statement.push(" from api_keys k");
    if rows.by_use() || with_use.iter().any(Option::is_some) {
        statement.push(" join api_key_last_use u on u.key_id = k.key_id");
    }
    if query.rotation_due.is_some() {
        statement.push(" join partners p on p.partner_id = k.partner_id");
    }
    statement.push(" where true");
    statement.push(rows.condition());
    if let Some(partner_id) = query.partner_id {
        statement.push(format!(" and {} = ", rows.partner()));
        statement.push_bind(partner_id);
    }
    if let Some(environment) = query.environment {
        statement.push(" and k.environment = ");
        statement.push_bind(environment.into_str());
    }
    if let Some(status) = query.status {
        statement.push(" and ");
        conditions::push_status(statement, status, now);
    }
    let flags = [
        (query.rotation_due, conditions::ROTATION_DUE),
        (query.stale, conditions::STALE),
        (query.expiring, conditions::EXPIRING),
        (query.still_used, conditions::STILL_USED),
        (query.refused, conditions::REFUSED),
        (query.never_used, conditions::NEVER_USED),
        (
            query.rotation_due.filter(|due| *due),
            conditions::MAY_BE_DUE,
        ),
        (query.stale.filter(|stale| *stale), conditions::MAY_BE_STALE),
    ];
    for (expected, condition) in flags {
        if let Some(expected) = expected {
            // A plain condition can use an index; only the negation needs to handle null.
            let (begin, end) = match expected {
                true => (" and (", ")"),
                false => (" and not coalesce((", "), false)"),
            };
            statement.push(begin);
            conditions::push(statement, condition, now);
            statement.push(end);
        }
    }
}

fn push_text(statement: &mut QueryBuilder<Postgres>, search: &SearchCriteria) {
    statement.push(" and k.search_text like lower(");
    statement.push_bind(search.keys.clone());
    statement.push(")");
}

fn push_partners(statement: &mut QueryBuilder<Postgres>, search: &SearchCriteria, rows: Rows) {
    statement.push(format!(
        " and {} in (select partner_id from partners where lower(name) like lower(",
        rows.partner()
    ));
    statement.push_bind(search.partners.clone());
    statement.push("))");
}
