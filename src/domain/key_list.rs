//! The query of the list of keys as in a URL, and its checked form. REST and the console share the
//! names.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::AppResult;
use super::key::{Environment, KeyStatus};
use super::list::{boolean, uuid};
use super::page::{PageRequest, Part};
use super::validate::{self, FieldErrors, one_of};

/// The query of the list of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KeyListInput {
    /// Only of this partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Uuid, required = false)]
    pub partner_id: Option<String>,
    /// Part of a keyId, key name or partner name; literal and case-insensitive. One or two
    /// characters match the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = String, required = false, max_length = 200, example = "acme")]
    pub q: Option<String>,
    /// Only keys with this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = KeyStatus, required = false)]
    pub status: Option<String>,
    /// Only keys of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Environment, required = false)]
    pub environment: Option<String>,
    /// `true`: only keys that are due for rotation; `false`: only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub rotation_due: Option<String>,
    /// `true`: only stale keys; `false`: only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub stale: Option<String>,
    /// `true`: only live keys that end within 14 days; `false`: only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub expiring: Option<String>,
    /// `true`: only retiring keys that are still used; `false`: only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub still_used: Option<String>,
    /// `true`: only keys that were refused in the last hour; `false`: only others. An exceeded rate
    /// limit is not a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub refused: Option<String>,
    /// `true`: only keys that were never used; `false`: only others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub never_used: Option<String>,
    /// The order; a leading `-` is descending. Newest first by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = KeyOrder, required = false)]
    pub sort: Option<String>,
    /// The number of rows on a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// The cursor of the page, as given by another page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// A checked query of the list of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyQuery {
    pub partner_id: Option<Uuid>,
    /// Part of a keyId, key name or partner name.
    pub q: Option<String>,
    pub status: Option<KeyStatus>,
    pub environment: Option<Environment>,
    pub rotation_due: Option<bool>,
    pub stale: Option<bool>,
    pub expiring: Option<bool>,
    pub still_used: Option<bool>,
    pub refused: Option<bool>,
    pub never_used: Option<bool>,
    pub order: KeyOrder,
    pub page: PageRequest,
}

impl KeyListInput {
    pub fn check(&self) -> AppResult<KeyQuery> {
        let mut errors = FieldErrors::default();
        let partner_id = errors.check_optional("partnerId", self.partner_id.as_deref(), uuid);
        let q = errors
            .check_optional("q", self.q.as_deref(), validate::search)
            .flatten();
        let status = errors.check_optional("status", self.status.as_deref(), one_of);
        let environment = errors.check_optional("environment", self.environment.as_deref(), one_of);
        let mut flag =
            |name, value: &Option<String>| errors.check_optional(name, value.as_deref(), boolean);
        let rotation_due = flag("rotationDue", &self.rotation_due);
        let stale = flag("stale", &self.stale);
        let expiring = flag("expiring", &self.expiring);
        let still_used = flag("stillUsed", &self.still_used);
        let refused = flag("refused", &self.refused);
        let never_used = flag("neverUsed", &self.never_used);
        let order = errors.check_optional("sort", self.sort.as_deref(), one_of);
        let order: KeyOrder = order.unwrap_or_default();
        let (limit, cursor) = (self.limit.as_deref(), self.cursor.as_deref());
        let page = errors.take(PageRequest::parse_of(order.parts(), limit, cursor));
        errors.finish(page.map(|page| KeyQuery {
            partner_id,
            q,
            status,
            environment,
            rotation_due,
            stale,
            expiring,
            still_used,
            refused,
            never_used,
            order,
            page,
        }))
    }
}

/// The order of the list of keys.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum KeyOrder {
    /// Newest first.
    #[default]
    #[serde(rename = "-createdAt")]
    #[strum(serialize = "-createdAt")]
    Newest,
    /// Oldest first.
    #[serde(rename = "createdAt")]
    #[strum(serialize = "createdAt")]
    Oldest,
    /// Recently used first; never used last, newest first.
    #[serde(rename = "-lastUsedAt")]
    #[strum(serialize = "-lastUsedAt")]
    UsedLast,
    /// Longest unused first; never used last, newest first.
    #[serde(rename = "lastUsedAt")]
    #[strum(serialize = "lastUsedAt")]
    UnusedLongest,
    /// Latest end first; without an end last, newest first.
    #[serde(rename = "-notAfter")]
    #[strum(serialize = "-notAfter")]
    EndsLast,
    /// Soonest end first; without an end last, newest first.
    #[serde(rename = "notAfter")]
    #[strum(serialize = "notAfter")]
    EndsFirst,
}

const OLDEST: Part = Part::new('q');
const USED_LAST: [Part; 2] = [Part::new('r'), Part::new('s')];
const UNUSED_LONGEST: [Part; 2] = [Part::new('t'), Part::new('u')];
const ENDS_LAST: [Part; 2] = [Part::new('v'), Part::new('w')];
const ENDS_FIRST: [Part; 2] = [Part::new('x'), Part::new('y')];

impl KeyOrder {
    /// Returns the consecutive parts of the list: keys with a sort value, then keys without one,
    /// newest first.
    pub const fn parts(self) -> &'static [Option<Part>] {
        match self {
            Self::Newest => &[None],
            Self::Oldest => &[Some(OLDEST)],
            Self::UsedLast => &[Some(USED_LAST[0]), Some(USED_LAST[1])],
            Self::UnusedLongest => &[Some(UNUSED_LONGEST[0]), Some(UNUSED_LONGEST[1])],
            Self::EndsLast => &[Some(ENDS_LAST[0]), Some(ENDS_LAST[1])],
            Self::EndsFirst => &[Some(ENDS_FIRST[0]), Some(ENDS_FIRST[1])],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_a_query_is_reported() {
        let input = KeyListInput {
            partner_id: Some("7".into()),
            q: Some("a\0b".into()),
            status: Some("alive".into()),
            environment: Some(String::new()),
            rotation_due: Some("yes".into()),
            never_used: Some("1".into()),
            sort: Some("name".into()),
            limit: Some("0".into()),
            ..KeyListInput::default()
        };
        let error = input.check().unwrap_err().to_string();
        for path in [
            "partnerId",
            "q ",
            "status",
            "environment",
            "rotationDue",
            "neverUsed",
            "sort",
            "limit",
        ] {
            assert!(error.contains(path), "{path}: {error}");
        }
    }

    #[test]
    fn an_empty_search_is_no_filter() {
        let input = KeyListInput {
            q: Some("  ".into()),
            ..KeyListInput::default()
        };
        assert_eq!(input.check().unwrap().q, None);
    }

    #[test]
    fn orders_share_no_part() {
        let mut parts: Vec<Option<Part>> = Vec::new();
        for order in KeyOrder::VARIANTS {
            parts.extend(order.parts());
        }
        for (n, part) in parts.iter().enumerate() {
            assert!(!parts[..n].contains(part), "{part:?}");
        }
    }
}
