//! Inputs of the routes that record, change, transfer and reverify assets, and their checked forms.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asset::{AssetStatus, content_hash};
use super::error::AppResult;
use super::metadata::StrictValue;
use super::validate::{self, FieldErrors, one_of};

/// The body of `POST /api/proof-assets`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AssetInput {
    /// The SHA-256 of the content, 64 hex digits of any case.
    #[schema(value_type = String, pattern = "^[0-9A-Fa-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub content_hash: Option<String>,
    /// 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200, example = "Deed of sale 2031-7")]
    pub title: Option<String>,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, example = "crm:88121")]
    pub external_ref: Option<String>,
    /// A JSON object of at most 16 KiB.
    #[schema(value_type = Option<Object>, example = json!({"pages": 12}))]
    pub metadata: Option<StrictValue>,
}

/// A checked request to record an asset. Idempotency compares requests by its JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MintAsset {
    /// SHA-256 as 64 lowercase hex digits.
    pub content_hash: String,
    /// The partner's name for it.
    pub title: String,
    /// The partner's own reference.
    pub external_ref: Option<String>,
    /// A JSON object chosen by the partner.
    pub metadata: Option<Value>,
}

impl AssetInput {
    pub fn check(self) -> AppResult<MintAsset> {
        let mut errors = FieldErrors::default();
        let content_hash = check_hash(&mut errors, self.content_hash.as_deref());
        let title = self.title.as_deref().unwrap_or_default();
        let title = errors.check("title", validate::line(title, 1, 200));
        let external_ref = errors.check_optional("externalRef", self.external_ref, |text| {
            validate::line(&text, 1, 200)
        });
        let metadata = errors.check_optional("metadata", self.metadata, StrictValue::into_metadata);
        let command = content_hash
            .zip(title)
            .map(|(content_hash, title)| MintAsset {
                content_hash,
                title,
                external_ref,
                metadata,
            });
        errors.finish(command)
    }
}

/// The body of `POST /api/proof-assets/{assetId}/status`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatusInput {
    /// `active`, `suspended` or `retired`.
    #[schema(value_type = AssetStatus)]
    pub status: Option<String>,
    /// At most 200 characters.
    #[schema(max_length = 200, example = "under review")]
    pub reason: Option<String>,
}

/// A checked request to change an asset's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeStatus {
    pub status: AssetStatus,
    pub reason: Option<String>,
}

impl StatusInput {
    pub fn check(self) -> AppResult<ChangeStatus> {
        let mut errors = FieldErrors::default();
        let status = self.status.as_deref().unwrap_or_default();
        let status = errors.check("status", one_of(status));
        let reason = errors
            .check_optional("reason", self.reason, |text| validate::line(&text, 0, 200))
            .filter(|reason| !reason.is_empty());
        errors.finish(status.map(|status| ChangeStatus { status, reason }))
    }
}

/// The body of `POST /api/proof-assets/{assetId}/transfer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferInput {
    /// The id of the receiving partner.
    #[schema(value_type = Uuid)]
    pub to_partner_id: Option<String>,
}

impl TransferInput {
    /// The id of the receiving partner.
    pub fn check(self) -> AppResult<Uuid> {
        let mut errors = FieldErrors::default();
        let to = self
            .to_partner_id
            .as_deref()
            .and_then(|text| Uuid::try_parse(text).ok())
            .ok_or_else(|| "must be the id (a UUID) of the partner that gets the asset".to_owned());
        let to = errors.check("toPartnerId", to);
        errors.finish(to)
    }
}

/// The body of `POST /api/proof-assets/{assetId}/reverify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReverifyInput {
    /// The SHA-256 of the content now, 64 hex digits of any case.
    #[schema(value_type = String, pattern = "^[0-9A-Fa-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub content_hash: Option<String>,
}

impl ReverifyInput {
    /// Returns the hash in lower case.
    pub fn check(self) -> AppResult<String> {
        let mut errors = FieldErrors::default();
        let content_hash = check_hash(&mut errors, self.content_hash.as_deref());
        errors.finish(content_hash)
    }
}

fn check_hash(errors: &mut FieldErrors, text: Option<&str>) -> Option<String> {
    errors.check("contentHash", content_hash(text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_of_a_mint_is_reported() {
        let input: AssetInput = serde_json::from_str(
            r#"{"contentHash":"abc","title":" ","externalRef":"","metadata":[]}"#,
        )
        .unwrap();
        let error = input.check().unwrap_err().to_string();
        for path in ["contentHash", "title", "externalRef", "metadata"] {
            assert!(error.contains(path), "{path}: {error}");
        }
        assert!(AssetInput::default().check().is_err());
    }

    #[test]
    fn a_hash_of_any_case_is_one_hash() {
        let hash = |text: String| {
            let content_hash = Some(text);
            ReverifyInput { content_hash }.check()
        };
        assert_eq!(hash("aB".repeat(32)).unwrap(), "ab".repeat(32));
        for text in [
            "",
            "ab",
            &"ab".repeat(33),
            &"xy".repeat(32),
            &"é".repeat(32),
        ] {
            assert!(hash(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn equivalent_requests_are_equal() {
        let command = |json: &str| {
            let input: AssetInput = serde_json::from_str(json).unwrap();
            serde_json::to_string(&input.check().unwrap()).unwrap()
        };
        let (lower, upper) = ("ab".repeat(32), "AB".repeat(32));
        assert_eq!(
            command(&format!(
                r#"{{"contentHash":"{lower}","title":"Deed","metadata":{{"a":1,"b":2}}}}"#
            )),
            command(&format!(
                r#"{{"metadata":{{"b":2, "a":1}},"title":" Deed ","externalRef":null,"contentHash":"{upper}"}}"#
            )),
        );
    }

    #[test]
    fn a_reason_may_be_left_out_or_empty() {
        let input: StatusInput =
            serde_json::from_str(r#"{"status":"retired","reason":" "}"#).unwrap();
        assert_eq!(
            input.check().unwrap(),
            ChangeStatus {
                status: AssetStatus::Retired,
                reason: None
            }
        );
        assert!(StatusInput::default().check().is_err());
    }
}
