//! Keys: views and results.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;
use uuid::Uuid;

use super::grace::Grace;
use super::scope::Scope;
use super::secret::Secret;
use super::token::KeyId;

/// Default requests per minute.
pub const DEFAULT_RATE: i32 = 300;
/// Highest rate that REST and the console accept.
pub const MAX_RATE: i32 = 10_000;

/// A key as operators see it, without its hash, check tag and pepper fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_0f1e2d3c4b5a", "partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e",
    "partnerName": "Acme Ltd", "name": "Billing service", "environment": "production",
    "scopes": ["assets:read", "reverify"], "status": "active", "ratePerMinute": 300,
    "notBefore": "2030-01-31T12:00:00Z", "notAfter": "2031-01-31T12:00:00Z",
    "createdAt": "2030-01-31T12:00:00Z", "createdBy": "operator:ops@example.com",
    "lastUsedAt": "2030-02-01T08:30:00Z", "lastUsedIp": "203.0.113.7", "rotatedFrom": null,
    "replacedBy": null, "retiresAt": null, "grace": null, "revokedAt": null, "revokedReason": null,
    "rotationDueAt": "2030-07-30T12:00:00Z", "rotationDue": false, "stale": false,
}))]
pub struct KeyView {
    /// The key's public id.
    pub key_id: KeyId,
    /// The partner's id.
    pub partner_id: Uuid,
    /// The partner's name.
    pub partner_name: String,
    /// The operator's name for it.
    pub name: Option<String>,
    /// The system it is meant for.
    pub environment: Environment,
    /// The granted scopes.
    pub scopes: Vec<Scope>,
    /// The status at the time of the answer.
    pub status: KeyStatus,
    /// Allowed requests per minute.
    #[schema(minimum = 1)]
    pub rate_per_minute: i32,
    /// The start of validity (inclusive).
    pub not_before: DateTime<Utc>,
    /// The end of validity (exclusive); `null` for a key without end.
    pub not_after: Option<DateTime<Utc>>,
    /// The time of creation.
    pub created_at: DateTime<Utc>,
    /// The creator, such as `operator:ops@example.com` or `key:mpk_0f1e2d3c4b5a`.
    pub created_by: String,
    /// The time of the last accepted use; written in batches, up to a second late.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The client's IP address of the last accepted use.
    pub last_used_ip: Option<String>,
    /// The predecessor.
    pub rotated_from: Option<KeyId>,
    /// The successor.
    pub replaced_by: Option<KeyId>,
    /// The end of the grace period, once rotated.
    pub retires_at: Option<DateTime<Utc>>,
    /// The grace period, once rotated.
    pub grace: Option<Grace>,
    /// The time of the revocation, or the end of the grace period.
    pub revoked_at: Option<DateTime<Utc>>,
    /// The reason of the revocation.
    pub revoked_reason: Option<RevocationReason>,
    /// The time from which the key is due for rotation by the policy; `null` without such a rule,
    /// and for a key that can't be rotated.
    pub rotation_due_at: Option<DateTime<Utc>>,
    /// True if the key is due for rotation.
    pub rotation_due: bool,
    /// True if the key is active and was not accepted for the number of days in the policy.
    pub stale: bool,
}

/// Time during which a revocation can be undone.
const UNDO_WINDOW: TimeDelta = TimeDelta::minutes(60);
/// A key counts as in use if it was accepted this recently.
const IN_USE_WINDOW: TimeDelta = TimeDelta::days(30);

/// A live key is reported as expiring this long before its end.
pub const EXPIRY_WARNING: TimeDelta = TimeDelta::days(14);

/// Time during which a refusal counts as recent.
pub const RECENT_WINDOW: TimeDelta = TimeDelta::hours(1);

impl KeyView {
    /// Hides the identity of staff, for the key's own holder.
    pub fn without_staff(mut self) -> Self {
        let kind = self.created_by.split(':').next().unwrap_or_default();
        if ["operator", "cli", "key"].contains(&kind) {
            self.created_by = "operator".to_owned();
        }
        self
    }

    /// True if it ends within [`EXPIRY_WARNING`]. Retiring keys are excluded: their grace period
    /// ends them.
    pub fn expires_soon(&self, now: DateTime<Utc>) -> bool {
        let is_meant = matches!(self.status, KeyStatus::Scheduled | KeyStatus::Active);
        is_meant
            && self
                .not_after
                .is_some_and(|end| end - now <= EXPIRY_WARNING)
    }

    /// True if it was used after its rotation.
    pub fn is_still_used(&self) -> bool {
        let rotated_at = self.grace.as_ref().map(|grace| grace.rotated_at);
        self.status == KeyStatus::Retiring
            && rotated_at.is_some_and(|rotated_at| self.last_used_at > Some(rotated_at))
    }

    /// True if it is valid but was never used.
    pub fn is_unused(&self) -> bool {
        let works = matches!(self.status, KeyStatus::Active | KeyStatus::Retiring);
        works && self.last_used_at.is_none()
    }

