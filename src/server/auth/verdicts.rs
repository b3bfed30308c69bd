//! How many tokens were judged, by what was said of them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Admitted, Refused};
use crate::domain::error::{AppError, AuthReason};

/// What is said of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was accepted.
    Accepted,
    /// It was right, but its rate was used up, or it was guessed at too often.
    RateLimited,
    /// It was refused.
    Refused(AuthReason),
    /// It could not be judged.
    Unavailable,
}

impl Verdict {
    /// Every verdict, each at its place. That no key was sent is said before a token is judged.
    pub const ALL: [Self; 11] = [
        Self::Accepted,
        Self::RateLimited,
        Self::Unavailable,
        Self::Refused(AuthReason::MissingHeader),
        Self::Refused(AuthReason::BadFormat),
        Self::Refused(AuthReason::UnknownKey),
        Self::Refused(AuthReason::SecretMismatch),
        Self::Refused(AuthReason::KeyInactive),
        Self::Refused(AuthReason::PartnerInactive),
        Self::Refused(AuthReason::NotYetValid),
        Self::Refused(AuthReason::Expired),
    ];

    /// Where it is counted.
    const fn place(self) -> usize {
        match self {
            Self::Accepted => 0,
            Self::RateLimited => 1,
            Self::Unavailable => 2,
            Self::Refused(reason) => 3 + reason as usize,
        }
    }

    fn of(judged: &Result<Admitted, Refused>) -> Self {
        match judged {
            Ok(_) => Self::Accepted,
            Err(refused) => match &refused.error {
                AppError::RateLimited { .. } => Self::RateLimited,
                AppError::Unauthorized { reason } => Self::Refused(*reason),
                _ => Self::Unavailable,
            },
        }
    }
}

/// The counts since the process began.
#[derive(Debug, Default)]
pub struct Verdicts([AtomicU64; Verdict::ALL.len()]);

impl Verdicts {
    /// Counts a verdict and hands it on.
    pub fn count(&self, judged: Result<Admitted, Refused>) -> Result<Admitted, Refused> {
        let place = Verdict::of(&judged).place();
        self.0[place].fetch_add(1, Ordering::Relaxed);
        judged
    }

    /// Each verdict with how often it was given.
    pub fn read(&self) -> impl Iterator<Item = (Verdict, u64)> {
        let counts = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        Verdict::ALL.into_iter().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_has_its_place() {
        for (place, verdict) in Verdict::ALL.into_iter().enumerate() {
            assert_eq!(verdict.place(), place, "{verdict:?}");
        }
    }
}
