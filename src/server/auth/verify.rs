//! The decision about a presented token.

use std::net::IpAddr;
use std::sync::Arc;

use hmac::Mac;

use super::Guard;
use super::decision::{Admitted, Decision, Refused};
use super::entry::{Caller, Entry, HashDigest, TokenMac};
use crate::domain::error::{AppError, AuthReason};
use crate::domain::token::{PresentedToken, SecretForm};
use crate::domain::usage::Outcome;
use crate::server::crypto::same_bytes;
use crate::server::store::guard_rows::GuardRow;

/// Maximum retries if a key changes during verification.
pub(super) const MAX_RETRIES: usize = 5;
/// Longer than any token can be.
const MAX_TOKEN_BYTES: usize = 256;

impl Guard {
    /// Verifies a token presented from the address `client`, and counts the use.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] with the reason; [`AppError::RateLimited`] if the key's rate or the
    /// ration of guesses at a legacy key is used up; [`AppError::Unavailable`] if the row can't be
    /// read or a bounded queue is full.
    pub async fn verify(&self, token: &str, client: Option<IpAddr>) -> Decision {
        if let Some(decision) = self.verify_cached(token, client) {
            return decision;
        }
        let decision = self.verify_by_row(token, client).await;
        self.decisions.count(&decision);
        decision
    }

    /// The first step of [`Guard::verify`]: decides from memory alone. `None` if the row or Argon2id
    /// is needed; nothing is counted then.
    pub fn verify_cached(&self, token: &str, client: Option<IpAddr>) -> Option<Decision> {
        let decision = match self.mac_of(token) {
            Ok(mac) => match self.verified_entry(token, &mac) {
                Some(entry) => self.admit(entry, client),
                None => Err(self.refused_from_memory(token, mac, client)?),
            },
            Err(refused) => Err(refused),
        };
        self.decisions.count(&decision);
        Some(decision)
    }

    /// The steps after [`Guard::verify_cached`]: row, check tag, Argon2id.
    async fn verify_by_row(&self, token: &str, client: Option<IpAddr>) -> Decision {
        let token = Presented::parse(token, self.mac_of(token)?)?;
        // The stored hash that this request has passed Argon2id against, so that a retry does not run
        // it again.
        let mut verified = None;
        for _ in 0..MAX_RETRIES {
            let loaded = match self.load(token.form.key_id()).await {
                Ok(loaded) => loaded,
                Err(error) => return self.outage_grace(&token, client, error),
            };
            let Some(loaded) = loaded else {
                return Err(unknown_key(&token.form).into());
            };
            let (entry, row) = &*loaded;
            let secret_hex = self.check_tag_and_state(entry, &token, client)?;
            let needs_hashing =
                !entry.is_verified(&token.mac) && verified != Some(entry.hash_digest);
            if needs_hashing {
                verified = Some(
                    self.verify_secret(&loaded, &token, secret_hex, client)
                        .await?,
                );
            }
            // The key may have changed during the query or hashing. Without a live listener no change
            // is announced, so a row read before hashing counts as changed.
            let may_have_changed = if self.listener_health.is_live() {
                !self.versions.is_current(&entry.version)
            } else {
                needs_hashing
            };
            if may_have_changed {
                continue;
            }
            let entry = Arc::new(updated_entry(entry, row, &token.mac, verified));
            self.cache.put(Arc::clone(&entry));
            return self.admit(entry, client);
        }
        tracing::warn!(
            key_id = token.form.key_id(),
            "verification gave up: the key kept changing"
        );
        Err(AppError::UNAVAILABLE.into())
    }

    /// The cached entry of a token verified before, if the cache can be trusted.
    fn verified_entry(&self, token: &str, mac: &TokenMac) -> Option<Arc<Entry>> {
        let (key_id, _) = token.split_once('.')?;
        if !self.listener_health.is_live() {
            return None;
        }
        let entry = self.cache.get(key_id)?;
        let holds = self.versions.is_current(&entry.version) && entry.is_verified(mac);
        holds.then_some(entry)
    }

    /// Checks state and rate of a key whose secret is verified, and counts the use.
    fn admit(&self, entry: Arc<Entry>, client: Option<IpAddr>) -> Decision {
        let now = self.clock.now();
        if let Some(reason) = entry.refused_by_state(now) {
            return Err(self.refuse_key(&entry, reason, client));
        }
        let count = |outcome| self.usage.record(&entry.runtime, outcome, now, client);
        match entry.runtime.bucket.take(entry.rate_per_minute, now) {
            Ok(rate) => {
                count(Outcome::Accepted);
                let caller = Caller::new(entry);
                Ok(Admitted { caller, rate })
            }
            Err(limited) => {
                count(Outcome::RateLimited);
                Err(Refused {
                    error: AppError::RateLimited {
                        retry_after: limited.retry_after,
                    },
                    rate: Some(limited.state),
                })
            }
        }
    }

