//! What is searched for.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::server::store::{begins_pattern, contains_pattern};

/// The shortest text that is searched for anywhere: an index of trigrams tells nothing of less.
const ANYWHERE: usize = 3;

/// As many partners, or names, fit a text as are gone through one by one; where more do, their keys are many
/// among the newest.
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
    /// The names of the keys that fit themselves, where they are few and no keyId can fit.
    names: Option<Vec<String>>,
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
    /// Those with one of these names.
    Named(&'a [String]),
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
        let is_name = anywhere.as_deref().is_some_and(is_of_names_alone);
        let rows: Vec<(Option<Uuid>, Option<String>)> = sqlx::query_as(
            "select partner_id, null from partners where lower(name) like lower($1)
              union all
             select null, name
               from (select name from key_names where $2 and lower(name) like lower($1) limit $3) named",
        )
        .bind(of_partners)
        .bind(is_name)
        .bind(FEW as i64 + 1)
        .persistent(false)
        .fetch_all(connection)
        .await?;
        let mut partners: Vec<Uuid> = rows.iter().filter_map(|row| row.0).collect();
        partners.sort_unstable();
        let mut names: Vec<String> = rows.into_iter().filter_map(|row| row.1).collect();
        let names_are_few = names.len() <= FEW;
        names.sort_unstable();
        names.dedup();
        let found = Found {
            pattern,
            partners,
            names: Some(names).filter(|_| is_name && names_are_few),
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

    /// The ways to what fits, which together lead to all of it. Names are one only where nothing else picks
    /// keys (`alone`): of a name that most keys have, all might be gone through for the few that a filter
    /// leaves.
    pub fn ways(&self, alone: bool) -> Vec<Way<'_>> {
        let Some(found) = self.found.as_ref() else {
            return vec![Way::All];
        };
        let names = found.names.as_deref().filter(|_| alone);
        let partners = &found.partners;
        if partners.len() > FEW || (partners.is_empty() && names.is_none()) {
            return vec![Way::All];
        }
        let by_itself = names.map_or(Way::Text, Way::Named);
        let by_partner = (!partners.is_empty()).then_some(Way::Of(partners));
        std::iter::once(by_itself).chain(by_partner).collect()
    }

    /// The condition of what is on a way; the keys of a partner or a name are picked before it is asked.
    pub fn push(&self, statement: &mut QueryBuilder<Postgres>, way: Way<'_>) {
        let Some(found) = &self.found else {
            return;
        };
        if matches!(way, Way::Of(_) | Way::Named(_)) {
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

/// Whether no keyId and nothing between an id and a name can have the text. The small letter of one beyond
/// ASCII may be in ASCII: U+212A, the sign for kelvin, becomes `k`.
fn is_of_names_alone(text: &str) -> bool {
    let is_of_ids = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-') || !c.is_ascii();
    !text.chars().all(is_of_ids) && !text.contains('\n')
}
