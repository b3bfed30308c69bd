//! The grace of a key that was rotated: how long it goes on, and from when.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AppResult;
use super::validate::{self, Faults};

/// Longest grace: 30 days, in seconds.
pub const MAX_GRACE_SECONDS: i32 = 2_592_000;

/// Longest time that a grace waits for the successor's first use.
pub const MAX_WAIT: TimeDelta = TimeDelta::days(30);

/// What a grace runs from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GraceStart {
    /// The rotation.
    #[default]
    Now,
    /// The successor's first acceptance, at the latest 30 days after the rotation.
    FirstUse,
}

impl GraceStart {
    /// Every start, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Now, Self::FirstUse];

    /// The name on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::FirstUse => "first_use",
        }
    }

    /// Reads the name on the wire.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|start| start.as_str() == text)
    }
}

/// The grace of a key that was rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grace {
    /// How long it was to be, in seconds.
    #[schema(minimum = 0, maximum = 2592000)]
    pub seconds: i32,
    /// What it was to run from.
    pub starts: GraceStart,
    /// When the key was rotated.
    pub rotated_at: DateTime<Utc>,
    /// Since when it runs; `None` while it waits for the successor's first use. The key's retiresAt
    /// is then its latest end.
    pub started_at: Option<DateTime<Utc>>,
}

/// The body of `POST /api/admin/api-keys/{keyId}/grace`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GraceInput {
    /// How long the retiring key goes on from now, 0 to 2592000 s, but never past its notAfter; 0 by
    /// default, which ends it at once.
    #[schema(minimum = 0, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
}

impl GraceInput {
    /// Checks every field; how long the key goes on, in seconds.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] with every fault.
    pub fn check(self) -> AppResult<i32> {
        let mut faults = Faults::default();
        let seconds = check_seconds(&mut faults, self.grace_seconds);
        faults.finish(Some(seconds))
    }
}

/// Checks a field `graceSeconds`, 0 by default.
pub(super) fn check_seconds(faults: &mut Faults, seconds: Option<i64>) -> i32 {
    let seconds = faults.check_optional("graceSeconds", seconds, |seconds| {
        validate::number(seconds, 0, MAX_GRACE_SECONDS)
    });
    seconds.unwrap_or(0)
}

/// When a key ends that goes on for so many seconds after `from`: never after its own notAfter.
#[must_use]
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
