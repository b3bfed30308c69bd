//! Rotation: a successor takes a key's place, at once or after a grace.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AppResult;
use super::key_input::end_of_window;
use super::token::KeyId;
use super::validate::{self, Faults};

/// Longest grace: 30 days, in seconds.
pub const MAX_GRACE_SECONDS: i32 = 2_592_000;

/// The body of `POST /api/admin/api-keys/{keyId}/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateInput {
    /// How long the old key goes on, 0 to 2592000 s; 0 by default.
    #[schema(minimum = 0, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
    /// The successor's notAfter; the old key's by default.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub not_after: Option<String>,
}

/// A checked order to rotate a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// How long the old key goes on.
    pub grace: TimeDelta,
    /// The successor's notAfter, if it shall differ. That it lies after the successor's
    /// notBefore, only the old key's row can tell.
    pub not_after: Option<DateTime<Utc>>,
}

impl RotateInput {
    /// Checks every field.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self, now: DateTime<Utc>) -> AppResult<RotateKey> {
        let mut faults = Faults::default();
        let grace = faults.check_optional("graceSeconds", self.grace_seconds, |seconds| {
            validate::number(seconds, 0, MAX_GRACE_SECONDS)
        });
        let not_after = faults.check_optional("notAfter", self.not_after, |text| {
            end_of_window(&text, DateTime::<Utc>::MIN_UTC, now)
        });
        let grace = TimeDelta::seconds(grace.unwrap_or(0).into());
        faults.finish(Some(RotateKey { grace, not_after }))
    }
}

/// When a key that is rotated at `now` ends: after its grace, but never after its own notAfter.
#[must_use]
pub fn retires_at(
    now: DateTime<Utc>,
    grace: TimeDelta,
    not_after: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    let end = now + grace;
    not_after.map_or(end, |not_after| not_after.min(end))
}

/// What a rotation answers, with the one and only showing of the successor's token.
///
/// `Debug` hides the token: the type travels through code that logs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_1a2b3c4d5e6f", "token": "mpk_1a2b3c4d5e6f.<the secret>",
    "replaces": "mpk_0f1e2d3c4b5a", "retiresAt": "2030-02-02T08:30:00Z",
}))]
pub struct RotatedKey {
    /// The successor's id.
    pub key_id: KeyId,
    /// The successor's token; never stored, never shown again.
    pub token: String,
    /// The old key's id.
    pub replaces: KeyId,
    /// When the old key ends.
    pub retires_at: DateTime<Utc>,
}

impl std::fmt::Debug for RotatedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RotatedKey")
            .field("key_id", &self.key_id)
            .field("replaces", &self.replaces)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_never_outlives_the_old_key() {
        let now: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
        let hour = TimeDelta::hours(1);
        assert_eq!(retires_at(now, TimeDelta::zero(), None), now);
        assert_eq!(retires_at(now, hour, None), now + hour);
        assert_eq!(retires_at(now, hour, Some(now + hour / 2)), now + hour / 2);
        assert_eq!(retires_at(now, hour, Some(now + hour * 2)), now + hour);
    }

    #[test]
    fn graces_have_bounds() {
        let now = DateTime::UNIX_EPOCH;
        for (seconds, fine) in [
            (0, true),
            (2_592_000, true),
            (2_592_001, false),
            (-1, false),
        ] {
            let input = RotateInput {
                grace_seconds: Some(seconds),
                not_after: None,
            };
            assert_eq!(input.check(now).is_ok(), fine, "{seconds}");
        }
    }
}
