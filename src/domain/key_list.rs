//! The list of keys: its query as it stands in a URL, and what is asked for when it is checked. REST
//! and the console's tab share the names.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::AppResult;
use super::key::{Environment, KeyStatus};
use super::list::{uuid, yes_or_no};
use super::page::{PageRequest, Part};
use super::validate::{self, Faults, one_of};

/// The query of a list of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct KeyListInput {
    /// Only this partner's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Uuid, required = false)]
    pub partner_id: Option<String>,
    /// Part of a keyId, a key's name or a partner's name; literal, without regard to case. One or two
    /// characters find what begins with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = String, required = false, max_length = 200, example = "acme")]
    pub q: Option<String>,
    /// Only keys of this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = KeyStatus, required = false)]
    pub status: Option<String>,
    /// Only keys of this environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Environment, required = false)]
    pub environment: Option<String>,
    /// Only keys that are due for rotation, or only those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub rotation_due: Option<String>,
    /// Only keys that are stale, or only those that are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub stale: Option<String>,
    /// Only live keys that end within 14 days, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub expiring: Option<String>,
    /// Only retiring keys on which calls still arrive, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub still_used: Option<String>,
    /// Only keys that were refused in the last hour, or only the others. A rate that was exceeded is no
    /// refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub refused: Option<String>,
    /// Only keys that were never accepted, or only the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = bool, required = false)]
    pub never_used: Option<String>,
    /// What the keys are sorted by; `-` before it reverses the order. Newest first by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = KeyOrder, required = false)]
    pub sort: Option<String>,
    /// Rows of a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// Where the page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// Which keys are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyQuery {
    /// Only this partner's.
    pub partner_id: Option<Uuid>,
    /// Part of a keyId, a key's name or a partner's name.
    pub q: Option<String>,
    /// Only keys of this status.
    pub status: Option<KeyStatus>,
    /// Only keys of this environment.
    pub environment: Option<Environment>,
    /// Only keys that are due for rotation, or only those that are not.
    pub rotation_due: Option<bool>,
    /// Only keys that are stale, or only those that are not.
    pub stale: Option<bool>,
    /// Only live keys that end soon, or only the others.
    pub expiring: Option<bool>,
    /// Only retiring keys on which calls still arrive, or only the others.
    pub still_used: Option<bool>,
    /// Only keys that were refused in the last hour, or only the others.
    pub refused: Option<bool>,
    /// Only keys that were never accepted, or only the others.
    pub never_used: Option<bool>,
    /// In which order.
    pub order: KeyOrder,
    /// Which page.
    pub page: PageRequest,
}

impl KeyListInput {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<KeyQuery> {
        let mut faults = Faults::default();
        let partner_id = faults.check_optional("partnerId", self.partner_id.as_deref(), uuid);
        let q = faults
            .check_optional("q", self.q.as_deref(), validate::search)
            .flatten();
        let status = faults.check_optional("status", self.status.as_deref(), |text| {
            KeyStatus::parse(text).ok_or_else(|| one_of(KeyStatus::ALL.map(KeyStatus::as_str)))
        });
        let environment =
            faults.check_optional("environment", self.environment.as_deref(), environment);
        let mut flag =
            |name, value: &Option<String>| faults.check_optional(name, value.as_deref(), yes_or_no);
        let rotation_due = flag("rotationDue", &self.rotation_due);
        let stale = flag("stale", &self.stale);
        let expiring = flag("expiring", &self.expiring);
        let still_used = flag("stillUsed", &self.still_used);
        let refused = flag("refused", &self.refused);
        let never_used = flag("neverUsed", &self.never_used);
        let order = faults.check_optional("sort", self.sort.as_deref(), |text| {
            KeyOrder::parse(text).ok_or_else(|| one_of(KeyOrder::ALL.map(KeyOrder::as_str)))
        });
        let order = order.unwrap_or_default();
        let (limit, cursor) = (self.limit.as_deref(), self.cursor.as_deref());
        let page = faults.take(PageRequest::parse_of(order.parts(), limit, cursor));
        faults.finish(page.map(|page| KeyQuery {
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

/// What a list of keys is sorted by, and which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum KeyOrder {
    /// Newest first.
    #[default]
    #[serde(rename = "-createdAt")]
    Newest,
    /// Oldest first.
    #[serde(rename = "createdAt")]
    Oldest,
    /// Those used last first, and those never used after them, newest first.
    #[serde(rename = "-lastUsedAt")]
    UsedLast,
    /// Those not used for longest first, and those never used after them, newest first.
    #[serde(rename = "lastUsedAt")]
    UnusedLongest,
    /// Those that end last first, and those without an end after them, newest first.
    #[serde(rename = "-notAfter")]
    EndsLast,
    /// Those that end first first, and those without an end after them, newest first.
    #[serde(rename = "notAfter")]
    EndsFirst,
}

const OLDEST: Part = Part::new('q');
const USED_LAST: [Part; 2] = [Part::new('r'), Part::new('s')];
const UNUSED_LONGEST: [Part; 2] = [Part::new('t'), Part::new('u')];
const ENDS_LAST: [Part; 2] = [Part::new('v'), Part::new('w')];
const ENDS_FIRST: [Part; 2] = [Part::new('x'), Part::new('y')];

impl KeyOrder {
    /// Every order.
    pub const ALL: [Self; 6] = [
        Self::Newest,
        Self::Oldest,
        Self::UsedLast,
        Self::UnusedLongest,
        Self::EndsLast,
        Self::EndsFirst,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "-createdAt",
            Self::Oldest => "createdAt",
            Self::UsedLast => "-lastUsedAt",
            Self::UnusedLongest => "lastUsedAt",
            Self::EndsLast => "-notAfter",
            Self::EndsFirst => "notAfter",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == text)
    }

    /// The parts of the list, one after the other: the keys that have what it is sorted by, and those
    /// that have none, which are newest first.
    #[must_use]
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

fn environment(text: &str) -> Result<Environment, String> {
    Environment::parse(text).ok_or_else(|| one_of(Environment::ALL.map(Environment::as_str)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_query_is_told() {
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
    fn orders_round_trip_and_share_no_part() {
        let mut parts: Vec<Option<Part>> = Vec::new();
        for order in KeyOrder::ALL {
            assert_eq!(KeyOrder::parse(order.as_str()), Some(order));
            assert_eq!(serde_json::to_value(order).unwrap(), order.as_str());
            parts.extend(order.parts());
        }
        for (n, part) in parts.iter().enumerate() {
            assert!(!parts[..n].contains(part), "{part:?}");
        }
    }
}
