//! A cached key: its row as it was read, and the MAC of the token that passed Argon2id here. No token
//! can be recovered from it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::key_runtime_state::KeyRuntimeState;
use super::versions::VersionStamp;
use crate::domain::error::{AppError, AppResult, AuthReason};
use crate::domain::key::{KeyStatus, Lifetime};
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::token::KeyId;
use crate::server::crypto::pepper::{CheckTag, Fingerprint};
use crate::server::crypto::same_bytes;
use crate::server::store::guard_rows::GuardRow;

/// The first 128 bits of the HMAC-SHA256 of a token under this process's random key (RFC 2104 §5): a
/// forgery takes 2¹²⁷ attempts at this process.
pub type TokenMac = [u8; 16];

/// Identifies the stored hash that a secret was verified against.
pub type HashDigest = [u8; 8];

/// A key as it was read. Each cached key has one, so size matters: with the two counters of its
/// [`Arc`] it fits 128 bytes.
#[derive(Debug)]
pub struct Entry {
    /// Outlives the entry.
    pub runtime: Arc<KeyRuntimeState>,
    pub partner_id: Uuid,
    pub scopes: ScopeSet,
    pub rate_per_minute: i32,
    /// True if the secret was imported from the Node version.
    pub legacy: bool,
    /// `None` for a legacy row before its first success.
    pub tag: Option<CheckTag>,
    /// Of the pepper that the hash was made under.
    pub fingerprint: Option<Fingerprint>,
    pub hash_digest: HashDigest,
    pub version: VersionStamp,
    window: Window,
    partner_active: bool,
    verified: Option<Zeroizing<TokenMac>>,
}

impl Entry {
    /// Creates the entry of a row. A verification in `previous` against the same stored hash is kept.
    pub fn new(
        row: &GuardRow,
        runtime: Arc<KeyRuntimeState>,
        version: VersionStamp,
        previous: Option<&Self>,
    ) -> Self {
        let hash_digest = hash_digest(&row.secret_hash);
        let verified = previous
            .filter(|previous| previous.hash_digest == hash_digest)
            .and_then(|previous| previous.verified.clone());
        Self {
            runtime,
            partner_id: row.partner_id,
            scopes: row.scopes().into_iter().collect(),
            rate_per_minute: row.rate_per_minute,
            legacy: row.legacy,
            tag: row.check_tag.as_deref().and_then(|tag| tag.try_into().ok()),
            fingerprint: row
                .pepper_fingerprint
                .as_deref()
                .and_then(|bytes| bytes.try_into().ok()),
            hash_digest,
            version,
            window: Window::of(&row.lifetime()),
            partner_active: row.partner_active,
            verified,
        }
    }

    /// Records that this token passed Argon2id against this stored hash.
    pub fn with_verification(self, mac: TokenMac, hash_digest: HashDigest) -> Self {
        Self {
            verified: Some(Zeroizing::new(mac)),
            hash_digest,
            ..self
        }
    }

    /// True if this token has passed Argon2id. Compares in constant time.
    pub fn is_verified(&self, mac: &TokenMac) -> bool {
        self.verified
            .as_ref()
            .is_some_and(|verified| same_bytes(&verified[..], mac))
    }

    /// The first reason, in the documented order, for which the key's state refuses it at `now`.
    pub fn refused_by_state(&self, now: DateTime<Utc>) -> Option<AuthReason> {
        state_refusal(now, &self.window.lifetime(), self.partner_active)
    }
}

/// A key's dates in compact form: microseconds, the database's resolution.
#[derive(Clone, Copy, Debug)]
struct Window {
    not_before: i64,
    /// [`Window::NEVER`] if there is none.
    not_after: i64,
    /// End of the grace period; [`Window::ALWAYS`] if revoked, [`Window::NEVER`] if neither applies.
    inactive_from: i64,
}

impl Window {
    const ALWAYS: i64 = i64::MIN;
    const NEVER: i64 = i64::MAX;

