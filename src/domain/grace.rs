//! The grace period of a rotated key.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::error::AppResult;
use super::validate::{self, FieldErrors};

/// 30 days.
pub const MAX_GRACE_SECONDS: i32 = 2_592_000;

/// Longest time that a grace period waits for the successor's first use.
pub const MAX_WAIT: TimeDelta = TimeDelta::days(30);

/// The start of a grace period.
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraceStart {
    /// The rotation.
    #[default]
    Now,
    /// The successor's first acceptance, at the latest 30 days after the rotation.
    FirstUse,
}

/// The grace period of a rotated key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grace {
    /// The requested duration in seconds.
    #[schema(minimum = 0, maximum = 2592000)]
    pub seconds: i32,
    /// The requested start.
    pub starts: GraceStart,
    /// The time of the rotation.
    pub rotated_at: DateTime<Utc>,
    /// The actual start; `null` while it waits for the successor's first use. The key's retiresAt
    /// is then its latest end.
    pub started_at: Option<DateTime<Utc>>,
}

/// The body of `POST /api/admin/api-keys/{keyId}/grace`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraceInput {
    /// The remaining grace period from now, 0 to 2592000 s, but never past the key's notAfter; 0 by
    /// default, which ends it immediately.
    #[schema(minimum = 0, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
}

impl GraceInput {
    /// Returns the remaining grace period in seconds.
    pub fn check(self) -> AppResult<i32> {
        let mut errors = FieldErrors::default();
        let seconds = check_seconds(&mut errors, self.grace_seconds);
        errors.finish(Some(seconds))
    }
}

/// Checks `graceSeconds`, 0 by default.
pub(super) fn check_seconds(errors: &mut FieldErrors, seconds: Option<i64>) -> i32 {
    let seconds = errors.check_optional("graceSeconds", seconds, |seconds| {
        validate::number(seconds, 0, MAX_GRACE_SECONDS)
    });
    seconds.unwrap_or(0)
}

/// Returns the end of a grace period that starts at `from`, never after the key's own notAfter.
pub fn grace_end(
    from: DateTime<Utc>,
    seconds: i32,
    not_after: Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    let end = from + TimeDelta::seconds(seconds.into());
    not_after.map_or(end, |not_after| not_after.min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graces_have_bounds() {
        for (seconds, fine) in [
            (None, true),
            (Some(0), true),
            (Some(2_592_000), true),
            (Some(2_592_001), false),
            (Some(-1), false),
        ] {
            let input = GraceInput {
                grace_seconds: seconds,
            };
            assert_eq!(input.check().is_ok(), fine, "{seconds:?}");
        }
    }

    #[test]
    fn a_grace_never_outlives_the_key() {
        let now: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
        let hour = TimeDelta::hours(1);
        assert_eq!(grace_end(now, 0, None), now);
        assert_eq!(grace_end(now, 3_600, None), now + hour);
        assert_eq!(grace_end(now, 3_600, Some(now + hour / 2)), now + hour / 2);
        assert_eq!(grace_end(now, 3_600, Some(now + hour * 2)), now + hour);
    }
}
