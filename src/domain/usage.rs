//! What became of a request that named a known key, as it is counted.

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
