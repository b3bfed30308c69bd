//! What this process knows of a key: its row as it was read, and the proof that its secret passed
//! Argon2id here. Nothing of it can be turned back into a token.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::live::Live;
use super::marks::Mark;
use crate::domain::error::{AppError, AppResult, AuthReason};
use crate::domain::key::{KeyStatus, Lifetime};
use crate::domain::scope::{Scope, ScopeSet};
use crate::domain::token::KeyId;
use crate::server::crypto::pepper::{CheckTag, Fingerprint};
use crate::server::crypto::same_bytes;
use crate::server::store::guard_rows::GuardRow;

/// HMAC-SHA256 of a token under this process's random key, its first 128 bits (RFC 2104 §5): who
/// could forge one would need 2¹²⁷ tries at this process.
pub type TokenMac = [u8; 16];

/// Which stored hash a proof was made against.
pub type HashMark = [u8; 8];

/// A key as it was read. Every key that is remembered has one, so its size counts: with the two
/// counters of its [`Arc`] it fits 128 bytes.
#[derive(Debug)]
pub struct Entry {
    /// What outlives the entry.
    pub live: Arc<Live>,
    /// Whose key it is.
    pub partner_id: Uuid,
    /// What it may do.
    pub scopes: ScopeSet,
    /// Requests a minute.
    pub rate_per_minute: i32,
    /// Whether its secret is one of the earlier Node pack's.
    pub legacy: bool,
    /// The check tag; `None` for a legacy row before its first success.
    pub tag: Option<CheckTag>,
    /// Which pepper it was made under.
    pub fingerprint: Option<Fingerprint>,
    /// The stored hash, recognisably.
    pub hash_mark: HashMark,
    /// What the entry depends on.
    pub mark: Mark,
    window: Window,
    partner_active: bool,
    proof: Option<Zeroizing<TokenMac>>,
}

impl Entry {
    /// An entry of a row. A proof that `known` has for the very same stored hash goes on to hold.
    #[must_use]
    pub fn new(row: &GuardRow, live: Arc<Live>, mark: Mark, known: Option<&Self>) -> Self {
        let hash_mark = hash_mark(&row.secret_hash);
        let proof = known
            .filter(|known| known.hash_mark == hash_mark)
            .and_then(|known| known.proof.clone());
        Self {
            live,
            partner_id: row.partner_id,
            scopes: row.scopes().into_iter().collect(),
            rate_per_minute: row.rate_per_minute,
            legacy: row.legacy,
            tag: row.check_tag.as_deref().and_then(|tag| tag.try_into().ok()),
            fingerprint: row
                .pepper_fingerprint
                .as_deref()
                .and_then(|bytes| bytes.try_into().ok()),
            hash_mark,
            mark,
            window: Window::of(&row.lifetime()),
            partner_active: row.partner_active,
            proof,
        }
    }

    /// The same with a proof: this token passed Argon2id against this stored hash.
    #[must_use]
    pub fn proven(self, mac: TokenMac, hash_mark: HashMark) -> Self {
        Self {
            proof: Some(Zeroizing::new(mac)),
            hash_mark,
            ..self
        }
    }

    /// Whether this very token has passed Argon2id. Takes the same time for every token.
    #[must_use]
    pub fn is_proven(&self, mac: &TokenMac) -> bool {
        self.proof
            .as_ref()
            .is_some_and(|proof| same_bytes(&proof[..], mac))
    }

    /// Why the key's state refuses it at `now`, in the order in which reasons are given.
    #[must_use]
    pub fn refused_by_state(&self, now: DateTime<Utc>) -> Option<AuthReason> {
        judge_state(now, &self.window.lifetime(), self.partner_active)
    }
}

/// A key's dates in the least room, in microseconds as the database has them.
#[derive(Clone, Copy, Debug)]
struct Window {
    not_before: i64,
    /// [`Window::NEVER`] where there is none.
    not_after: i64,
    /// When it is revoked or its grace ends: [`Window::ALWAYS`] once it is revoked,
    /// [`Window::NEVER`] where neither is known.
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

    /// The dates again, as far as the guard needs them.
    fn lifetime(&self) -> Lifetime {
        // What came from a time is one; `NEVER` is none.
        let time = DateTime::from_timestamp_micros;
        Lifetime {
            not_before: time(self.not_before).unwrap_or(DateTime::<Utc>::MAX_UTC),
            not_after: time(self.not_after),
            retires_at: time(self.inactive_from),
            revoked_at: (self.inactive_from == Self::ALWAYS).then_some(DateTime::<Utc>::MIN_UTC),
        }
    }
}

/// Recognises a stored hash without keeping it.
#[must_use]
pub fn hash_mark(secret_hash: &str) -> HashMark {
    let digest = Sha256::digest(secret_hash.as_bytes());
    std::array::from_fn(|index| digest[index])
}

fn judge_state(now: DateTime<Utc>, life: &Lifetime, partner_active: bool) -> Option<AuthReason> {
    match KeyStatus::at(now, life) {
        KeyStatus::Revoked => Some(AuthReason::KeyInactive),
        _ if !partner_active => Some(AuthReason::PartnerInactive),
        KeyStatus::Scheduled => Some(AuthReason::NotYetValid),
        KeyStatus::Expired => Some(AuthReason::Expired),
        KeyStatus::Active | KeyStatus::Retiring => None,
    }
}

/// A key that was accepted: who is calling.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Entry>);

impl Caller {
    pub(super) fn new(entry: Arc<Entry>) -> Self {
        Self(entry)
    }

    /// The key.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.0.live.key_id
    }

    /// Its partner.
    #[must_use]
    pub fn partner_id(&self) -> Uuid {
        self.0.partner_id
    }

    /// What it may do.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        self.0.scopes
    }

    /// Whether it is an admin key.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.0.scopes.holds(Scope::Admin)
    }

    /// Checks that the key has all of these scopes; an empty list asks for none.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] naming them.
    pub fn require(&self, scopes: &[Scope]) -> AppResult<()> {
        if scopes.iter().all(|scope| self.0.scopes.grants(*scope)) {
            return Ok(());
        }
        tracing::info!(
            key_id = self.key_id().as_str(),
            "refused: the key lacks a scope"
        );
        Err(AppError::Forbidden {
            required: scopes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_small_and_keeps_what_decides() {
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
    fn reasons_come_in_their_order() {
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
            assert_eq!(judge_state(at(now), &life(revoked), partner_active), reason);
        }
    }
}
