//! The overview of keys: how many need attention.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::AppResult;
use super::key::KeyStatus;
use super::list::uuid;
use super::validate::FieldErrors;

/// A number of keys, as far as known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Count {
    Exactly(i64),
    /// An estimate from the database's statistics.
    About(i64),
    /// A lower bound: counting stopped there.
    AtLeast(i64),
    /// Counting would have taken too long.
    Unknown,
}

impl Count {
    /// Returns the count of a query limited to `max`.
    pub const fn up_to(counted: i64, max: i64) -> Self {
        if counted >= max {
            Self::AtLeast(max)
        } else {
            Self::Exactly(counted)
        }
    }

    /// Replaces a lower bound by an estimate of three significant digits.
    pub fn or_about(self, estimate: Option<i64>) -> Self {
        match (self, estimate) {
            (Self::AtLeast(least), Some(estimate)) if estimate > least => {
                let mut step = 1;
                while estimate / step >= 1_000 {
                    step *= 10;
                }
                Self::About(estimate / step * step)
            }
            _ => self,
        }
    }

    pub fn is_none(self) -> bool {
        self == Self::Exactly(0)
    }
}

/// The query of the overview of keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OverviewInput {
    /// Limits the counts by status to this partner.
    pub partner_id: Option<String>,
}

impl OverviewInput {
    pub fn check(&self) -> AppResult<Option<Uuid>> {
        let mut errors = FieldErrors::default();
        let id = errors.check_optional("partnerId", self.partner_id.as_deref(), uuid);
        errors.finish(Some(id))
    }
}

/// The overview of keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    pub statuses: Vec<(KeyStatus, Count)>,
    /// Live keys that end within [`super::key::EXPIRY_WARNING`].
    pub expiring: Count,
    pub rotation_due: Count,
    /// Retiring keys that are still used.
    pub still_used: Count,
    /// Keys that were refused in the last hour.
    pub refused: Count,
    pub stale: Count,
}

impl Overview {
    /// Returns the number of keys with a status.
    pub fn of(&self, status: KeyStatus) -> Option<Count> {
        let mut statuses = self.statuses.iter();
        statuses
            .find(|(of, _)| *of == status)
            .map(|(_, count)| *count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_says_how_far_it_is_known() {
        assert_eq!(Count::up_to(9, 10), Count::Exactly(9));
        assert_eq!(Count::up_to(10, 10), Count::AtLeast(10));
        assert_eq!(
            Count::up_to(9, 10).or_about(Some(812_345)),
            Count::Exactly(9)
        );
        assert_eq!(
            Count::up_to(10, 10).or_about(Some(812_345)),
            Count::About(812_000)
        );
        assert_eq!(Count::up_to(10, 10).or_about(Some(999)), Count::About(999));
        // Statistics older than the count.
        assert_eq!(Count::up_to(10, 10).or_about(Some(8)), Count::AtLeast(10));
        assert_eq!(Count::up_to(10, 10).or_about(None), Count::AtLeast(10));
    }
}
