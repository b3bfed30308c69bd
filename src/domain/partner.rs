//! Partners: the organisations that call the registry's REST routes.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::error::AppResult;
use super::key_input::required;
use super::patch::Patch;
use super::policy;
use super::validate::{self, FieldErrors};

/// A partner as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Partner {
    /// The partner's id.
    pub partner_id: Uuid,
    /// The name; not necessarily unique.
    #[schema(example = "Acme Ltd")]
    pub name: String,
    /// The contact address.
    #[schema(example = "ops@acme.example")]
    pub contact_email: Option<String>,
    /// True if the partner's keys are accepted.
    pub active: bool,
    /// Days after which the partner's keys are due for rotation; `null` for the policy's.
    #[schema(minimum = 1, maximum = 3650, example = 90)]
    pub max_key_age_days: Option<i32>,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
    /// The number of keys that are `active` or `retiring` at the time of the answer.
    #[schema(minimum = 0, example = 2)]
    pub active_keys: i64,
}

/// A partner in a partner picker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerChoice {
    /// The partner's id.
    pub partner_id: Uuid,
    pub name: String,
    pub active: bool,
}

impl From<&Partner> for PartnerChoice {
    fn from(partner: &Partner) -> Self {
        Self {
            partner_id: partner.partner_id,
            name: partner.name.clone(),
            active: partner.active,
        }
    }
}

/// The choices of a partner picker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerChoices {
    /// By name, including the one already chosen.
    pub partners: Vec<PartnerChoice>,
    /// True if a search could find more.
    pub more: bool,
    pub now: DateTime<Utc>,
}

/// The body of `POST /api/admin/partners`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnerInput {
    /// 2 to 200 characters.
    #[schema(value_type = String, min_length = 2, max_length = 200, example = "Acme Ltd")]
    pub name: Option<String>,
    /// An e-mail address.
    #[schema(min_length = 3, max_length = 254, example = "ops@acme.example")]
    pub contact_email: Option<String>,
    /// Days after which the partner's keys are due for rotation, 1 to 3650, instead of the
    /// policy's.
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 90)]
    pub max_key_age_days: Option<i64>,
}

/// A checked request to create a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatePartner {
    pub name: String,
    pub contact_email: Option<String>,
    pub max_key_age_days: Option<i32>,
}

impl PartnerInput {
    pub fn check(self) -> AppResult<CreatePartner> {
        let mut errors = FieldErrors::default();
        let name = errors.check("name", name(self.name.as_deref().unwrap_or_default()));
        let contact_email = errors.check_optional("contactEmail", self.contact_email, |text| {
            validate::email(&text)
        });
        let max_key_age_days =
            errors.check_optional("maxKeyAgeDays", self.max_key_age_days, policy::days);
        errors.finish(name.map(|name| CreatePartner {
            name,
            contact_email,
            max_key_age_days,
        }))
    }
}

/// The body of `PATCH /api/admin/partners/{partnerId}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnerUpdateInput {
    /// 2 to 200 characters; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = String, required = false, min_length = 2, max_length = 200, example = "Acme Ltd")]
    pub name: Patch<String>,
    /// An e-mail address; `null` removes it.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 254, example = "ops@acme.example")]
    pub contact_email: Patch<String>,
    /// True if the partner's keys are accepted; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = bool, required = false)]
    pub active: Patch<bool>,
    /// Days after which the partner's keys are due for rotation; `null` for the policy's.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 90)]
    pub max_key_age_days: Patch<i64>,
}

/// A checked request to change a partner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdatePartner {
    pub name: Option<String>,
    pub contact_email: Patch<String>,
    pub active: Option<bool>,
    pub max_key_age_days: Patch<i32>,
}

impl PartnerUpdateInput {
    pub fn check(self) -> AppResult<UpdatePartner> {
        let mut errors = FieldErrors::default();
        let name = required("name", self.name, &mut errors)
            .and_then(|text| errors.check("name", name(&text)));
        let contact_email = self.contact_email.try_map(|text| validate::email(&text));
        let contact_email = errors.check("contactEmail", contact_email);
        let active = required("active", self.active, &mut errors);
        let max_key_age_days = self.max_key_age_days.try_map(policy::days);
        let max_key_age_days = errors.check("maxKeyAgeDays", max_key_age_days);
        let patches = contact_email.zip(max_key_age_days);
        errors.finish(
            patches.map(|(contact_email, max_key_age_days)| UpdatePartner {
                name,
                contact_email,
                active,
                max_key_age_days,
            }),
        )
    }
}

fn name(text: &str) -> Result<String, String> {
    validate::line(text, 2, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_checked_together() {
        let input = PartnerInput {
            name: Some("a".into()),
            contact_email: Some("nobody".into()),
            max_key_age_days: Some(0),
        };
        let error = input.check().unwrap_err().to_string();
        assert!(
            error.contains("name must have 2 to 200")
                && error.contains("contactEmail")
                && error.contains("maxKeyAgeDays"),
            "{error}"
        );
        assert!(PartnerInput::default().check().is_err());
    }

    #[test]
    fn a_patch_may_clear_the_address_alone() {
        let patch: PartnerUpdateInput = serde_json::from_str(r#"{"contactEmail":null}"#).unwrap();
        assert_eq!(patch.check().unwrap().contact_email, Patch::Clear);
        let patch: PartnerUpdateInput =
            serde_json::from_str(r#"{"name":null,"active":null}"#).unwrap();
        assert!(patch.check().is_err());
    }
}
