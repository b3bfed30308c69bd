//! What verification decided, and how often.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use strum::VariantArray;

use super::entry::Caller;
use super::rate::RateState;
use crate::domain::error::{AppError, AuthReason};

/// The result of verifying a token.
pub type Decision = Result<Admitted, Refused>;

#[derive(Clone, Debug)]
pub struct Admitted {
    pub caller: Caller,
    /// For the rate's headers.
    pub rate: RateState,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub error: AppError,
    /// For the rate's headers, if the rate was reached in the order of checks.
    pub rate: Option<RateState>,
}

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            rate: None,
        }
    }
}

/// The label of the counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    outcome: &'static str,
}

/// Counts decisions by outcome. The counters of all outcomes are created once, so counting neither
/// locks nor allocates.
#[derive(Debug)]
pub struct DecisionCounters {
    family: Family<OutcomeLabel, Counter>,
    accepted: Counter,
    rate_limited: Counter,
    unavailable: Counter,
    /// In the order of [`AuthReason::ALL`].
    refused: [Counter; AuthReason::VARIANTS.len()],
}

impl Default for DecisionCounters {
    fn default() -> Self {
        let family = Family::default();
        let counter = |outcome| family.get_or_create_owned(&OutcomeLabel { outcome });
        Self {
            accepted: counter("accepted"),
            rate_limited: counter("rate_limited"),
            unavailable: counter("unavailable"),
            refused: std::array::from_fn(|index| counter(AuthReason::VARIANTS[index].into_str())),
            family,
        }
    }
}

impl DecisionCounters {
    pub(super) fn count(&self, decision: &Decision) {
        let error = decision.as_ref().map_err(|refused| &refused.error);
        let counter = match error {
            Ok(_) => &self.accepted,
            Err(AppError::RateLimited { .. }) => &self.rate_limited,
            Err(AppError::Unauthorized { reason }) => &self.refused[*reason as usize],
            Err(_) => &self.unavailable,
        };
        counter.inc();
    }

    /// The counters for the metrics' registry.
    pub fn family(&self) -> Family<OutcomeLabel, Counter> {
        self.family.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_is_counted_under_its_reason() {
        let counters = DecisionCounters::default();
        for (count, reason) in AuthReason::VARIANTS.iter().copied().enumerate() {
            for _ in 0..=count {
                counters.count(&Err(AppError::Unauthorized { reason }.into()));
            }
        }
        for (count, reason) in AuthReason::VARIANTS.iter().copied().enumerate() {
            let outcome = reason.into_str();
            let counter = counters
                .family
                .get_or_create_owned(&OutcomeLabel { outcome });
            assert_eq!(counter.get(), count as u64 + 1, "{outcome}");
        }
    }
}
