//! Orders about many keys: what can be done, for which keys it can't, and what came of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AppError;
use super::key::{KeyView, RevokedKey};
use super::rotation::RotatedKey;
use super::token::KeyId;

/// Keys that one order may change.
pub const MAX_KEYS: usize = 500;

/// What shall happen to the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkAction {
    /// A successor takes the place of each.
    Rotate,
    /// Each is refused at once.
    Revoke,
}

impl BulkAction {
    /// Every action.
    pub const ALL: [Self; 2] = [Self::Rotate, Self::Revoke];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rotate => "rotate",
            Self::Revoke => "revoke",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// Why an order is not carried out for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// No key has this id.
    KeyNotFound,
    /// It has a successor already.
    AlreadyRotated,
    /// It is revoked already.
    AlreadyRevoked,
    /// It is revoked or expired.
    KeyInactive,
    /// Its partner is deactivated.
    PartnerInactive,
    /// Its predecessor or successor is still live, so that a third one of its lineage would be.
    LineageFull,
}

impl SkipReason {
    /// A few words for the person who gave the order.
    #[must_use]
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

/// A key for which the order is not carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkippedKey {
    /// The key's id.
    pub key_id: KeyId,
    /// Why not.
    pub reason: SkipReason,
    /// Its successor, where it has one.
    pub replaced_by: Option<KeyId>,
}

/// What a key's surroundings say.
#[derive(Clone, Copy, Debug)]
pub struct RotationContext {
    /// Whether its partner is active.
    pub partner_active: bool,
    /// Whether another key of its lineage is live.
    pub has_live_sibling: bool,
}

impl BulkAction {
    /// Why the action is not carried out for a key; `None` where it is.
    #[must_use]
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

/// What an order would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BulkPreview {
    /// The keys it would be carried out for, oldest first.
    pub keys: Vec<KeyView>,
    /// How many of them were accepted in the last 30 days.
    pub in_use: usize,
    /// The keys it would not be carried out for.
    pub left_out: Vec<SkippedKey>,
    /// Whether more keys fit than one order takes.
    pub more: bool,
}

/// What a rotation of many keys answers, with the one and only showing of the successors' tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManyRotated {
    /// What was rotated.
    pub rotated: Vec<RotatedKey>,
    /// The keys that were left as they were.
    pub left_out: Vec<SkippedKey>,
    /// Whether more keys fit than one order takes.
    pub more: bool,
}

/// What a revocation of many keys answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManyRevoked {
    /// What was revoked.
    pub revoked: Vec<RevokedKey>,
    /// The keys that were left as they were.
    pub left_out: Vec<SkippedKey>,
    /// Whether more keys fit than one order takes.
    pub more: bool,
}

/// What the console is told while many keys are being rotated: a line of JSON each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Progress {
    /// So many secrets are hashed, of so many.
    Hashed(usize, usize),
    /// All is done.
    Done(ManyRotated),
    /// Nothing was changed.
    Failed(AppError),
}
