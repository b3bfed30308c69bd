//! The statement that picks a page's ids.

use chrono::{DateTime, Utc};
use sqlx::{Postgres, QueryBuilder};

use super::place::{Place, Rows};
use super::search::{Search, Way};
use crate::domain::key::{EXPIRY_WARNING, KeyStatus, RECENT_WINDOW};
use crate::domain::key_list::KeyQuery;
use crate::server::store::keys::{is_expiring, is_rotation_due, is_stale, is_still_used};

/// The statement of a page.
pub(super) struct Pick<'a> {
    pub query: &'a KeyQuery,
    pub search: &'a Search,
    pub place: &'a Place,
    pub now: DateTime<Utc>,
    pub limit: i64,
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
    /// Everything that the page may need.
    pub fn push(&self, statement: &mut QueryBuilder<Postgres>) {
        let branches: &[Branch] = match self.query.status {
            None => &[Branch::Any],
            Some(status) => &[Branch::LookedAt(status), Branch::Over(status)],
        };
        let ways = self.search.ways(self.text_alone().is_some());
        // What is on two ways is picked once.
        let union = if ways.len() > 1 {
            " union "
        } else {
            " union all "
        };
        let parts = branches
            .iter()
            .flat_map(|branch| ways.iter().map(move |way| (*branch, *way)));
        statement.push("select picked.at, picked.key_id from (");
        for (n, (branch, way)) in parts.enumerate() {
            statement.push(if n == 0 { "" } else { union });
            statement.push("(");
            self.push_way(statement, branch, way);
            statement.push(")");
        }
        statement.push(") picked");
        self.push_end(statement, "picked.at", "picked.key_id", self.limit);
    }

    /// The text that is searched for anywhere, where nothing else picks keys and they are in the order in
    /// which they were made.
    pub fn text_alone(&self) -> Option<&str> {
        let KeyQuery {
            partner_id: None,
            q: _,
            status: None,
            environment: None,
            rotation_due: None,
            stale: None,
            expiring: None,
            still_used: None,
            refused: None,
            never_used: None,
            order: _,
            page: _,
        } = self.query
        else {
            return None;
        };
        self.search
            .anywhere()
            .filter(|_| self.place.rows == Rows::Made)
    }

    /// The page out of these keys.
    pub fn push_of(&self, statement: &mut QueryBuilder<Postgres>, ids: &[&str]) {
        let (at, id) = self.place.rows.place();
        let source = self.place.rows.source();
        statement.push(format!(
            "select {at}, {id} from {source} where k.key_id = any("
        ));
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        statement.push_bind(ids);
        statement.push(")");
        self.push_from(statement);
        self.push_end(statement, at, id, self.limit);
    }

    fn push_way(&self, statement: &mut QueryBuilder<Postgres>, branch: Branch, way: Way<'_>) {
        match way {
            Way::All | Way::Text => return self.push_branch(statement, branch, way),
            Way::Of(partners) => {
                statement.push("select each.at, each.key_id from unnest(");
                statement.push_bind(partners.to_vec());
                statement.push("::uuid[])");
            }
            Way::Named(names) => {
                statement.push("select each.at, each.key_id from unnest(");
                statement.push_bind(names.to_vec());
                statement.push("::text[])");
            }
        }
        statement.push(" fits (one) cross join lateral (");
        self.push_branch(statement, branch, way);
        statement.push(") each");
        self.push_end(statement, "each.at", "each.key_id", self.limit);
    }

    fn push_branch(&self, statement: &mut QueryBuilder<Postgres>, branch: Branch, way: Way<'_>) {
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
        self.push_from(statement);
        statement.push(match way {
            Way::All | Way::Text | Way::Of(_) => "",
            Way::Named(_) => " and k.name = fits.one",
        });
        let partner = place.rows.partner();
        if matches!(way, Way::Of(_)) {
            statement.push(format!(" and {partner} = fits.one"));
        }
        if let Some(partner_id) = query.partner_id {
            statement.push(format!(" and {partner} = "));
            statement.push_bind(partner_id);
        }
        push_filters(statement, query, self.now);
        self.search.push(statement, way);
        self.push_status(statement, branch);
        self.push_end(statement, at, id, self.limit);
    }

    /// Where the page begins.
    fn push_from(&self, statement: &mut QueryBuilder<Postgres>) {
        let (at, id) = self.place.rows.place();
        if let Some((from, from_id)) = &self.place.from {
            let compare = if self.place.falling { "<" } else { ">" };
            statement.push(format!(" and ({at}, {id}) {compare} ("));
            statement.push_bind(*from);
            statement.push(", ");
            statement.push_bind(from_id.clone());
            statement.push(")");
        }
    }

    fn push_status(&self, statement: &mut QueryBuilder<Postgres>, branch: Branch) {
        let now = self.now;
        match branch {
            Branch::Any => {}
            Branch::LookedAt(status) => {
                statement.push(" and k.listed_status = ");
                statement.push_bind(status.into_str());
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
                statement.push_bind(status.into_str());
            }
        }
    }

    fn push_end(&self, statement: &mut QueryBuilder<Postgres>, at: &str, id: &str, limit: i64) {
        let order = if self.place.falling { "desc" } else { "asc" };
        statement.push(format!(" order by {at} {order}, {id} {order} limit "));
        statement.push_bind(limit);
    }
}

/// Everything that a list is filtered by, but for the search, the partner and the status.
fn push_filters(statement: &mut QueryBuilder<Postgres>, query: &KeyQuery, now: DateTime<Utc>) {
    if let Some(environment) = query.environment {
        statement.push(" and k.environment = ");
        statement.push_bind(environment.into_str());
    }
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
pub fn push_at(statement: &mut QueryBuilder<Postgres>, condition: &str, now: DateTime<Utc>) {
    let moments = [
        ("now", now),
        ("soon", now + EXPIRY_WARNING),
        ("lately", now - RECENT_WINDOW),
    ];
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
