//! Notifications to partners about their keys, and their deliveries.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

use super::audit::Action;
use super::token::KeyId;

/// The kind of a notification.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum NotificationKind {
    /// A key was issued.
    #[serde(rename = "key.issued")]
    #[strum(serialize = "key.issued")]
    Issued,
    /// A key was rotated.
    #[serde(rename = "key.rotated")]
    #[strum(serialize = "key.rotated")]
    Rotated,
    /// A key was revoked.
    #[serde(rename = "key.revoked")]
    #[strum(serialize = "key.revoked")]
    Revoked,
    /// A revocation was undone.
    #[serde(rename = "key.restored")]
    #[strum(serialize = "key.restored")]
    Restored,
    /// A key ends in 14, 7 or 1 days.
    #[serde(rename = "key.expiring")]
    #[strum(serialize = "key.expiring")]
    Expiring,
    /// A key is due for rotation by the policy.
    #[serde(rename = "key.rotation_due")]
    #[strum(serialize = "key.rotation_due")]
    RotationDue,
    /// A key was used for the first time.
    #[serde(rename = "key.first_used")]
    #[strum(serialize = "key.first_used")]
    FirstUsed,
}

impl NotificationKind {
    /// Returns the notification for an audit event, if any, and the details it includes. Actors and
    /// notes are never disclosed to partners.
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

/// The state of a delivery.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// In progress or waiting for a retry.
    Pending,
    /// Delivered.
    Delivered,
    /// Given up.
    Failed,
}

/// The delivery of a notification to a webhook or an e-mail address. Bodies and answers are not
/// kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The delivery's id.
    pub delivery_id: Uuid,
    /// The notification's id, sent as `webhook-id` with each attempt.
    pub notice_id: Uuid,
    /// The kind of notification.
    pub kind: NotificationKind,
    /// The key it is about.
    pub key_id: KeyId,
    /// The webhook; `null` for e-mail.
    pub webhook_id: Option<Uuid>,
    /// The e-mail address; `null` for a webhook.
    #[schema(example = "ops@acme.example")]
    pub email: Option<String>,
    /// The status.
    pub status: DeliveryStatus,
    /// The number of attempts.
    #[schema(minimum = 0)]
    pub attempts: i32,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The time of the last attempt.
    pub last_attempt_at: Option<DateTime<Utc>>,
    /// The time of the next attempt; `null` once delivered or failed.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// The HTTP status or SMTP reply code of the last attempt.
    #[schema(example = 204)]
    pub last_code: Option<i32>,
    /// The error of a last attempt without an answer.
    #[schema(example = "the receiver did not answer in time")]
    pub last_error: Option<String>,
    /// The duration of the last attempt in milliseconds.
    #[schema(minimum = 0, example = 120)]
    pub last_millis: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_and_actors_are_not_disclosed() {
        for action in Action::VARIANTS {
            let disclosed = NotificationKind::of(*action).map_or(&[][..], |(_, details)| details);
            for member in ["note", "previousReason", "actor", "email"] {
                assert!(!disclosed.contains(&member), "{action:?} {member}");
            }
        }
    }
}
