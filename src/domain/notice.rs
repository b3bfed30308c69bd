//! Notices: what partners are told of their keys, and how the telling went.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit::Action;
use super::token::KeyId;

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum NotificationKind {
    /// A key was issued.
    #[serde(rename = "key.issued")]
    Issued,
    /// A key got a successor.
    #[serde(rename = "key.rotated")]
    Rotated,
    /// A key was revoked.
    #[serde(rename = "key.revoked")]
    Revoked,
    /// A revocation was undone.
    #[serde(rename = "key.restored")]
    Restored,
    /// A key ends in 14 days, in 7 or in 1.
    #[serde(rename = "key.expiring")]
    Expiring,
    /// A key is older than the policy wants.
    #[serde(rename = "key.rotation_due")]
    RotationDue,
    /// A key was accepted for the first time.
    #[serde(rename = "key.first_used")]
    FirstUsed,
}

impl NotificationKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 7] = [
        Self::Issued,
        Self::Rotated,
        Self::Revoked,
        Self::Restored,
        Self::Expiring,
        Self::RotationDue,
        Self::FirstUsed,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "key.issued",
            Self::Rotated => "key.rotated",
            Self::Revoked => "key.revoked",
            Self::Restored => "key.restored",
            Self::Expiring => "key.expiring",
            Self::RotationDue => "key.rotation_due",
            Self::FirstUsed => "key.first_used",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// The notice of an event of the history, where there is one, and which of the event's details
    /// it tells. Who did it, and what they noted, stays with the registry's staff.
    #[must_use]
    pub fn of(action: Action) -> Option<(Self, &'static [&'static str])> {
        match action {
            Action::KeyIssued => Some((
                Self::Issued,
                &[
                    "name",
                    "environment",
                    "scopes",
                    "ratePerMinute",
                    "notBefore",
                    "notAfter",
                ],
            )),
            Action::KeyRotated => Some((
                Self::Rotated,
                &["replacedBy", "graceSeconds", "graceStarts", "retiresAt"],
            )),
            Action::KeyRevoked => Some((Self::Revoked, &["reason"])),
            Action::KeyRestored => Some((Self::Restored, &[])),
            _ => None,
        }
    }
}

/// How the telling of a notice went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is under way, or tried again later.
    Pending,
    /// It arrived.
    Delivered,
    /// It was given up.
    Failed,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// One telling of one notice, to one webhook or address. Neither what was sent nor what was answered
/// is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The delivery's id.
    pub delivery_id: Uuid,
    /// The notice's id: `webhook-id` of each attempt.
    pub notice_id: Uuid,
    /// What it tells.
    pub kind: NotificationKind,
    /// Of which key.
    pub key_id: KeyId,
    /// To which webhook; `None` for e-mail.
    pub webhook_id: Option<Uuid>,
    /// To which address; `None` for a webhook.
    #[schema(example = "ops@acme.example")]
    pub email: Option<String>,
    /// How it went.
    pub status: DeliveryStatus,
    /// How often it was tried.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// When the notice was handed out.
    pub created_at: DateTime<Utc>,
    /// When it was last tried.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// When it is tried next; `None` once it has arrived or was given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The status of HTTP or the reply code of SMTP that answered the last attempt.
    #[schema(example = 204)]
    pub last_code: Option<i32>,
    /// What kept the last attempt from being answered.
    #[schema(example = "the receiver did not answer in time")]
    pub last_error: Option<String>,
    /// How long the last attempt took, in milliseconds.
    #[schema(minimum = 0, example = 120)]
    pub last_millis: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in NotificationKind::ALL {
            assert_eq!(NotificationKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for status in DeliveryStatus::ALL {
            assert_eq!(DeliveryStatus::parse(status.as_str()), Some(status));
        }
    }

    #[test]
    fn what_staff_noted_is_not_told() {
        for action in Action::ALL {
            let told = NotificationKind::of(action).map_or(&[][..], |(_, told)| told);
            for member in ["note", "previousReason", "actor", "email"] {
                assert!(!told.contains(&member), "{action:?} {member}");
            }
        }
    }
}
