//! What is searched for.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::server::db::{begins_pattern, contains_pattern};

/// The shortest text that is searched for anywhere: an index of trigrams tells nothing of less.
const ANYWHERE: usize = 3;

/// What is searched for: a pattern for keys, and the partners whose names fit.
pub(super) struct Search {
    found: Option<(String, Vec<Uuid>)>,
}

impl Search {
    /// Looks the partners up.
    pub async fn read(connection: &mut PgConnection, q: Option<&str>) -> sqlx::Result<Self> {
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

    pub fn push(&self, statement: &mut QueryBuilder<Postgres>) {
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