    /// The refusal that memory alone justifies: malformed tokens, unknown ids, wrong secrets, keys
    /// refused for their state.
    fn refused_from_memory(
        &self,
        token: &str,
        mac: TokenMac,
        client: Option<IpAddr>,
    ) -> Option<Refused> {
        let token = match Presented::parse(token, mac) {
            Ok(token) => token,
            Err(refused) => return Some(refused),
        };
        if !self.listener_health.is_live() {
            return None;
        }
        let key_id = token.form.key_id();
        let unknown_since = self.unknown_ids.get(key_id);
        if unknown_since.is_some_and(|before| self.versions.is_still_unknown(&before)) {
            return Some(unknown_key(&token.form).into());
        }
        let entry = self.cache.get(key_id)?;
        if !self.versions.is_current(&entry.version) {
            return None;
        }
        self.check_tag_and_state(&entry, &token, client).err()
    }

    /// Checks the tag, then the key's state. Returns the hex text still to be verified by Argon2id.
    fn check_tag_and_state<'a>(
        &self,
        entry: &Entry,
        token: &Presented<'a>,
        client: Option<IpAddr>,
    ) -> Result<&'a str, Refused> {
        let secret_hex = self.check_tag(entry, token, client)?;
        // Without a tag only Argon2id tells whether the caller may learn the state.
        if entry.tag.is_some()
            && let Some(reason) = entry.refused_by_state(self.clock.now())
        {
            return Err(self.refuse_key(entry, reason, client));
        }
        Ok(secret_hex)
    }

    /// Checks the tag, whatever the key's state. Returns the hex text still to be verified by Argon2id.
    pub(super) fn check_tag<'a>(
        &self,
        entry: &Entry,
        token: &Presented<'a>,
        client: Option<IpAddr>,
    ) -> Result<&'a str, Refused> {
        let mismatch = || self.refuse_key(entry, AuthReason::SecretMismatch, client);
        let secret_hex = token
            .form
            .secret_hex(entry.legacy)
            .map_err(|form| match form {
                SecretForm::BadFormat => unauthorized(AuthReason::BadFormat).into(),
                SecretForm::Mismatch => mismatch(),
            })?;
        let Some(tag) = entry.tag else {
            return Ok(secret_hex);
        };
        let mut candidates = self.peppers.candidates(entry.fingerprint);
        if candidates.any(|pepper| same_bytes(&pepper.check_tag(secret_hex), &tag)) {
            Ok(secret_hex)
        } else {
            Err(mismatch())
        }
    }

    /// Counts and returns a refusal of a known key.
    pub(super) fn refuse_key(
        &self,
        entry: &Entry,
        reason: AuthReason,
        client: Option<IpAddr>,
    ) -> Refused {
        if let Some(outcome) = Outcome::of(reason) {
            let now = self.clock.now();
            self.usage.record(&entry.runtime, outcome, now, client);
        }
        unauthorized(reason).into()
    }

    /// Decides when the row can't be read: within the configured grace, a key verified before goes on.
    fn outage_grace(
        &self,
        token: &Presented<'_>,
        client: Option<IpAddr>,
        error: AppError,
    ) -> Decision {
        let known = self.cache.get(token.form.key_id()).filter(|entry| {
            self.listener_health.within_outage_grace()
                && self.versions.is_current(&entry.version)
                && entry.is_verified(&token.mac)
        });
        match (known, &error) {
            (Some(entry), AppError::Unavailable { .. }) => self.admit(entry, client),
            _ => Err(error.into()),
        }
    }

    /// The MAC that identifies a token in the cache.
    pub(super) fn mac_of(&self, token: &str) -> Result<TokenMac, Refused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(unauthorized(AuthReason::BadFormat).into());
        }
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        Ok(std::array::from_fn(|index| mac[index]))
    }
}

/// A parsed token with its MAC.
pub(super) struct Presented<'a> {
    pub(super) form: PresentedToken<'a>,
    pub(super) mac: TokenMac,
}

impl<'a> Presented<'a> {
    pub(super) fn parse(token: &'a str, mac: TokenMac) -> Result<Self, Refused> {
        let form =
            PresentedToken::parse(token).ok_or_else(|| unauthorized(AuthReason::BadFormat))?;
        Ok(Self { form, mac })
    }
}

/// The entry to cache for a row, with the verification that this request made.
fn updated_entry(
    entry: &Entry,
    row: &GuardRow,
    mac: &TokenMac,
    verified: Option<HashDigest>,
) -> Entry {
    let updated = Entry::new(row, Arc::clone(&entry.runtime), entry.version, Some(entry));
    match verified {
        Some(hash_digest) => updated.with_verification(*mac, hash_digest),
        None => updated,
    }
}

pub(super) fn unauthorized(reason: AuthReason) -> AppError {
    AppError::Unauthorized { reason }
}

/// The refusal of a token whose id no key has.
pub(super) fn unknown_key(form: &PresentedToken<'_>) -> AppError {
    unauthorized(if form.checksum_holds() {
        AuthReason::UnknownKey
    } else {
        AuthReason::BadFormat
    })
}
