//! Bulk actions: which keys they skip, and their results.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::error::AppError;
use super::key::{KeyView, RevokedKey};
use super::rotation::RotatedKey;
use super::token::KeyId;

/// Maximum number of keys per request.
pub const MAX_KEYS: usize = 500;

/// The bulk action.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// Replace each key by a successor.
    Rotate,
    /// Revoke each key immediately.
    Revoke,
}

/// The reason why a key is skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// No key has this id.
    KeyNotFound,
    /// The key already has a successor.
    AlreadyRotated,
    /// The key is already revoked.
    AlreadyRevoked,
    /// The key is revoked or expired.
    KeyInactive,
    /// The key's partner is deactivated.
    PartnerInactive,
    /// Another key of the lineage is still live; at most two may be.
    LineageFull,
}

impl SkipReason {
    /// Completes a sentence for the operator.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::KeyNotFound => "no key has this id",
            Self::AlreadyRotated => "it was rotated already",
            Self::AlreadyRevoked => "it is revoked already",
            Self::KeyInactive => "it is revoked or expired",
            Self::PartnerInactive => "its partner is deactivated",
            Self::LineageFull => "another key of its lineage is still live: end that one first",
        }
    }
}

/// A key that is skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedKey {
    /// The key's id.
    pub key_id: KeyId,
    /// The reason.
    pub reason: SkipReason,
    /// Its successor, if it has one.
    pub replaced_by: Option<KeyId>,
}

/// Facts beyond the key's own row that decide whether it can be rotated.
#[derive(Clone, Copy, Debug)]
pub struct RotationContext {
    pub partner_active: bool,
    /// True if another key of the lineage is live.
    pub has_live_sibling: bool,
}

impl BulkAction {
    /// Returns why the action skips a key, or `None` if it applies.
    pub fn skip_reason(self, key: &KeyView, around: RotationContext) -> Option<SkipReason> {
        match self {
            Self::Revoke => (key.revoked_at.is_some()).then_some(SkipReason::AlreadyRevoked),
            Self::Rotate if key.replaced_by.is_some() => Some(SkipReason::AlreadyRotated),
            Self::Rotate if !key.status.is_live() => Some(SkipReason::KeyInactive),
            Self::Rotate if !around.partner_active => Some(SkipReason::PartnerInactive),
            Self::Rotate => around.has_live_sibling.then_some(SkipReason::LineageFull),
        }
    }
}

/// The effect that a bulk request would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkPreview {
    /// The keys it would change, oldest first.
    pub keys: Vec<KeyView>,
    /// The number of these keys that were accepted in the last 30 days.
    pub in_use: usize,
    /// The keys it would skip.
    pub left_out: Vec<SkippedKey>,
    /// True if more keys match than one request may change.
    pub more: bool,
}

/// The result of a bulk rotation, with the successors' tokens, which are shown only here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManyRotated {
    /// The rotated keys.
    pub rotated: Vec<RotatedKey>,
    /// The skipped keys.
    pub left_out: Vec<SkippedKey>,
    /// True if more keys match than one request may change.
    pub more: bool,
}

/// The result of a bulk revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManyRevoked {
    /// The revoked keys.
    pub revoked: Vec<RevokedKey>,
    /// The skipped keys.
    pub left_out: Vec<SkippedKey>,
    /// True if more keys match than one request may change.
    pub more: bool,
}

/// Progress of a bulk rotation, sent to the console as a line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// The number of hashed secrets and their total.
    Hashed(usize, usize),
    Done(ManyRotated),
    /// Failed, and nothing was changed.
    Failed(AppError),
}
