//! Uses of keys: outcomes, and counts over time.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use super::error::AuthReason;

/// The outcome of a request with a known key.
#[derive(IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The key was accepted, whatever the route answered.
    Accepted,
    /// The key was valid but its rate limit exceeded.
    RateLimited,
    /// The secret was not the key's.
    SecretMismatch,
    /// The key is revoked.
    KeyInactive,
    /// The key's partner is deactivated.
    PartnerInactive,
    /// The key's window has not begun.
    NotYetValid,
    /// The key's window has ended.
    Expired,
}

impl Outcome {
    /// Returns the outcome of a refusal, or `None` if it concerns no known key.
    pub const fn of(reason: AuthReason) -> Option<Self> {
        match reason {
            AuthReason::MissingHeader | AuthReason::BadFormat | AuthReason::UnknownKey => None,
            AuthReason::SecretMismatch => Some(Self::SecretMismatch),
            AuthReason::KeyInactive => Some(Self::KeyInactive),
            AuthReason::PartnerInactive => Some(Self::PartnerInactive),
            AuthReason::NotYetValid => Some(Self::NotYetValid),
            AuthReason::Expired => Some(Self::Expired),
        }
    }

    /// True if the key or its secret was refused.
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Self::Accepted | Self::RateLimited)
    }
}

/// Uses of a key in an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    /// The start of the interval.
    pub at: DateTime<Utc>,
    pub accepted: i64,
    pub rate_limited: i64,
    pub refused: i64,
}

impl Uses {
    pub const fn total(&self) -> i64 {
        self.accepted + self.rate_limited + self.refused
    }
}

/// Uses by interval, without gaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsesOverTime(pub Vec<Uses>);

impl UsesOverTime {
    /// Returns `spans` intervals up to the one that starts at `last`, filling gaps with zeros.
    pub fn fill(counted: &[Uses], last: DateTime<Utc>, length: TimeDelta, spans: i32) -> Self {
        let span = |n: i32| {
            let at = last - length * (spans - 1 - n);
            let found = counted.iter().find(|uses| uses.at == at);
            found.copied().unwrap_or(Uses {
                at,
                accepted: 0,
                rate_limited: 0,
                refused: 0,
            })
        };
        Self((0..spans).map(span).collect())
    }

    /// Returns the sum of all intervals.
    pub fn sum(&self) -> Option<Uses> {
        self.0.iter().copied().reduce(|sum, uses| Uses {
            at: sum.at,
            accepted: sum.accepted + uses.accepted,
            rate_limited: sum.rate_limited + uses.rate_limited,
            refused: sum.refused + uses.refused,
        })
    }
}

/// Number of recent hours that a sparkline shows.
pub const SPARKLINE_HOURS: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_without_uses_are_there_too() {
        let at = DateTime::UNIX_EPOCH + TimeDelta::hours(5);
        let uses = Uses {
            at,
            accepted: 3,
            rate_limited: 2,
            refused: 1,
        };
        let other = Uses {
            at: at - TimeDelta::hours(9),
            ..uses
        };
        let filled = UsesOverTime::fill(
            &[other, uses],
            at + TimeDelta::hours(1),
            TimeDelta::hours(1),
            3,
        );
        let totals: Vec<i64> = filled.0.iter().map(Uses::total).collect();
        assert_eq!(totals, [0, 6, 0]);
        assert_eq!(filled.0[0].at, at - TimeDelta::hours(1));
        assert_eq!(filled.sum().unwrap().accepted, 3);
    }
}