    pub fn is_in_use(&self, now: DateTime<Utc>) -> bool {
        self.last_used_at
            .is_some_and(|at| now - at <= IN_USE_WINDOW)
    }

    /// True if reason and time allow to undo the revocation. The server may still refuse for the
    /// state of the partner or the lineage.
    pub fn can_be_restored(&self, now: DateTime<Utc>) -> bool {
        let for_good = matches!(
            self.revoked_reason,
            Some(RevocationReason::KeyCompromise | RevocationReason::Superseded)
        );
        !for_good && self.revoked_at.is_some_and(|at| now <= at + UNDO_WINDOW)
    }
}

/// The dates that decide a key's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub not_before: DateTime<Utc>,
    pub not_after: Option<DateTime<Utc>>,
    /// The end of the grace period of a rotated key.
    pub retires_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

/// The status of a key.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// Not valid yet.
    Scheduled,
    /// Valid.
    Active,
    /// Rotated and still valid during its grace period.
    Retiring,
    /// Past its end.
    Expired,
    /// Revoked, or past its grace period. Takes precedence over all others.
    Revoked,
}

impl KeyStatus {
    /// Returns the status at `now`. Valid means notBefore ≤ now < notAfter.
    pub fn at(now: DateTime<Utc>, life: &Lifetime) -> Self {
        if life.revoked_at.is_some() || life.retires_at.is_some_and(|at| at <= now) {
            Self::Revoked
        } else if now < life.not_before {
            Self::Scheduled
        } else if life.not_after.is_some_and(|at| at <= now) {
            Self::Expired
        } else if life.retires_at.is_some() {
            Self::Retiring
        } else {
            Self::Active
        }
    }

    /// True if a key of this status can be rotated or changed.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Active | Self::Retiring)
    }
}

/// The system that a key is meant for. It only labels keys; it grants and denies nothing.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// Live traffic.
    #[default]
    Production,
    /// A partner's test system.
    Test,
    /// A developer's machine.
    Development,
}

/// Why a key was revoked (after RFC 5280 §5.3.1).
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// No reason was given.
    #[default]
    Unspecified,
    /// The secret is, or may be, known to someone else.
    KeyCompromise,
    /// A successor took its place.
    Superseded,
    /// The partner has stopped calling.
    CessationOfOperation,
    /// The partner may no longer do what the key allowed.
    PrivilegeWithdrawn,
}

/// A new key with its token, which is shown only here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_0f1e2d3c4b5a", "token": "mpk_0f1e2d3c4b5a.<the secret>",
    "partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e", "scopes": ["assets:read", "reverify"],
    "environment": "production", "ratePerMinute": 300, "notBefore": "2030-01-31T12:00:00Z",
    "notAfter": "2031-01-31T12:00:00Z",
}))]
pub struct IssuedKey {
    /// The key's id.
    pub key_id: KeyId,
    /// `<keyId>.<secret>`; neither stored nor shown again.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The partner's id.
    pub partner_id: Uuid,
    /// The granted scopes.
    pub scopes: Vec<Scope>,
    /// The system it is meant for.
    pub environment: Environment,
    /// Allowed requests per minute.
    #[schema(minimum = 1)]
    pub rate_per_minute: i32,
    /// The start of validity (inclusive).
    pub not_before: DateTime<Utc>,
    /// The end of validity (exclusive).
    pub not_after: Option<DateTime<Utc>>,
}

/// The result of a revocation, the same when repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_0f1e2d3c4b5a", "status": "revoked", "revokedAt": "2030-02-01T08:30:00Z",
}))]
pub struct RevokedKey {
    /// The key's id.
    pub key_id: KeyId,
    /// Always [`KeyStatus::Revoked`].
    pub status: KeyStatus,
    /// The time of the revocation.
    pub revoked_at: DateTime<Utc>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn life(not_after: Option<i64>, retires_at: Option<i64>, revoked_at: Option<i64>) -> Lifetime {
        Lifetime {
            not_before: at(100),
            not_after: not_after.map(at),
            retires_at: retires_at.map(at),
            revoked_at: revoked_at.map(at),
        }
    }

    #[test]
    fn the_window_includes_its_first_moment_and_excludes_its_end() {
        let window = life(Some(200), None, None);
        for (now, status) in [
            (99, KeyStatus::Scheduled),
            (100, KeyStatus::Active),
            (199, KeyStatus::Active),
            (200, KeyStatus::Expired),
        ] {
            assert_eq!(KeyStatus::at(at(now), &window), status, "{now}");
        }
    }

    #[test]
    fn a_grace_ends_in_revocation_and_revocation_wins() {
        let rotated = life(Some(200), Some(150), None);
        assert_eq!(KeyStatus::at(at(149), &rotated), KeyStatus::Retiring);
        assert_eq!(KeyStatus::at(at(150), &rotated), KeyStatus::Revoked);
        assert_eq!(KeyStatus::at(at(250), &rotated), KeyStatus::Revoked);
        for now in [50, 150, 250] {
            assert_eq!(
                KeyStatus::at(at(now), &life(Some(200), None, Some(120))),
                KeyStatus::Revoked
            );
        }
    }
}
