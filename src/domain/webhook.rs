//! Webhooks: URLs that receive notifications about a partner's keys.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::VariantArray;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::AppResult;
use super::key_input::required;
use super::list::{page, uuid};
use super::notification::{DeliveryStatus, NotificationKind};
use super::page::PageRequest;
use super::patch::Patch;
use super::secret::Secret;
use super::validate::{self, FieldErrors, one_of};

/// Maximum webhooks of a partner.
pub const MAX_WEBHOOKS: i64 = 10;
const MAX_URL_LENGTH: usize = 2_000;

/// A webhook without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// The webhook's id.
    pub webhook_id: Uuid,
    /// The partner's id.
    pub partner_id: Uuid,
    /// The URL of the receiver.
    #[schema(example = "https://hooks.acme.example/registry")]
    pub url: String,
    /// The kinds of notification it receives.
    pub kinds: Vec<NotificationKind>,
    /// True if notifications are sent.
    pub active: bool,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// A new webhook with its secret, which is shown only here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewWebhook {
    /// The webhook.
    pub webhook: Webhook,
    /// The signing secret (Standard Webhooks): `whsec_` and base64 of 32 bytes.
    #[schema(value_type = String, example = "whsec_…")]
    pub secret: Secret,
}

/// The body of `POST /api/admin/partners/{partnerId}/webhooks`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookInput {
    /// An https URL without user and fragment.
    #[schema(value_type = String, format = "uri", max_length = 2000, example = "https://hooks.acme.example/registry")]
    pub url: Option<String>,
    /// The kinds of notification it receives; all by default.
    #[schema(value_type = Option<std::collections::BTreeSet<NotificationKind>>, min_items = 1)]
    pub kinds: Option<Vec<String>>,
}

/// A checked request to create a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateWebhook {
    /// Only roughly checked; the server also checks the host.
    pub url: String,
    pub kinds: Vec<NotificationKind>,
}

impl WebhookInput {
    pub fn check(self) -> AppResult<CreateWebhook> {
        let mut errors = FieldErrors::default();
        let url = errors.check("url", url(self.url.as_deref().unwrap_or_default()));
        let kinds = match self.kinds {
            None => Some(NotificationKind::VARIANTS.to_vec()),
            Some(names) => kinds(&mut errors, &names),
        };
        errors.finish(
            url.zip(kinds)
                .map(|(url, kinds)| CreateWebhook { url, kinds }),
        )
    }
}

/// The body of `PATCH /api/admin/webhooks/{webhookId}`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookUpdateInput {
    /// An https URL; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = String, required = false, format = "uri", max_length = 2000, example = "https://hooks.acme.example/registry")]
    pub url: Patch<String>,
    /// The kinds of notification it receives; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = std::collections::BTreeSet<NotificationKind>, required = false, min_items = 1)]
    pub kinds: Patch<Vec<String>>,
    /// True if notifications are sent; can't be cleared.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = bool, required = false)]
    pub active: Patch<bool>,
}

/// A checked request to change a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateWebhook {
    pub url: Option<String>,
    pub kinds: Option<Vec<NotificationKind>>,
    pub active: Option<bool>,
}

impl WebhookUpdateInput {
    pub fn check(self) -> AppResult<UpdateWebhook> {
        let mut errors = FieldErrors::default();
        let url =
            required("url", self.url, &mut errors).and_then(|text| errors.check("url", url(&text)));
        let kinds =
            required("kinds", self.kinds, &mut errors).and_then(|names| kinds(&mut errors, &names));
        let active = required("active", self.active, &mut errors);
        errors.finish(Some(UpdateWebhook { url, kinds, active }))
    }
}

fn url(text: &str) -> Result<String, String> {
    let text = validate::line(text, 1, MAX_URL_LENGTH)?;
    if text.contains(char::is_whitespace) {
        return Err("must not contain spaces".to_owned());
    }
    Ok(text)
}

fn kinds(errors: &mut FieldErrors, names: &[String]) -> Option<Vec<NotificationKind>> {
    if names.is_empty() {
        errors.add("kinds", "must name at least one kind of notice");
        return None;
    }
    let mut kinds = Vec::with_capacity(names.len());
    for (place, name) in names.iter().enumerate() {
        let path = format!("kinds[{place}]");
        match one_of(name) {
            Ok(kind) if kinds.contains(&kind) => errors.add(&path, "is named twice"),
            Ok(kind) => kinds.push(kind),
            Err(message) => errors.add(&path, message),
        }
    }
    Some(kinds)
}

/// The query of the delivery log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct DeliveryListInput {
    /// Only deliveries to this webhook.
    #[param(value_type = Uuid, required = false)]
    pub webhook_id: Option<String>,
    /// Only deliveries with this status.
    #[param(value_type = DeliveryStatus, required = false)]
    pub status: Option<String>,
    /// The number of rows on a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// The cursor of the page, as given by another page.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// A checked query of the delivery log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryQuery {
    pub webhook_id: Option<Uuid>,
    pub status: Option<DeliveryStatus>,
    pub page: PageRequest,
}

impl DeliveryListInput {
    pub fn check(&self) -> AppResult<DeliveryQuery> {
        let mut errors = FieldErrors::default();
        let webhook_id = errors.check_optional("webhookId", self.webhook_id.as_deref(), uuid);
        let status = errors.check_optional("status", self.status.as_deref(), one_of);
        let page = page(&mut errors, self.limit.as_deref(), self.cursor.as_deref());
        errors.finish(page.map(|page| DeliveryQuery {
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
    fn every_error_of_a_webhook_is_reported() {
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
        assert_eq!(input.check().unwrap().kinds, NotificationKind::VARIANTS);
        let nothing: WebhookUpdateInput =
            serde_json::from_str(r#"{"kinds":[],"active":null}"#).unwrap();
        let error = nothing.check().unwrap_err().to_string();
        assert!(
            error.contains("kinds must name") && error.contains("active can't"),
            "{error}"
        );
    }
}
