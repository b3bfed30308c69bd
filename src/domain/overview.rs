//! The keys at a glance: how many there are of each kind that an operator looks for.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::error::AppResult;
use super::key::KeyStatus;
use super::list::uuid;
use super::validate::Faults;

/// A number of keys, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Count {
    /// So many.
    Exactly(i64),
    /// About so many, as the database's statistics have it.
    About(i64),
    /// So many and more: they were counted no further.
    AtLeast(i64),
    /// Nobody knows: counting them would have taken too long.
    Unknown,
}

impl Count {
    /// What was counted up to `most`.
    #[must_use]
    pub const fn up_to(counted: i64, most: i64) -> Self {
        if counted >= most {
            Self::AtLeast(most)
        } else {
            Self::Exactly(counted)
        }
    }

    /// The same, with an estimate for what was counted no further; three digits of it are told.
    #[must_use]
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

    /// Whether it is none.
    #[must_use]
    pub fn is_none(self) -> bool {
        self == Self::Exactly(0)
    }
}

/// The query of the keys at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OverviewInput {
    /// Whose keys are counted by status; everyone's where it is absent.
    pub partner_id: Option<String>,
}

impl OverviewInput {
    /// Whose.
    ///
    /// # Errors
    /// [`super::error::AppError::Invalid`] for what is no id.
    pub fn check(&self) -> AppResult<Option<Uuid>> {
        let mut faults = Faults::default();
        let id = faults.check_optional("partnerId", self.partner_id.as_deref(), uuid);
        faults.finish(Some(id))
    }
}

/// The keys at a glance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Keys of each status.
    pub statuses: Vec<(KeyStatus, Count)>,
    /// Live keys that end within [`super::key::EXPIRY_WARNING`].
    pub expiring: Count,
    /// Keys that are due for rotation.
    pub rotation_due: Count,
    /// Retiring keys on which calls still arrive.
    pub still_used: Count,
    /// Keys that were refused in the last hour.
    pub refused: Count,
    /// Keys that are stale.
    pub stale: Count,
}

impl Overview {
    /// How many keys have a status.
    #[must_use]
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
        // Statistics that are older than what was counted.
        assert_eq!(Count::up_to(10, 10).or_about(Some(8)), Count::AtLeast(10));
        assert_eq!(Count::up_to(10, 10).or_about(None), Count::AtLeast(10));
    }
}
