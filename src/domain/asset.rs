//! Proof assets: what partners record of their contents, and what may be done with a record.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::error::AppResult;
use super::list::page;
use super::page::PageRequest;
use super::token::KeyId;
use super::validate::{Faults, one_of};

/// Everything that its owner may see of an asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// The asset's id.
    pub asset_id: Uuid,
    /// Who owns it now.
    pub partner_id: Uuid,
    /// The SHA-256 of the content, 64 lowercase hex digits.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    pub content_hash: String,
    /// What the partner calls it.
    #[schema(example = "Deed of sale 2031-7")]
    pub title: String,
    /// What the partner knows it by elsewhere.
    #[schema(example = "crm:88121")]
    pub external_ref: Option<String>,
    /// A JSON object of the partner's own.
    #[schema(value_type = Option<Object>, example = json!({"pages": 12}))]
    pub metadata: Option<Value>,
    /// What it is worth now.
    pub status: AssetStatus,
    /// The key that recorded it.
    pub minted_by: KeyId,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What an asset is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssetStatus {
    /// It stands.
    Active,
    /// It does not count for now.
    Suspended,
    /// It counts no more, for ever.
    Retired,
}

impl AssetStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Retired];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Whose assets a caller sees and may change; the others don't exist for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessScope {
    /// What this partner owns now.
    Own(Uuid),
    /// Everybody's: an admin key.
    All,
}

impl AccessScope {
    /// The owner that the assets must have; `None` where anybody's will do.
    #[must_use]
    pub fn owner(self) -> Option<Uuid> {
        match self {
            Self::Own(partner_id) => Some(partner_id),
            Self::All => None,
        }
    }
}

/// The query of a list of assets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct AssetListInput {
    /// Only assets of this status.
    #[param(value_type = AssetStatus, required = false)]
    pub status: Option<String>,
    /// Only assets of this content.
    #[param(value_type = String, pattern = "^[0-9A-Fa-f]{64}$", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", required = false)]
    pub content_hash: Option<String>,
    /// Rows of a page.
    #[param(value_type = i64, required = false, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// Where the page begins.
    #[param(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
}

/// Which assets are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetQuery {
    /// Only assets of this status.
    pub status: Option<AssetStatus>,
    /// Only assets of this content.
    pub content_hash: Option<String>,
    /// Which page.
    pub page: PageRequest,
}

impl AssetListInput {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(&self) -> AppResult<AssetQuery> {
        let mut faults = Faults::default();
        let status = faults.check_optional("status", self.status.as_deref(), parse_status);
        let content_hash =
            faults.check_optional("contentHash", self.content_hash.as_deref(), content_hash);
        let page = page(&mut faults, self.limit.as_deref(), self.cursor.as_deref());
        faults.finish(page.map(|page| AssetQuery {
            status,
            content_hash,
            page,
        }))
    }
}

/// Reads a status.
pub(super) fn parse_status(text: &str) -> Result<AssetStatus, String> {
    AssetStatus::parse(text).ok_or_else(|| one_of(AssetStatus::ALL.map(AssetStatus::as_str)))
}

/// Reads a content's hash, of any case, in lowercase.
pub(super) fn content_hash(text: &str) -> Result<String, String> {
    if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("must be a SHA-256: 64 hex digits".to_owned());
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_names_round_trip() {
        for status in AssetStatus::ALL {
            assert_eq!(AssetStatus::parse(status.as_str()), Some(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}
