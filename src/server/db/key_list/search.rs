//! What is searched for.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::server::db::{begins_pattern, contains_pattern};

/// The shortest text that is searched for anywhere: an index of trigrams tells nothing of less.
const ANYWHERE: usize = 3;

/// As many partners fit a text as are gone through one by one; where more do, their keys are many among
/// the newest.
const FEW: usize = 64;

/// What is searched for.
pub(super) struct Search {
    found: Option<Found>,
}

/// A pattern for keys, and the partners whose names fit.
struct Found {
    pattern: String,
    /// In order.
    partners: Vec<Uuid>,
    /// The text itself, where it is searched for anywhere.
    anywhere: Option<String>,
}

/// Which of the keys that fit a part of the statement picks. A key may be in two of them.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// All of them, in one go.
    All,
    /// Those that fit themselves.
    Text,
    /// Those of partners that fit.
    Of(&'a [Uuid]),
}

impl Search {
    /// Looks the partners up.
    pub async fn read(connection: &mut PgConnection, q: Option<&str>) -> sqlx::Result<Self> {
        let Some(q) = q else {
            return Ok(Self { found: None });
        };
        let anywhere = (q.chars().count() >= ANYWHERE).then(|| q.to_owned());
        let (of_partners, pattern) = if anywhere.is_some() {
            (contains_pattern(q), contains_pattern(q))
        } else {
            (begins_pattern("", q), begins_pattern("%\n", q))
        };
        let mut partners: Vec<Uuid> =
            sqlx::query_scalar("select partner_id from partners where lower(name) like lower($1)")
                .bind(of_partners)
                .persistent(false)
                .fetch_all(connection)
                .await?;
        partners.sort_unstable();
        let found = Found {
            pattern,
            partners,
            anywhere,
        };
        Ok(Self { found: Some(found) })
    }

    /// The text, where it is searched for anywhere in a key.
    pub fn anywhere(&self) -> Option<&str> {
        self.found.as_ref()?.anywhere.as_deref()
    }

    /// The partners whose names fit, in order.
    pub fn partners(&self) -> &[Uuid] {
        self.found.as_ref().map_or(&[], |found| &found.partners)
    }

    /// The ways to what fits, which together lead to all of it.
    pub fn ways(&self) -> Vec<Way<'_>> {
        match &self.found {
            Some(found) if (1..=FEW).contains(&found.partners.len()) => {
                vec![Way::Text, Way::Of(&found.partners)]
            }
            _ => vec![Way::All],
        }
    }

    /// The condition of what is on a way; a partner's keys are picked before it is asked.
    pub fn push(&self, statement: &mut QueryBuilder<Postgres>, way: Way<'_>) {
        let Some(found) = &self.found else {
            return;
        };
        if matches!(way, Way::Of(_)) {
            return;
        }
        statement.push(" and (k.search_text like lower(");
        statement.push_bind(found.pattern.clone());
        statement.push(")");
        if matches!(way, Way::All) && !found.partners.is_empty() {
            statement.push(" or k.partner_id = any(");
            statement.push_bind(found.partners.clone());
            statement.push(")");
        }
        statement.push(")");
    }
}
