//! Rotation: a successor replaces a key, immediately or after a grace period.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AppResult;
use super::grace::{GraceStart, MAX_WAIT, check_seconds, grace_end};
use super::key_input::end_of_window;
use super::secret::Secret;
use super::token::KeyId;
use super::validate::{FieldErrors, one_of};

/// Maximum live keys of a lineage: the outgoing and the incoming one.
pub const MAX_LIVE_KEYS: usize = 2;

/// The body of `POST /api/admin/api-keys/{keyId}/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateInput {
    /// The grace period of the old key, 0 to 2592000 s; 0 by default.
    #[schema(minimum = 0, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
    /// The start of the grace period; `now` by default. With `first_use` it starts when the
    /// successor is first accepted, at the latest 30 days after the rotation.
    #[schema(value_type = Option<GraceStart>)]
    pub grace_starts: Option<String>,
    /// The successor's notAfter; the old key's by default.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub not_after: Option<String>,
}

/// A checked request to rotate a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// The grace period in seconds.
    pub grace: i32,
    pub starts: GraceStart,
    /// The successor's notAfter if it differs from the old key's. The service checks that it is
    /// after notBefore.
    pub not_after: Option<DateTime<Utc>>,
}

impl RotateInput {
    pub fn check(self, now: DateTime<Utc>) -> AppResult<RotateKey> {
        let mut errors = FieldErrors::default();
        let grace = check_seconds(&mut errors, self.grace_seconds);
        let starts = errors.check_optional("graceStarts", self.grace_starts, one_of);
        let not_after = errors.check_optional("notAfter", self.not_after, |text| {
            end_of_window(&text, DateTime::<Utc>::MIN_UTC, now)
        });
        errors.finish(Some(RotateKey {
            grace,
            starts: starts.unwrap_or_default(),
            not_after,
        }))
    }
}

impl RotateKey {
    /// Returns the latest end of a key rotated at `now`, never after its own notAfter.
    pub fn retires_at(
        &self,
        now: DateTime<Utc>,
        old_not_after: Option<DateTime<Utc>>,
    ) -> DateTime<Utc> {
        let latest_start = match self.starts {
            GraceStart::Now => now,
            GraceStart::FirstUse => now + MAX_WAIT,
        };
        grace_end(latest_start, self.grace, old_not_after)
    }
}

/// The result of a rotation, with the successor's token, which is shown only here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_1a2b3c4d5e6f", "token": "mpk_1a2b3c4d5e6f.<the secret>",
    "replaces": "mpk_0f1e2d3c4b5a", "retiresAt": "2030-02-02T08:30:00Z", "graceStarts": "now",
}))]
pub struct RotatedKey {
    /// The successor's id.
    pub key_id: KeyId,
    /// The successor's token; neither stored nor shown again.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The old key's id.
    pub replaces: KeyId,
    /// The end of the old key; the latest possible one if the grace period starts at the first use.
    pub retires_at: DateTime<Utc>,
    /// The start of the old key's grace period.
    pub grace_starts: GraceStart,
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::error::AppError;

    #[test]
    fn a_grace_that_waits_has_a_latest_end() {
        let now: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
        let hour = TimeDelta::hours(1);
        let end = |starts, old_not_after| {
            let rotation = RotateKey {
                grace: 3_600,
                starts,
                not_after: None,
            };
            rotation.retires_at(now, old_not_after) - now
        };
        assert_eq!(end(GraceStart::Now, None), hour);
        assert_eq!(end(GraceStart::FirstUse, None), MAX_WAIT + hour);
        assert_eq!(end(GraceStart::FirstUse, Some(now + hour * 9)), hour * 9);
    }

    #[test]
    fn every_error_names_its_field() {
        let input = RotateInput {
            grace_seconds: Some(-1),
            grace_starts: Some("later".into()),
            not_after: Some("soon".into()),
        };
        match input.check(DateTime::UNIX_EPOCH).unwrap_err() {
            AppError::Invalid { fields } => {
                let paths: Vec<_> = fields.iter().map(|error| error.path.as_str()).collect();
                assert_eq!(paths, ["graceSeconds", "graceStarts", "notAfter"]);
            }
            other => panic!("not an input error: {other:?}"),
        }
    }
}
