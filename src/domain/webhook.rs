//! Webhooks: where a partner's programs hear of its keys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::AppResult;
use super::key_input::required;
use super::list::{page, uuid};
use super::notification::{DeliveryStatus, NotificationKind};
use super::page::PageRequest;
use super::patch::Patch;
use super::secret::Secret;
use super::validate::{self, Faults, one_of};

/// Most webhooks that one partner has.
pub const MAX_WEBHOOKS: i64 = 10;
/// Longest address, in characters.
const LONGEST_URL: usize = 2_000;

/// A webhook as it is shown: never its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The webhook's id.
    pub webhook_id: Uuid,
    /// Whose keys it hears of.
    pub partner_id: Uuid,
    /// Where notices are sent.
    #[schema(example = "https://hooks.acme.example/registry")]
    pub url: String,
    /// Which notices it gets.
    pub kinds: Vec<NotificationKind>,
    /// Whether it gets any.
    pub active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A webhook that was just made, with the one and only showing of its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// What its notices are signed with (Standard Webhooks): `whsec_` and base64 of 32 bytes.
    #[schema(value_type = String, example = "whsec_…")]
    pub secret: Secret,
}

/// The body of `POST /api/admin/partners/{partnerId}/webhooks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookInput {
    /// An address of https, without a user or a fragment.
    #[schema(value_type = String, format = "uri", max_length = 2000, example = "https://hooks.acme.example/registry")]
    pub url: Option<String>,
    /// Which notices it gets; all of them by default.
    #[schema(value_type = Option<std::collections::BTreeSet<NotificationKind>>, min_items = 1)]
    pub kinds: Option<Vec<String>>,
}

/// A checked order to make a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateWebhook {
    /// Where notices are sent; the server looks at it more closely.
    pub url: String,
    /// Which notices it gets.
    pub kinds: Vec<NotificationKind>,
}

impl WebhookInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self) -> AppResult<CreateWebhook> {
        let mut faults = Faults::default();
        let url = faults.check("url", url(self.url.as_deref().unwrap_or_default()));
        let kinds = match self.kinds {
            None => Some(NotificationKind::ALL.to_vec()),
            Some(names) => kinds(&mut faults, &names),
        };
        faults.finish(
            url.zip(kinds)
                .map(|(url, kinds)| CreateWebhook { url, kinds }),
        )
    }
}

/// The body of `PATCH /api/admin/webhooks/{webhookId}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookUpdateInput {
    /// An address of https; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = String, required = false, format = "uri", max_length = 2000, example = "https://hooks.acme.example/registry")]
    pub url: Patch<String>,
    /// Which notices it gets; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = std::collections::BTreeSet<NotificationKind>, required = false, min_items = 1)]
    pub kinds: Patch<Vec<String>>,
    /// Whether it gets any; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = bool, required = false)]
    pub active: Patch<bool>,
}

/// A checked order to change a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateWebhook {
    /// Where notices are sent.
    pub url: Option<String>,
    /// Which notices it gets.
    pub kinds: Option<Vec<NotificationKind>>,
    /// Whether it gets any.
    pub active: Option<bool>,
}

impl WebhookUpdateInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self) -> AppResult<UpdateWebhook> {
        let mut faults = Faults::default();
        let url =
            required("url", self.url, &mut faults).and_then(|text| faults.check("url", url(&text)));
        let kinds =
            required("kinds", self.kinds, &mut faults).and_then(|names| kinds(&mut faults, &names));
        let active = required("active", self.active, &mut faults);
        faults.finish(Some(UpdateWebhook { url, kinds, active }))
    }
}

fn url(text: &str) -> Result<String, String> {
    let text = validate::line(text, 1, LONGEST_URL)?;
    if text.contains(char::is_whitespace) {
        return Err("must not contain spaces".to_owned());
    }
    Ok(text)
}

fn kinds(faults: &mut Faults, names: &[String]) -> Option<Vec<NotificationKind>> {
    let allowed = || one_of(NotificationKind::ALL.map(NotificationKind::as_str));
    if names.is_empty() {
        faults.add("kinds", "must name at least one kind of notice");
        return None;
    }
    let mut kinds = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        let path = format!("kinds[{place}]");
        match NotificationKind::parse(name) {
            Some(kind) if kinds.contains(&kind) => faults.add(&path, "is named twice"),
            Some(kind) => kinds.push(kind),
            None => faults.add(&path, allowed()),
        }
    }
    Some(kinds)
}

/// The query of the delivery log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DeliveryListInput {
    /// Only to this webhook.
    #[param(value_type = Uuid, required = false)]
    pub webhook_id: Option<String>,
    /// Only those that went so.
    #[param(value_type = DeliveryStatus, required = false)]
    pub status: Option<String>,
    /// Rows of a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// Where the page begins.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// Which deliveries are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only to this webhook.
    pub webhook_id: Option<Uuid>,
    /// Only those that went so.
    pub status: Option<DeliveryStatus>,
    /// Which page.
    pub page: PageRequest,
}

impl DeliveryListInput {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<DeliveryQuery> {
        let mut faults = Faults::default();
        let webhook_id = faults.check_optional("webhookId", self.webhook_id.as_deref(), uuid);
        let status = faults.check_optional("status", self.status.as_deref(), |text| {
            DeliveryStatus::parse(text)
                .ok_or_else(|| one_of(DeliveryStatus::ALL.map(DeliveryStatus::as_str)))
        });
        let page = page(&mut faults, self.limit.as_deref(), self.cursor.as_deref());
        faults.finish(page.map(|page| DeliveryQuery {
            webhook_id,
            status,
            page,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_webhook_is_told() {
        let input = WebhookInput {
            url: Some("https://a b".into()),
            kinds: Some(vec![
                "key.issued".into(),
                "key.issued".into(),
                "key.lost".into(),
            ]),
        };
        let error = input.check().unwrap_err().to_string();
        for path in ["url", "kinds[1] is named twice", "kinds[2] must be one of"] {
            assert!(error.contains(path), "{path}: {error}");
        }
        let input = WebhookInput {
            url: Some("https://a.example".into()),
            kinds: None,
        };
        assert_eq!(input.check().unwrap().kinds, NotificationKind::ALL);
        let nothing: WebhookUpdateInput =
            serde_json::from_str(r#"{"kinds":[],"active":null}"#).unwrap();
        let error = nothing.check().unwrap_err().to_string();
        assert!(
            error.contains("kinds must name") && error.contains("active can't"),
            "{error}"
        );
    }
}
