//! What became of a request that named a known key, as it is counted and as it is plotted.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::error::AuthReason;

/// The outcome of one use of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The key was accepted, whatever the route said then.
    Accepted,
    /// The key was right, but too often.
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
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Accepted,
        Self::RateLimited,
        Self::SecretMismatch,
        Self::KeyInactive,
        Self::PartnerInactive,
        Self::NotYetValid,
        Self::Expired,
    ];

    /// The outcome of a refusal; `None` for one that concerns no known key.
    #[must_use]
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

    /// Whether the key was refused for what it is, or for a wrong secret.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Self::Accepted | Self::RateLimited)
    }

    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::RateLimited => "rate_limited",
            Self::SecretMismatch => "secret_mismatch",
            Self::KeyInactive => "key_inactive",
            Self::PartnerInactive => "partner_inactive",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
        }
    }
}

/// Uses of a key in an hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uses {
    /// When the span begins.
    pub at: DateTime<Utc>,
    /// Uses that were accepted.
    pub accepted: i64,
    /// Uses beyond the rate.
    pub rate_limited: i64,
    /// Uses that were refused.
    pub refused: i64,
}

impl Uses {
    /// All of them.
    #[must_use]
    pub const fn total(&self) -> i64 {
        self.accepted + self.rate_limited + self.refused
    }
}

/// Uses span by span, each one there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsesOverTime(pub Vec<Uses>);

impl UsesOverTime {
    /// So many spans of a length up to the one that begins at `last`: those that were counted, and
    /// empty ones between.
    #[must_use]
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

    /// The sum of all spans, as of the first one.
    #[must_use]
    pub fn sum(&self) -> Option<Uses> {
        self.0.iter().copied().reduce(|sum, uses| Uses {
            at: sum.at,
            accepted: sum.accepted + uses.accepted,
            rate_limited: sum.rate_limited + uses.rate_limited,
            refused: sum.refused + uses.refused,
        })
    }
}

/// Hours that a sparkline shows.
pub const SPARKLINE_HOURS: usize = 36;
/// Height of a sparkline; each hour is two wide.
pub const SPARK_HEIGHT: i64 = 20;

/// A sparkline as the path of an SVG, two units an hour, [`SPARK_HEIGHT`] high: an upright line for
/// each hour with a use, the tallest of full height. `None` where there is no use.
#[must_use]
pub fn sparkline(hours: &[i64]) -> Option<String> {
    let most = hours.iter().copied().max().filter(|most| *most > 0)?;
    let mut path = String::new();
    for (n, uses) in hours.iter().enumerate() {
        if *uses > 0 {
            // What was used at all is seen.
            let height = (uses * SPARK_HEIGHT / most).max(2);
            let x = 2 * n + 1;
            path.push_str(&format!("M{x} {SPARK_HEIGHT}v-{height}"));
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_stands_for_every_hour_with_a_use() {
        assert_eq!(sparkline(&[0, 0]), None);
        assert_eq!(sparkline(&[0, 100, 1]).unwrap(), "M3 20v-20M5 20v-2");
        assert_eq!(sparkline(&[i64::MAX / 64, 1]).unwrap(), "M1 20v-20M3 20v-2");
    }

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
