//! The key age policy: when a key is due for rotation, how long a new one may live, and when one is
//! stale.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AppResult;
use super::patch::Patch;
use super::validate::{self, FieldErrors};

/// Ten years.
pub const MAX_DAYS: i32 = 3_650;

/// The key age policy. A rule that is `null` is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Days after which a key is due for rotation, unless the partner has its own.
    #[schema(minimum = 1, maximum = 3650, example = 180)]
    pub max_key_age_days: Option<i32>,
    /// Maximum lifetime of a new key in days.
    #[schema(minimum = 1, maximum = 3650, example = 365)]
    pub max_lifetime_days: Option<i32>,
    /// Days without use after which an active key is stale.
    #[schema(minimum = 1, maximum = 3650, example = 90)]
    pub stale_after_days: Option<i32>,
    /// The time of the last change.
    pub updated_at: DateTime<Utc>,
}

impl Policy {
    /// Checks the end of a key that starts at `start`.
    pub fn check_end(
        &self,
        start: DateTime<Utc>,
        end: Option<DateTime<Utc>>,
    ) -> Result<(), String> {
        let Some(days) = self.max_lifetime_days else {
            return Ok(());
        };
        let latest = start + TimeDelta::days(days.into());
        let latest_text = latest.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        match end {
            Some(end) if end <= latest => Ok(()),
            Some(_) => Err(format!(
                "must not lie after {latest_text}: the policy lets a key live for {days} days at most"
            )),
            None => Err(format!(
                "must be given, {latest_text} at the latest: the policy lets a key live for {days} days at most"
            )),
        }
    }
}

/// The body of `PATCH /api/admin/policy`; `null` switches a rule off.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyInput {
    /// Days after which a key is due for rotation.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 180)]
    pub max_key_age_days: Patch<i64>,
    /// Maximum lifetime of a new key in days.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 365)]
    pub max_lifetime_days: Patch<i64>,
    /// Days without use after which a key is stale.
    #[serde(default, skip_serializing_if = "Patch::is_keep")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 3650, example = 90)]
    pub stale_after_days: Patch<i64>,
}

/// A checked request to change the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdatePolicy {
    pub max_key_age_days: Patch<i32>,
    pub max_lifetime_days: Patch<i32>,
    pub stale_after_days: Patch<i32>,
}

impl PolicyInput {
    pub fn check(self) -> AppResult<UpdatePolicy> {
        let mut errors = FieldErrors::default();
        let max_key_age_days = errors.check("maxKeyAgeDays", self.max_key_age_days.try_map(days));
        let max_lifetime_days =
            errors.check("maxLifetimeDays", self.max_lifetime_days.try_map(days));
        let stale_after_days = errors.check("staleAfterDays", self.stale_after_days.try_map(days));
        let checked = max_key_age_days
            .zip(max_lifetime_days)
            .zip(stale_after_days);
        errors.finish(checked.map(
            |((max_key_age_days, max_lifetime_days), stale_after_days)| UpdatePolicy {
                max_key_age_days,
                max_lifetime_days,
                stale_after_days,
            },
        ))
    }
}

pub(super) fn days(value: i64) -> Result<i32, String> {
    validate::number(value, 1, MAX_DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_beyond_the_limit_is_refused_with_the_limit_named() {
        let mut policy = Policy {
            max_key_age_days: None,
            max_lifetime_days: Some(90),
            stale_after_days: None,
            updated_at: DateTime::UNIX_EPOCH,
        };
        let start = DateTime::UNIX_EPOCH;
        let end = |days| Some(start + TimeDelta::days(days));
        assert_eq!(policy.check_end(start, end(90)), Ok(()));
        for refused in [end(91), None] {
            let message = policy.check_end(start, refused).unwrap_err();
            assert!(
                message.contains("90 days") && message.contains("1970-04-01T00:00:00Z"),
                "{message}"
            );
        }
        policy.max_lifetime_days = None;
        assert_eq!(policy.check_end(start, None), Ok(()));
    }

    #[test]
    fn every_error_of_a_policy_is_reported() {
        let input: PolicyInput = serde_json::from_str(
            r#"{"maxKeyAgeDays":0,"maxLifetimeDays":3651,"staleAfterDays":null}"#,
        )
        .unwrap();
        let error = input.check().unwrap_err().to_string();
        assert!(
            error.contains("maxKeyAgeDays") && error.contains("maxLifetimeDays"),
            "{error}"
        );
        let input: PolicyInput = serde_json::from_str(r#"{"staleAfterDays":null}"#).unwrap();
        let expected = UpdatePolicy {
            stale_after_days: Patch::Clear,
            ..UpdatePolicy::default()
        };
        assert_eq!(input.check().unwrap(), expected);
    }
}
