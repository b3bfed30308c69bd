//! The reasons that errors of REST name: refused keys, missing resources, conflicts.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use uuid::Uuid;

/// The reasons for which a key is refused, in the order of the checks.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthReason {
    /// No key in the request.
    MissingHeader,
    /// Not a token, a repeated header, or another authentication scheme.
    BadFormat,
    /// No key has this id.
    UnknownKey,
    /// The secret is not the key's.
    SecretMismatch,
    /// The key is revoked.
    KeyInactive,
    /// The key's partner is deactivated.
    PartnerInactive,
    /// The key's window has not begun.
    NotYetValid,
    /// The key's window has ended.
    Expired,
}

impl AuthReason {
    /// Explains the reason to the reader of the answer.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::MissingHeader => {
                "send it as `X-API-Key: <keyId>.<secret>` or `Authorization: ApiKey <keyId>.<secret>`"
            }
            Self::BadFormat => "it is not of the form <keyId>.<secret>, or a header is repeated",
            Self::UnknownKey => "no key has this id",
            Self::SecretMismatch => "the secret is not this key's",
            Self::KeyInactive => "the key is revoked: ask for a new one",
            Self::PartnerInactive => "the partner is deactivated",
            Self::NotYetValid => "the key is not valid yet",
            Self::Expired => "the key has expired: ask for a new one",
        }
    }
}

/// The kind of resource that a 404 is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// No key has this id.
    KeyNotFound,
    /// No partner has this id.
    PartnerNotFound,
    /// No proof asset that the caller may see has this id.
    AssetNotFound,
    /// No operator has this e-mail.
    OperatorNotFound,
    /// The operator has no second factor.
    FactorNotFound,
    /// No webhook has this id.
    WebhookNotFound,
    /// No delivery has this id, or it is no longer kept.
    DeliveryNotFound,
    /// No route has this path.
    RouteNotFound,
}

impl Missing {
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::KeyNotFound => "no key has this id",
            Self::PartnerNotFound => "no partner has this id",
            Self::AssetNotFound => "no proof asset of yours has this id",
            Self::OperatorNotFound => "no operator has this e-mail",
            Self::FactorNotFound => "there is no second factor: set one up first",
            Self::WebhookNotFound => "no webhook has this id",
            Self::DeliveryNotFound => "no delivery has this id, or it is kept no longer",
            Self::RouteNotFound => "there is no such route",
        }
    }
}

/// The reason for a 409.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "reason",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Conflict {
    /// The key already has a successor.
    AlreadyRotated { replaced_by: String },
    /// The key is revoked or expired.
    KeyInactive,
    /// The partner is deactivated.
    PartnerInactive,
    /// The lineage has the maximum number of live keys.
    LineageFull {
        /// The live keys except the one in the request.
        live_keys: Vec<String>,
    },
    /// The key is not retiring.
    NotRetiring,
    /// The key is not revoked, so there is nothing to undo.
    NotRevoked,
    /// The revocation can't be undone, or no longer.
    RevokedForGood,
    /// The partner has already recorded this content.
    AlreadyMinted { asset_id: Uuid },
    /// The asset is retired, which is final.
    AssetRetired,
    /// The idempotency key was used with another body.
    IdempotencyMismatch,
    /// A request with the same idempotency key is in progress.
    IdempotencyInProgress,
    /// The operator has a second factor.
    FactorExists,
    /// The last admin would be gone.
    LastAdmin,
    /// An operator with this e-mail exists.
    OperatorExists,
    /// The partner has the maximum number of webhooks.
    TooManyWebhooks,
}

impl Conflict {
    pub(super) fn describe(&self) -> String {
        match self {
            Self::AlreadyRotated { replaced_by } => {
                format!("the key was rotated already: {replaced_by} replaces it")
            }
            Self::KeyInactive => "the key is revoked or expired: issue a new one".to_owned(),
            Self::PartnerInactive => "the partner is deactivated: activate it first".to_owned(),
            Self::LineageFull { live_keys } => format!(
                "no more than two keys of one lineage may be live: end one of these first ({}); rotating at once needs no room",
                live_keys.join(", ")
            ),
            Self::NotRetiring => {
                "the key is not retiring: only a key that was rotated and still works has a grace"
                    .to_owned()
            }
            Self::NotRevoked => "the key is not revoked".to_owned(),
            Self::RevokedForGood => "a revocation can be undone within 60 minutes, and not for \
                key_compromise or superseded: issue a new key"
                .to_owned(),
            Self::AlreadyMinted { asset_id } => {
                format!("this content was minted already: it is asset {asset_id}")
            }
            Self::AssetRetired => "the asset is retired, and that is final".to_owned(),
            Self::IdempotencyMismatch => {
                "this Idempotency-Key came with another body before: take a new key".to_owned()
            }
            Self::IdempotencyInProgress => {
                "a request with this Idempotency-Key is still being answered: try again".to_owned()
            }
            Self::FactorExists => {
                "you have a second factor already: remove it before you set up another".to_owned()
            }
            Self::LastAdmin => {
                "this is the last admin who can sign in: make another one first".to_owned()
            }
            Self::OperatorExists => "an operator with this e-mail exists already".to_owned(),
            Self::TooManyWebhooks => {
                "the partner has ten webhooks, which is as many as there may be: delete one first"
                    .to_owned()
            }
        }
    }
}
