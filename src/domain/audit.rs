//! Events of the audit log: who did what to what, when and from where.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

use super::token::KeyId;

/// The actor of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// The kind of actor.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// An operator's e-mail, a keyId, an account of the host, or the server process.
    #[schema(example = "ops@example.com")]
    pub id: String,
}

impl Actor {
    pub fn new(kind: ActorKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind.into_str(), self.id)
    }
}

/// A kind of actor.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person signed in to the console.
    Operator,
    /// A partner's key, or an admin key.
    Key,
    /// A person at the command line.
    Cli,
    /// The server itself.
    System,
}

/// The action.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Action {
    /// A partner was created.
    #[serde(rename = "partner.created")]
    #[strum(serialize = "partner.created")]
    PartnerCreated,
    /// A partner was changed; the details name the fields.
    #[serde(rename = "partner.updated")]
    #[strum(serialize = "partner.updated")]
    PartnerUpdated,
    /// A partner was imported from the Node version.
    #[serde(rename = "partner.imported")]
    #[strum(serialize = "partner.imported")]
    PartnerImported,
    /// A key was imported from the Node version.
    #[serde(rename = "key.imported")]
    #[strum(serialize = "key.imported")]
    KeyImported,
    /// A key was issued.
    #[serde(rename = "key.issued")]
    #[strum(serialize = "key.issued")]
    KeyIssued,
    /// A key's name, environment, rate or end was changed.
    #[serde(rename = "key.updated")]
    #[strum(serialize = "key.updated")]
    KeyUpdated,
    /// A key was rotated; the event belongs to the old key.
    #[serde(rename = "key.rotated")]
    #[strum(serialize = "key.rotated")]
    KeyRotated,
    /// The grace period of a retiring key was changed.
    #[serde(rename = "key.grace_changed")]
    #[strum(serialize = "key.grace_changed")]
    KeyGraceChanged,
    /// A key was revoked, or its reason became `key_compromise`.
    #[serde(rename = "key.revoked")]
    #[strum(serialize = "key.revoked")]
    KeyRevoked,
    /// A revocation was undone.
    #[serde(rename = "key.restored")]
    #[strum(serialize = "key.restored")]
    KeyRestored,
    /// The key age policy was changed; the details name the rules.
    #[serde(rename = "policy.changed")]
    #[strum(serialize = "policy.changed")]
    PolicyChanged,
    /// A webhook of a partner was created.
    #[serde(rename = "webhook.created")]
    #[strum(serialize = "webhook.created")]
    WebhookCreated,
    /// A webhook of a partner was changed, or deactivated because its receiver answered 410 Gone.
    #[serde(rename = "webhook.updated")]
    #[strum(serialize = "webhook.updated")]
    WebhookUpdated,
    /// A webhook of a partner was deleted.
    #[serde(rename = "webhook.deleted")]
    #[strum(serialize = "webhook.deleted")]
    WebhookDeleted,
    /// A notification was resent.
    #[serde(rename = "notice.sent_again")]
    #[strum(serialize = "notice.sent_again")]
    NotificationResent,
    /// A proof asset was recorded.
    #[serde(rename = "asset.minted")]
    #[strum(serialize = "asset.minted")]
    AssetMinted,
    /// A proof asset's status was changed.
    #[serde(rename = "asset.status_changed")]
    #[strum(serialize = "asset.status_changed")]
    AssetStatusChanged,
    /// A proof asset was transferred; the event belongs to the previous owner.
    #[serde(rename = "asset.transferred")]
    #[strum(serialize = "asset.transferred")]
    AssetTransferred,
    /// A proof asset was transferred; the event belongs to the new owner.
    #[serde(rename = "asset.received")]
    #[strum(serialize = "asset.received")]
    AssetReceived,
    /// An operator was created.
    #[serde(rename = "operator.created")]
    #[strum(serialize = "operator.created")]
    OperatorCreated,
    /// An operator's password was set.
    #[serde(rename = "operator.password_set")]
    #[strum(serialize = "operator.password_set")]
    OperatorPasswordSet,
    /// An operator set up a second factor.
    #[serde(rename = "operator.factor_added")]
    #[strum(serialize = "operator.factor_added")]
    OperatorFactorAdded,
    /// An operator's second factor was removed.
    #[serde(rename = "operator.factor_removed")]
    #[strum(serialize = "operator.factor_removed")]
    OperatorFactorRemoved,
    /// An operator got new recovery codes.
    #[serde(rename = "operator.recovery_codes_renewed")]
    #[strum(serialize = "operator.recovery_codes_renewed")]
    OperatorRecoveryCodesRenewed,
    /// An operator was disabled.
    #[serde(rename = "operator.disabled")]
    #[strum(serialize = "operator.disabled")]
    OperatorDisabled,
    /// An operator was enabled or given another role.
    #[serde(rename = "operator.changed")]
    #[strum(serialize = "operator.changed")]
    OperatorChanged,
    /// An operator signed in.
    #[serde(rename = "operator.signed_in")]
    #[strum(serialize = "operator.signed_in")]
    OperatorSignedIn,
    /// An operator signed out.
    #[serde(rename = "operator.signed_out")]
    #[strum(serialize = "operator.signed_out")]
    OperatorSignedOut,
    /// An operator was denied actions by their role; one event per minute with their number.
    #[serde(rename = "operator.refused")]
    #[strum(serialize = "operator.refused")]
    OperatorRefused,
    /// Sign-ins failed; one event per minute with their number, accounts and client addresses.
    #[serde(rename = "operator.sign_in_failed")]
    #[strum(serialize = "operator.sign_in_failed")]
    OperatorSignInFailed,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The event's id.
    pub event_id: Uuid,
    /// The time of the event.
    pub at: DateTime<Utc>,
    /// The actor.
    pub actor: Actor,
    /// The action.
    pub action: Action,
    /// The affected key.
    pub key_id: Option<KeyId>,
    /// The affected partner, or the partner of the affected key.
    pub partner_id: Option<Uuid>,
    /// The affected proof asset.
    pub asset_id: Option<Uuid>,
    /// The client's IP address.
    #[schema(example = "203.0.113.7")]
    pub ip: Option<String>,
    /// The id of the request.
    #[schema(example = "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e")]
    pub request_id: Option<String>,
    /// The changes, by field.
    #[schema(value_type = Object, example = json!({"graceSeconds": 86400}))]
    pub details: serde_json::Value,
}
