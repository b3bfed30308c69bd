//! What recording, changing, transferring and checking an asset take: the JSON as it is sent, and
//! the checked command.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asset::{AssetStatus, content_hash, parse_status};
use super::error::AppResult;
use super::metadata::StrictValue;
use super::validate::{self, Faults};

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

/// A checked order to record an asset. Its JSON is what two orders are compared by.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MintAsset {
    /// 64 lowercase hex digits.
    pub content_hash: String,
    /// What the partner calls it.
    pub title: String,
    /// What the partner knows it by elsewhere.
    pub external_ref: Option<String>,
    /// A JSON object of the partner's own.
    pub metadata: Option<Value>,
}

impl AssetInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self) -> AppResult<MintAsset> {
        let mut faults = Faults::default();
        let content_hash = check_hash(&mut faults, self.content_hash.as_deref());
        let title = self.title.as_deref().unwrap_or_default();
        let title = faults.check("title", validate::line(title, 1, 200));
        let external_ref = faults.check_optional("externalRef", self.external_ref, |text| {
            validate::line(&text, 1, 200)
        });
        let metadata = faults.check_optional("metadata", self.metadata, StrictValue::into_metadata);
        let command = content_hash
            .zip(title)
            .map(|(content_hash, title)| MintAsset {
                content_hash,
                title,
                external_ref,
                metadata,
            });
        faults.finish(command)
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

/// A checked order to change an asset's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeStatus {
    /// The new status.
    pub status: AssetStatus,
    /// Why, in the partner's words.
    pub reason: Option<String>,
}

impl StatusInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self) -> AppResult<ChangeStatus> {
        let mut faults = Faults::default();
        let status = self.status.as_deref().unwrap_or_default();
        let status = faults.check("status", parse_status(status));
        let reason = faults
            .check_optional("reason", self.reason, |text| validate::line(&text, 0, 200))
            .filter(|reason| !reason.is_empty());
        faults.finish(status.map(|status| ChangeStatus { status, reason }))
    }
}

/// The body of `POST /api/proof-assets/{assetId}/transfer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferInput {
    /// The id of the partner that gets the asset.
    #[schema(value_type = Uuid)]
    pub to_partner_id: Option<String>,
}

impl TransferInput {
    /// The id of the partner that gets the asset.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] where it is missing or no id.
    pub fn check(self) -> AppResult<Uuid> {
        let mut faults = Faults::default();
        let to = self
            .to_partner_id
            .as_deref()
            .and_then(|text| Uuid::try_parse(text).ok())
            .ok_or_else(|| "must be the id (a UUID) of the partner that gets the asset".to_owned());
        let to = faults.check("toPartnerId", to);
        faults.finish(to)
    }
}

/// The body of `POST /api/proof-assets/{assetId}/reverify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReverifyInput {
    /// The SHA-256 of the content as it is now, 64 hex digits of any case.
    #[schema(value_type = String, pattern = "^[0-9A-Fa-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub content_hash: Option<String>,
}

impl ReverifyInput {
    /// The hash in lowercase.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] where it is missing or no hash.
    pub fn check(self) -> AppResult<String> {
        let mut faults = Faults::default();
        let content_hash = check_hash(&mut faults, self.content_hash.as_deref());
        faults.finish(content_hash)
    }
}

fn check_hash(faults: &mut Faults, text: Option<&str>) -> Option<String> {
    faults.check("contentHash", content_hash(text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_mint_is_told() {
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
    fn orders_that_mean_the_same_are_the_same() {
        let order = |json: &str| {
            let input: AssetInput = serde_json::from_str(json).unwrap();
            serde_json::to_string(&input.check().unwrap()).unwrap()
        };
        let (lower, upper) = ("ab".repeat(32), "AB".repeat(32));
        assert_eq!(
            order(&format!(
                r#"{{"contentHash":"{lower}","title":"Deed","metadata":{{"a":1,"b":2}}}}"#
            )),
            order(&format!(
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
