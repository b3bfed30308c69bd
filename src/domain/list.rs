//! What the lists take: the query as it stands in a URL, and what is asked for when it is checked.
//! REST's routes and the console's pages share the names.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::audit::Action;
use super::error::AppResult;
use super::page::PageRequest;
use super::token::KeyId;
use super::validate::{self, Faults, one_of};

/// The query of a list of partners.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PartnerListInput {
    /// Part of the name; literal, without regard to case.
    #[param(value_type = String, required = false, max_length = 200, example = "acme")]
    pub q: Option<String>,
    /// `true` or `false`.
    #[param(value_type = bool, required = false)]
    pub active: Option<String>,
    /// Rows of a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// Where the page begins.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// Which partners are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartnerQuery {
    /// Part of the name.
    pub q: Option<String>,
    /// Only active, or only deactivated ones.
    pub active: Option<bool>,
    /// Which page.
    pub page: PageRequest,
}

impl PartnerListInput {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<PartnerQuery> {
        let mut faults = Faults::default();
        let q = faults
            .check_optional("q", self.q.as_deref(), validate::search)
            .flatten();
        let active = faults.check_optional("active", self.active.as_deref(), yes_or_no);
        let page = page(&mut faults, self.limit.as_deref(), self.cursor.as_deref());
        faults.finish(page.map(|page| PartnerQuery { q, active, page }))
    }
}

/// Most partners that a list of choices holds, beside the chosen one.
pub const MAX_CHOICES: i64 = 50;

/// The query of partners to choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChoiceInput {
    /// Part of the name; literal, without regard to case.
    pub q: Option<String>,
    /// The partner that is chosen already.
    pub chosen: Option<String>,
}

/// Which partners to choose from are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceQuery {
    /// Part of the name.
    pub q: Option<String>,
    /// The partner that is chosen already.
    pub chosen: Option<Uuid>,
}

impl ChoiceInput {
    /// Checks every parameter. A chosen partner that is no id is nobody, and no fault: the list
    /// that it filters says so.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] for a bad search text.
    pub fn check(&self) -> AppResult<ChoiceQuery> {
        let mut faults = Faults::default();
        let q = faults
            .check_optional("q", self.q.as_deref(), validate::search)
            .flatten();
        let chosen = self.chosen.as_deref().and_then(|text| uuid(text).ok());
        faults.finish(Some(ChoiceQuery { q, chosen }))
    }
}

/// The query of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventListInput {
    /// Only this key's.
    #[param(value_type = KeyId, required = false)]
    pub key_id: Option<String>,
    /// Only this partner's.
    #[param(value_type = Uuid, required = false)]
    pub partner_id: Option<String>,
    /// Only what the actor with this id did.
    #[param(value_type = String, required = false, max_length = 200, example = "ops@example.com")]
    pub actor: Option<String>,
    /// Only this action.
    #[param(value_type = Action, required = false)]
    pub action: Option<String>,
    /// Not before this moment (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub since: Option<String>,
    /// Before this moment (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub until: Option<String>,
    /// Rows of a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// Where the page begins.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// Which events are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventQuery {
    /// Only this key's.
    pub key_id: Option<KeyId>,
    /// Only this partner's.
    pub partner_id: Option<Uuid>,
    /// Only what the actor with this id did.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<Action>,
    /// Not before this moment.
    pub since: Option<DateTime<Utc>>,
    /// Before this moment.
    pub until: Option<DateTime<Utc>>,
    /// Which page.
    pub page: PageRequest,
}

impl EventListInput {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<EventQuery> {
        let mut faults = Faults::default();
        let key_id = faults.check_optional("keyId", self.key_id.as_deref(), |text| {
            KeyId::parse(text).ok_or_else(|| "must be a key's id".to_owned())
        });
        let partner_id = faults.check_optional("partnerId", self.partner_id.as_deref(), uuid);
        let actor = faults
            .check_optional("actor", self.actor.as_deref(), validate::search)
            .flatten();
        let action = faults.check_optional("action", self.action.as_deref(), |text| {
            Action::parse(text).ok_or_else(|| one_of(Action::ALL.map(Action::as_str)))
        });
        let since = faults.check_optional("since", self.since.as_deref(), validate::time);
        let until = faults.check_optional("until", self.until.as_deref(), validate::time);
        let page = page(&mut faults, self.limit.as_deref(), self.cursor.as_deref());
        faults.finish(page.map(|page| EventQuery {
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

/// The query of an export of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct EventExportInput {
    /// The form of the file; lines of JSON by default.
    #[param(value_type = ExportFormat, required = false)]
    pub format: Option<String>,
    /// Only this key's.
    #[param(value_type = KeyId, required = false)]
    pub key_id: Option<String>,
    /// Only this partner's.
    #[param(value_type = Uuid, required = false)]
    pub partner_id: Option<String>,
    /// Only what the actor with this id did.
    #[param(value_type = String, required = false, max_length = 200, example = "ops@example.com")]
    pub actor: Option<String>,
    /// Only this action.
    #[param(value_type = Action, required = false)]
    pub action: Option<String>,
    /// Not before this moment (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub since: Option<String>,
    /// Before this moment (RFC 3339).
    #[param(value_type = DateTime<Utc>, required = false)]
    pub until: Option<String>,
}

impl EventExportInput {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self) -> AppResult<(ExportFormat, EventQuery)> {
        let mut faults = Faults::default();
        let format = faults.check_optional("format", self.format.as_deref(), |text| {
            ExportFormat::parse(text)
                .ok_or_else(|| one_of(ExportFormat::ALL.map(ExportFormat::as_str)))
        });
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
        let query = faults.take(events.check());
        faults.finish(query.map(|query| (format.unwrap_or_default(), query)))
    }
}

/// The form of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Comma-separated values (RFC 4180) with a line of headings.
    Csv,
    /// Lines of JSON, one event each.
    #[default]
    Ndjson,
}

impl ExportFormat {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Csv, Self::Ndjson];

    /// The name on the wire, and the ending of a file's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == text)
    }
}

/// Reads an id.
pub(super) fn uuid(text: &str) -> Result<Uuid, String> {
    Uuid::try_parse(text).map_err(|_| "must be an id (a UUID)".to_owned())
}

/// Reads `true` or `false`.
pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "must be true or false".to_owned())
}

/// Reads which page is asked for.
pub(super) fn page(
    faults: &mut Faults,
    limit: Option<&str>,
    cursor: Option<&str>,
) -> Option<PageRequest> {
    faults.take(PageRequest::parse(limit, cursor))
}
