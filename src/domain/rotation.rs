//! Rotation: a successor takes a key's place, at once or after a grace.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::AppResult;
use super::grace::{GraceStart, MAX_WAIT, check_seconds, grace_end};
use super::key_input::end_of_window;
use super::secret::Secret;
use super::token::KeyId;
use super::validate::{Faults, one_of};

/// Keys of one lineage that may be live at once: the one that goes and the one that comes.
pub const MAX_LIVE_KEYS: usize = 2;

/// The body of `POST /api/admin/api-keys/{keyId}/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RotateInput {
    /// How long the old key goes on, 0 to 2592000 s; 0 by default.
    #[schema(minimum = 0, maximum = 2592000, example = 86400)]
    pub grace_seconds: Option<i64>,
    /// What the grace runs from; `now` by default. With `first_use` the old key goes on until the
    /// successor is first accepted and the grace has run from then, at the latest until 30 days and
    /// the grace after the rotation.
    #[schema(value_type = Option<GraceStart>)]
    pub grace_starts: Option<String>,
    /// The successor's notAfter; the old key's by default.
    #[schema(value_type = Option<DateTime<Utc>>)]
    pub not_after: Option<String>,
}

/// A checked order to rotate a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateKey {
    /// How long the old key goes on, in seconds.
    pub grace: i32,
    /// What the grace runs from.
    pub starts: GraceStart,
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
        let grace = check_seconds(&mut faults, self.grace_seconds);
        let starts = faults.check_optional("graceStarts", self.grace_starts, |text| {
            GraceStart::parse(&text).ok_or_else(|| one_of(GraceStart::ALL.map(GraceStart::as_str)))
        });
        let not_after = faults.check_optional("notAfter", self.not_after, |text| {
            end_of_window(&text, DateTime::<Utc>::MIN_UTC, now)
        });
        faults.finish(Some(RotateKey {
            grace,
            starts: starts.unwrap_or_default(),
            not_after,
        }))
    }
}

impl RotateKey {
    /// When a key that is rotated at `now` ends at the latest: after its grace, but never after its
    /// own notAfter.
    #[must_use]
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

/// What a rotation answers, with the one and only showing of the successor's token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "keyId": "mpk_1a2b3c4d5e6f", "token": "mpk_1a2b3c4d5e6f.<the secret>",
    "replaces": "mpk_0f1e2d3c4b5a", "retiresAt": "2030-02-02T08:30:00Z", "graceStarts": "now",
}))]
pub struct RotatedKey {
    /// The successor's id.
    pub key_id: KeyId,
    /// The successor's token; never stored, never shown again.
    #[schema(value_type = String)]
    pub token: Secret,
    /// The old key's id.
    pub replaces: KeyId,
    /// When the old key ends; with a grace that starts at the first use, its latest end.
    pub retires_at: DateTime<Utc>,
    /// What the old key's grace runs from.
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
            let order = RotateKey {
                grace: 3_600,
                starts,
                not_after: None,
            };
            order.retires_at(now, old_not_after) - now
        };
        assert_eq!(end(GraceStart::Now, None), hour);
        assert_eq!(end(GraceStart::FirstUse, None), MAX_WAIT + hour);
        assert_eq!(end(GraceStart::FirstUse, Some(now + hour * 9)), hour * 9);
    }

    #[test]
    fn every_fault_is_reported_at_its_place() {
        let input = RotateInput {
            grace_seconds: Some(-1),
            grace_starts: Some("later".into()),
            not_after: Some("soon".into()),
        };
        match input.check(DateTime::UNIX_EPOCH).unwrap_err() {
            AppError::Invalid { fields } => {
                let paths: Vec<_> = fields.iter().map(|fault| fault.path.as_str()).collect();
                assert_eq!(paths, ["graceSeconds", "graceStarts", "notAfter"]);
            }
            other => panic!("not an input error: {other:?}"),
        }
    }
}
