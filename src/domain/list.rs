//! Queries of lists as in a URL, and their checked forms. REST and the console share the names.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::audit::Action;
use super::error::AppResult;
use super::page::PageRequest;
use super::token::KeyId;
use super::validate::{self, FieldErrors, one_of};

/// The query of the list of partners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PartnerListInput {
    /// Part of the name; literal and case-insensitive.
    #[param(value_type = String, required = false, max_length = 200, example = "acme")]
    pub q: Option<String>,
    /// `true` or `false`.
    #[param(value_type = bool, required = false)]
    pub active: Option<String>,
    /// The number of rows on a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// The cursor of the page, as given by another page.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// A checked query of the list of partners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerQuery {
    pub q: Option<String>,
    pub active: Option<bool>,
    pub page: PageRequest,
}

impl PartnerListInput {
    pub fn check(&self) -> AppResult<PartnerQuery> {
        let mut errors = FieldErrors::default();
        let q = errors
            .check_optional("q", self.q.as_deref(), validate::search)
            .flatten();
        let active = errors.check_optional("active", self.active.as_deref(), boolean);
        let page = page(&mut errors, self.limit.as_deref(), self.cursor.as_deref());
        errors.finish(page.map(|page| PartnerQuery { q, active, page }))
    }
}

/// Maximum partners in a list of choices, besides the chosen one.
pub const MAX_CHOICES: i64 = 50;

/// The query of a partner picker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChoiceInput {
    pub q: Option<String>,
    /// The id of the partner already chosen.
    pub chosen: Option<String>,
}

/// A checked query of a partner picker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceQuery {
    pub q: Option<String>,
    /// The id of the partner already chosen.
    pub chosen: Option<Uuid>,
}

impl ChoiceInput {
    /// Checks the search text. An invalid id of the chosen partner is ignored: the list that it
    /// filters reports it.
    pub fn check(&self) -> AppResult<ChoiceQuery> {
        let mut errors = FieldErrors::default();
        let q = errors
            .check_optional("q", self.q.as_deref(), validate::search)
            .flatten();
        let chosen = self.chosen.as_deref().and_then(|text| uuid(text).ok());
        errors.finish(Some(ChoiceQuery { q, chosen }))
    }
}

/// The query of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventListInput {
    /// Only events of this key.
    #[param(value_type = KeyId, required = false)]
    pub key_id: Option<String>,
    /// Only of this partner.
    #[param(value_type = Uuid, required = false)]
    pub partner_id: Option<String>,
    /// Only events of the actor with this id.
    #[param(value_type = String, required = false, max_length = 200, example = "ops@example.com")]
    pub actor: Option<String>,
    /// Only events of this action.
    #[param(value_type = Action, required = false)]
    pub action: Option<String>,
    /// Only events at or after this time (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub since: Option<String>,
    /// Only events before this time (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub until: Option<String>,
    /// The number of rows on a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// The cursor of the page, as given by another page.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// A checked query of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    pub key_id: Option<KeyId>,
    pub partner_id: Option<Uuid>,
    pub actor: Option<String>,
    pub action: Option<Action>,
    /// Inclusive.
    pub since: Option<DateTime<Utc>>,
    /// Exclusive.
    pub until: Option<DateTime<Utc>>,
    pub page: PageRequest,
}

impl EventListInput {
    pub fn check(&self) -> AppResult<EventQuery> {
        let mut errors = FieldErrors::default();
        let key_id = errors.check_optional("keyId", self.key_id.as_deref(), |text| {
            KeyId::parse(text).ok_or_else(|| "must be a key's id".to_owned())
        });
        let partner_id = errors.check_optional("partnerId", self.partner_id.as_deref(), uuid);
        let actor = errors
            .check_optional("actor", self.actor.as_deref(), validate::search)
            .flatten();
        let action = errors.check_optional("action", self.action.as_deref(), one_of);
        let since = errors.check_optional("since", self.since.as_deref(), validate::time);
        let until = errors.check_optional("until", self.until.as_deref(), validate::time);
        let page = page(&mut errors, self.limit.as_deref(), self.cursor.as_deref());
        errors.finish(page.map(|page| EventQuery {
            key_id,
            partner_id,
            actor,
            action,
            since,
            until,
            page,
        }))
    }
}

/// The query of an export of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventExportInput {
    /// The format; `ndjson` by default.
    #[param(value_type = ExportFormat, required = false)]
    pub format: Option<String>,
    /// Only events of this key.
    #[param(value_type = KeyId, required = false)]
    pub key_id: Option<String>,
    /// Only of this partner.
    #[param(value_type = Uuid, required = false)]
    pub partner_id: Option<String>,
    /// Only events of the actor with this id.
    #[param(value_type = String, required = false, max_length = 200, example = "ops@example.com")]
    pub actor: Option<String>,
    /// Only events of this action.
    #[param(value_type = Action, required = false)]
    pub action: Option<String>,
    /// Only events at or after this time (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub since: Option<String>,
    /// Only events before this time (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub until: Option<String>,
}

impl EventExportInput {
    pub fn check(self) -> AppResult<(ExportFormat, EventQuery)> {
        let mut errors = FieldErrors::default();
        let format = errors.check_optional("format", self.format.as_deref(), one_of);
        let events = EventListInput {
            key_id: self.key_id,
            partner_id: self.partner_id,
            actor: self.actor,
            action: self.action,
            since: self.since,
            until: self.until,
            limit: None,
            cursor: None,
        };
        let query = errors.take(events.check());
        errors.finish(query.map(|query| (format.unwrap_or_default(), query)))
    }
}

/// The format of an export.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated values (RFC 4180) with a header line.
    Csv,
    /// Lines of JSON, one event each.
    #[default]
    Ndjson,
}

impl ExportFormat {
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }
}

pub(super) fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| "must be an id (a UUID)".to_owned())
}

pub(super) fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

/// Parses the limit and the cursor of a page.
pub(super) fn page(
    errors: &mut FieldErrors,
    limit: Option<&str>,
    cursor: Option<&str>,
) -> Option<PageRequest> {
    errors.take(PageRequest::parse(limit, cursor))
}
