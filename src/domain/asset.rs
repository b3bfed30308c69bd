//! Proof assets: views and list queries.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::AppResult;
use super::list::page;
use super::page::PageRequest;
use super::token::KeyId;
use super::validate::{FieldErrors, one_of};

/// An asset as its owner sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// The asset's id.
    pub asset_id: Uuid,
    /// The current owner.
    pub partner_id: Uuid,
    /// The SHA-256 of the content, 64 lowercase hex digits.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub content_hash: String,
    /// The partner's name for it.
    #[schema(example = "Deed of sale 2031-7")]
    pub title: String,
    /// The partner's own reference.
    #[schema(example = "crm:88121")]
    pub external_ref: Option<String>,
    /// A JSON object chosen by the partner.
    #[schema(value_type = Option<Object>, example = json!({"pages": 12}))]
    pub metadata: Option<Value>,
    /// The current status.
    pub status: AssetStatus,
    /// The key that recorded it.
    pub minted_by: KeyId,
    /// The time of recording.
    pub created_at: DateTime<Utc>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
}

/// The status of an asset.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetStatus {
    /// Valid.
    Active,
    /// Temporarily invalid.
    Suspended,
    /// Permanently invalid.
    Retired,
}

/// The assets that a caller may see and change; all others are answered with 404.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessScope {
    /// The assets that this partner owns now.
    Own(Uuid),
    /// All assets, for an admin key.
    All,
}

impl AccessScope {
    /// Returns the required owner, or `None` if any will do.
    pub fn owner(self) -> Option<Uuid> {
        match self {
            Self::Own(partner_id) => Some(partner_id),
            Self::All => None,
        }
    }
}

/// The query of the list of assets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AssetListInput {
    /// Only assets with this status.
    #[param(value_type = AssetStatus, required = false)]
    pub status: Option<String>,
    /// Only assets with this content hash.
    #[param(value_type = String, pattern = "^[0-9A-Fa-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", required = false)]
    pub content_hash: Option<String>,
    /// The number of rows on a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// The cursor of the page, as given by another page.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// A checked query of the list of assets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetQuery {
    pub status: Option<AssetStatus>,
    pub content_hash: Option<String>,
    pub page: PageRequest,
}

impl AssetListInput {
    pub fn check(&self) -> AppResult<AssetQuery> {
        let mut errors = FieldErrors::default();
        let status = errors.check_optional("status", self.status.as_deref(), one_of);
        let content_hash =
            errors.check_optional("contentHash", self.content_hash.as_deref(), content_hash);
        let page = page(&mut errors, self.limit.as_deref(), self.cursor.as_deref());
        errors.finish(page.map(|page| AssetQuery {
            status,
            content_hash,
            page,
        }))
    }
}

/// Parses a SHA-256 in hex of any case and returns it in lower case.
pub(super) fn content_hash(text: &str) -> Result<String, String> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("must be a SHA-256: 64 hex digits".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}
