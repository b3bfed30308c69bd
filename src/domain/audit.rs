//! The administrative history: who did what to what, when and from where.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::token::KeyId;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Actor {
    /// What kind of actor.
    #[serde(rename = "type")]
    pub kind: ActorKind,
    /// An operator's e-mail, a keyId, an account of the machine, or the process.
    #[schema(example = "ops@example.com")]
    pub id: String,
}

impl Actor {
    /// An actor.
    pub fn new(kind: ActorKind, id: impl Into<String>) -> Self {
        Self {
            kind,
            id: id.into(),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.kind.as_str(), self.id)
    }
}

/// A kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person signed in to the console.
    Operator,
    /// A partner's key, or an admin key.
    Key,
    /// Somebody at the command line.
    Cli,
    /// The server itself.
    System,
}

impl ActorKind {
    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Key => "key",
            Self::Cli => "cli",
            Self::System => "system",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Operator, Self::Key, Self::Cli, Self::System]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Action {
    /// A partner was made.
    #[serde(rename = "partner.created")]
    PartnerCreated,
    /// A partner was changed; the details name the fields.
    #[serde(rename = "partner.updated")]
    PartnerUpdated,
    /// A partner was taken over from the earlier Node pack.
    #[serde(rename = "partner.imported")]
    PartnerImported,
    /// A key was taken over from the earlier Node pack.
    #[serde(rename = "key.imported")]
    KeyImported,
    /// A key was issued.
    #[serde(rename = "key.issued")]
    KeyIssued,
    /// A key's name, environment, rate or end was changed.
    #[serde(rename = "key.updated")]
    KeyUpdated,
    /// A key got a successor; the event is the old key's.
    #[serde(rename = "key.rotated")]
    KeyRotated,
    /// The end of a retiring key's grace was changed.
    #[serde(rename = "key.grace_changed")]
    KeyGraceChanged,
    /// A key was revoked, or its reason became `key_compromise`.
    #[serde(rename = "key.revoked")]
    KeyRevoked,
    /// A revocation was undone.
    #[serde(rename = "key.restored")]
    KeyRestored,
    /// The policy of key ages was changed; the details name the rules.
    #[serde(rename = "policy.changed")]
    PolicyChanged,
    /// A partner's webhook was made.
    #[serde(rename = "webhook.created")]
    WebhookCreated,
    /// A partner's webhook was changed, or switched off since its receiver is gone.
    #[serde(rename = "webhook.updated")]
    WebhookUpdated,
    /// A partner's webhook was deleted.
    #[serde(rename = "webhook.deleted")]
    WebhookDeleted,
    /// A notice was sent again.
    #[serde(rename = "notice.sent_again")]
    NotificationResent,
    /// A proof asset was recorded.
    #[serde(rename = "asset.minted")]
    AssetMinted,
    /// A proof asset's status was changed.
    #[serde(rename = "asset.status_changed")]
    AssetStatusChanged,
    /// A proof asset was handed on; the event is the giver's.
    #[serde(rename = "asset.transferred")]
    AssetTransferred,
    /// A proof asset was handed on; the event is the receiver's.
    #[serde(rename = "asset.received")]
    AssetReceived,
    /// An operator was made.
    #[serde(rename = "operator.created")]
    OperatorCreated,
    /// An operator's password was set.
    #[serde(rename = "operator.password_set")]
    OperatorPasswordSet,
    /// An operator set up a second factor.
    #[serde(rename = "operator.factor_added")]
    OperatorFactorAdded,
    /// An operator's second factor was taken away.
    #[serde(rename = "operator.factor_removed")]
    OperatorFactorRemoved,
    /// An operator got new recovery codes.
    #[serde(rename = "operator.recovery_codes_renewed")]
    OperatorRecoveryCodesRenewed,
    /// An operator was disabled.
    #[serde(rename = "operator.disabled")]
    OperatorDisabled,
    /// An operator may sign in again, or has another role.
    #[serde(rename = "operator.changed")]
    OperatorChanged,
    /// An operator signed in.
    #[serde(rename = "operator.signed_in")]
    OperatorSignedIn,
    /// An operator signed out.
    #[serde(rename = "operator.signed_out")]
    OperatorSignedOut,
    /// An operator tried what their role does not allow; one event a minute tells how often.
    #[serde(rename = "operator.refused")]
    OperatorRefused,
    /// Somebody failed to sign in; one event a minute tells how often, on which accounts and whence.
    #[serde(rename = "operator.sign_in_failed")]
    OperatorSignInFailed,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 30] = [
        Self::PartnerCreated,
        Self::PartnerUpdated,
        Self::PartnerImported,
        Self::KeyImported,
        Self::KeyIssued,
        Self::KeyUpdated,
        Self::KeyRotated,
        Self::KeyGraceChanged,
        Self::KeyRevoked,
        Self::KeyRestored,
        Self::PolicyChanged,
        Self::WebhookCreated,
        Self::WebhookUpdated,
        Self::WebhookDeleted,
        Self::NotificationResent,
        Self::AssetMinted,
        Self::AssetStatusChanged,
        Self::AssetTransferred,
        Self::AssetReceived,
        Self::OperatorCreated,
        Self::OperatorPasswordSet,
        Self::OperatorFactorAdded,
        Self::OperatorFactorRemoved,
        Self::OperatorRecoveryCodesRenewed,
        Self::OperatorDisabled,
        Self::OperatorChanged,
        Self::OperatorSignedIn,
        Self::OperatorSignedOut,
        Self::OperatorRefused,
        Self::OperatorSignInFailed,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartnerCreated => "partner.created",
            Self::PartnerUpdated => "partner.updated",
            Self::PartnerImported => "partner.imported",
            Self::KeyImported => "key.imported",
            Self::KeyIssued => "key.issued",
            Self::KeyUpdated => "key.updated",
            Self::KeyRotated => "key.rotated",
            Self::KeyGraceChanged => "key.grace_changed",
            Self::KeyRevoked => "key.revoked",
            Self::KeyRestored => "key.restored",
            Self::PolicyChanged => "policy.changed",
            Self::WebhookCreated => "webhook.created",
            Self::WebhookUpdated => "webhook.updated",
            Self::WebhookDeleted => "webhook.deleted",
            Self::NotificationResent => "notice.sent_again",
            Self::AssetMinted => "asset.minted",
            Self::AssetStatusChanged => "asset.status_changed",
            Self::AssetTransferred => "asset.transferred",
            Self::AssetReceived => "asset.received",
            Self::OperatorCreated => "operator.created",
            Self::OperatorPasswordSet => "operator.password_set",
            Self::OperatorFactorAdded => "operator.factor_added",
            Self::OperatorFactorRemoved => "operator.factor_removed",
            Self::OperatorRecoveryCodesRenewed => "operator.recovery_codes_renewed",
            Self::OperatorDisabled => "operator.disabled",
            Self::OperatorChanged => "operator.changed",
            Self::OperatorSignedIn => "operator.signed_in",
            Self::OperatorSignedOut => "operator.signed_out",
            Self::OperatorRefused => "operator.refused",
            Self::OperatorSignInFailed => "operator.sign_in_failed",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// One entry of the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The event's id.
    pub event_id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To which key.
    pub key_id: Option<KeyId>,
    /// To which partner, or to a key of which partner.
    pub partner_id: Option<Uuid>,
    /// To which proof asset.
    pub asset_id: Option<Uuid>,
    /// From which address.
    #[schema(example = "203.0.113.7")]
    pub ip: Option<String>,
    /// Under which request.
    #[schema(example = "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e")]
    pub request_id: Option<String>,
    /// What changed, by field.
    #[schema(value_type = Object, example = json!({"graceSeconds": 86400}))]
    pub details: serde_json::Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_names_round_trip() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Some(action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
    }
}
