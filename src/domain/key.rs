//! A key as it is shown: its view, its status on the clock, its environment.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::grace::Grace;
use super::scope::Scope;
use super::secret::Secret;
use super::token::KeyId;

/// Requests a minute that a key may make when the caller names no number.
pub const DEFAULT_RATE: i32 = 300;
/// Highest rate that can be given to a key by REST and in the console.
pub const MAX_RATE: i32 = 10_000;

/// Everything an operator may see of a key. Never a hash, a tag or a fingerprint.
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
    /// Whose key it is.
    pub partner_id: Uuid,
    /// That partner's name.
    pub partner_name: String,
    /// What the operator called it.
    pub name: Option<String>,
    /// Where it is meant to be used.
    pub environment: Environment,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// What it is at the time of the answer.
    pub status: KeyStatus,
    /// Requests it may make a minute.
    #[schema(minimum = 1)]
    pub rate_per_minute: i32,
    /// First moment of its window.
    pub not_before: DateTime<Utc>,
    /// First moment after its window; `None` for a key without end.
    pub not_after: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it, such as `operator:ops@example.com` or `key:mpk_0f1e2d3c4b5a`.
    pub created_by: String,
    /// When it was last accepted; written in batches, so up to a second late.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The client's address at that time.
    pub last_used_ip: Option<String>,
    /// Its predecessor.
    pub rotated_from: Option<KeyId>,
    /// Its successor.
    pub replaced_by: Option<KeyId>,
    /// End of its grace, once it was rotated.
    pub retires_at: Option<DateTime<Utc>>,
    /// Its grace, once it was rotated.
    pub grace: Option<Grace>,
    /// When it was revoked, or when its grace ended.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Why it was revoked.
    pub revoked_reason: Option<RevocationReason>,
    /// When it is due for rotation by the policy of key ages; `None` without such a rule, and for a
    /// key that can't be rotated.
    pub rotation_due_at: Option<DateTime<Utc>>,
    /// Whether it is due for rotation.
    pub rotation_due: bool,
    /// Whether it is active and was not accepted for as long as the policy names.
    pub stale: bool,
}

/// How long a revocation can be undone.
const UNDO: TimeDelta = TimeDelta::minutes(60);
/// How lately a key was accepted that is in use.
const IN_USE: TimeDelta = TimeDelta::days(30);

/// How soon a key ends that is said to expire soon.
pub const SOON: TimeDelta = TimeDelta::days(14);

/// How long a refusal counts as recent.
pub const LATELY: TimeDelta = TimeDelta::hours(1);

impl KeyView {
    /// The key as its own holder may see it: whoever of the registry's staff made it is `operator`.
    #[must_use]
    pub fn without_staff(mut self) -> Self {
        let kind = self.created_by.split(':').next().unwrap_or_default();
        if ["operator", "cli", "key"].contains(&kind) {
            self.created_by = "operator".to_owned();
        }
        self
    }

    /// Whether it is live and ends within [`SOON`]. A retiring key ends by its grace.
    #[must_use]
    pub fn expires_soon(&self, now: DateTime<Utc>) -> bool {
        let is_meant = matches!(self.status, KeyStatus::Scheduled | KeyStatus::Active);
        is_meant && self.not_after.is_some_and(|end| end - now <= SOON)
    }

    /// Whether it was rotated and calls still arrive on it.
    #[must_use]
    pub fn is_still_used(&self) -> bool {
        let rotated_at = self.grace.as_ref().map(|grace| grace.rotated_at);
        self.status == KeyStatus::Retiring
            && rotated_at.is_some_and(|rotated_at| self.last_used_at > Some(rotated_at))
    }

    /// Whether it would be accepted and never was.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        let works = matches!(self.status, KeyStatus::Active | KeyStatus::Retiring);
        works && self.last_used_at.is_none()
    }

    /// Whether it was accepted in the 30 days before `now`.
    #[must_use]
    pub fn is_in_use(&self, now: DateTime<Utc>) -> bool {
        self.last_used_at.is_some_and(|at| now - at <= IN_USE)
    }

    /// Whether a key that is revoked was revoked so lately, and for such a reason, that it can be
    /// undone at `now`. What else may stand in the way, only the server can tell.
    #[must_use]
    pub fn can_be_restored(&self, now: DateTime<Utc>) -> bool {
        let for_good = matches!(
            self.revoked_reason,
            Some(RevocationReason::KeyCompromise | RevocationReason::Superseded)
        );
        !for_good && self.revoked_at.is_some_and(|at| now <= at + UNDO)
    }
}

/// The dates that decide what a key is at a given moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// First moment of the window.
    pub not_before: DateTime<Utc>,
    /// First moment after the window.
    pub not_after: Option<DateTime<Utc>>,
    /// End of the grace of a rotated key.
    pub retires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// What a key is at a given moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyStatus {
    /// Its window has not begun.
    Scheduled,
    /// It is valid.
    Active,
    /// It was rotated and its grace still runs: valid for now.
    Retiring,
    /// Its window has ended.
    Expired,
    /// It was revoked, or its grace has ended. Wins over all others.
    Revoked,
}

impl KeyStatus {
    /// Every status, in the order in which filters offer them.
    pub const ALL: [Self; 5] = [
        Self::Scheduled,
        Self::Active,
        Self::Retiring,
        Self::Expired,
        Self::Revoked,
    ];

    /// The status of a key with these dates at `now`. Valid means notBefore ≤ now < notAfter.
    #[must_use]
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

    /// Whether a key of this status can still be rotated or changed.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Active | Self::Retiring)
    }

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Where a key is meant to be used. It separates keys for the people who keep them; it opens
/// and closes no route.
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

impl Environment {
    /// Every environment, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::Production, Self::Test, Self::Development];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
            Self::Development => "development",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|environment| environment.as_str() == text)
    }
}

/// Why a key was revoked (after RFC 5280 §5.3.1).
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

impl RevocationReason {
    /// Every reason, in the order in which they are offered.
    pub const ALL: [Self; 5] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key_compromise",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation_of_operation",
            Self::PrivilegeWithdrawn => "privilege_withdrawn",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A key that was just made, with the one and only showing of its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_0f1e2d3c4b5a", "token": "mpk_0f1e2d3c4b5a.<the secret>",
    "partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e", "scopes": ["assets:read", "reverify"],
    "environment": "production", "ratePerMinute": 300, "notBefore": "2030-01-31T12:00:00Z",
    "notAfter": "2031-01-31T12:00:00Z",
}))]
pub struct IssuedKey {
    /// The new key's id.
    pub key_id: KeyId,
    /// `<keyId>.<secret>`; never stored, never shown again.
    #[schema(value_type = String)]
    pub token: Secret,
    /// Whose key it is.
    pub partner_id: Uuid,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Where it is meant to be used.
    pub environment: Environment,
    /// Requests it may make a minute.
    #[schema(minimum = 1)]
    pub rate_per_minute: i32,
    /// First moment of its window.
    pub not_before: DateTime<Utc>,
    /// First moment after its window.
    pub not_after: Option<DateTime<Utc>>,
}

/// What a revocation answers; the same again when it is repeated.
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
    /// Since when it is refused.
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