    fn of(life: &Lifetime) -> Self {
        let micros = |at: DateTime<Utc>| at.timestamp_micros();
        let or_never = |at: Option<DateTime<Utc>>| at.map_or(Self::NEVER, micros);
        Self {
            not_before: micros(life.not_before),
            not_after: or_never(life.not_after),
            inactive_from: match life.revoked_at {
                Some(_) => Self::ALWAYS,
                None => or_never(life.retires_at),
            },
        }
    }

    /// The dates that decide the status.
    fn lifetime(&self) -> Lifetime {
        // `NEVER` is out of chrono's range, so it becomes `None`.
        let time = DateTime::from_timestamp_micros;
        Lifetime {
            not_before: time(self.not_before).unwrap_or(DateTime::<Utc>::MAX_UTC),
            not_after: time(self.not_after),
            retires_at: time(self.inactive_from),
            revoked_at: (self.inactive_from == Self::ALWAYS).then_some(DateTime::<Utc>::MIN_UTC),
        }
    }
}

pub fn hash_digest(secret_hash: &str) -> HashDigest {
    let digest = Sha256::digest(secret_hash.as_bytes());
    std::array::from_fn(|index| digest[index])
}

fn state_refusal(now: DateTime<Utc>, life: &Lifetime, partner_active: bool) -> Option<AuthReason> {
    match KeyStatus::at(now, life) {
        KeyStatus::Revoked => Some(AuthReason::KeyInactive),
        _ if !partner_active => Some(AuthReason::PartnerInactive),
        KeyStatus::Scheduled => Some(AuthReason::NotYetValid),
        KeyStatus::Expired => Some(AuthReason::Expired),
        KeyStatus::Active | KeyStatus::Retiring => None,
    }
}

/// The accepted key of a request.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Entry>);

impl Caller {
    pub(super) fn new(entry: Arc<Entry>) -> Self {
        Self(entry)
    }

    pub fn key_id(&self) -> &KeyId {
        &self.0.runtime.key_id
    }

    pub fn partner_id(&self) -> Uuid {
        self.0.partner_id
    }

    pub fn scopes(&self) -> ScopeSet {
        self.0.scopes
    }

    /// True for an admin key.
    pub fn is_admin(&self) -> bool {
        self.0.scopes.holds(Scope::Admin)
    }

    /// Requires all of these scopes; [`AppError::Forbidden`] names them.
    pub fn require(&self, scopes: &[Scope]) -> AppResult<()> {
        if scopes.iter().all(|scope| self.0.scopes.grants(*scope)) {
            return Ok(());
        }
        tracing::info!(key_id = self.key_id().as_str(), "refused: missing scope");
        Err(AppError::Forbidden {
            required: scopes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small_and_keeps_the_dates_that_decide() {
        assert!(size_of::<Entry>() <= 112, "{}", size_of::<Entry>());
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        for revoked_at in [None, Some(at(5)), Some(at(500))] {
            for retires_at in [None, Some(at(120)), Some(at(150))] {
                for not_after in [None, Some(at(160))] {
                    let life = Lifetime {
                        not_before: at(100),
                        not_after,
                        retires_at,
                        revoked_at,
                    };
                    let kept = Window::of(&life).lifetime();
                    for now in [0, 99, 100, 119, 120, 150, 159, 160, 900].map(at) {
                        assert_eq!(KeyStatus::at(now, &kept), KeyStatus::at(now, &life));
                    }
                }
            }
        }
    }

    #[test]
    fn reasons_are_given_in_order() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let life = |revoked: bool| Lifetime {
            not_before: at(100),
            not_after: Some(at(200)),
            retires_at: None,
            revoked_at: revoked.then(|| at(1)),
        };
        for (now, revoked, partner_active, reason) in [
            (150, false, true, None),
            (150, true, false, Some(AuthReason::KeyInactive)),
            (50, false, false, Some(AuthReason::PartnerInactive)),
            (50, false, true, Some(AuthReason::NotYetValid)),
            (200, false, true, Some(AuthReason::Expired)),
        ] {
            assert_eq!(
                state_refusal(at(now), &life(revoked), partner_active),
                reason
            );
        }
    }
}
