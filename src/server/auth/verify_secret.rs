//! The one run of Argon2id that a token needs per process.

use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::entry::{Entry, HashDigest, hash_digest};
use super::verify::Presented;
use super::{Guard, Refused};
use crate::domain::error::{AppResult, AuthReason};
use crate::server::crypto::pepper::{CheckTag, Fingerprint, Peppers};
use crate::server::crypto::{same_bytes, secret};
use crate::server::store::error::describe;
use crate::server::store::guard_rows::GuardRow;
use crate::server::store::key_changes::{self, StoredSecret};

impl Guard {
    /// Runs Argon2id against the stored hash, once for all concurrent requests with the same token,
    /// and brings the row up to date: a row without a tag gets one, a row under a retired pepper is
    /// re-hashed under the current one. Returns the digest of the hash that is stored afterwards.
    pub(super) async fn verify_secret(
        &self,
        loaded: &(Entry, GuardRow),
        token: &Presented<'_>,
        secret_hex: &str,
        client: Option<IpAddr>,
    ) -> Result<HashDigest, Refused> {
        let (entry, row) = loaded;
        // Keyed by the whole token, so that a wrong secret can't share a right one's result.
        let run = || self.hash_and_renew(entry, row, secret_hex, client);
        let verified = self.verifying.join(token.mac, run).await?;
        verified.ok_or_else(|| self.refuse_key(entry, AuthReason::SecretMismatch, client))
    }

    /// `None` for a wrong secret.
    async fn hash_and_renew(
        &self,
        entry: &Entry,
        row: &GuardRow,
        secret_hex: &str,
        client: Option<IpAddr>,
    ) -> AppResult<Option<HashDigest>> {
        let key_id = entry.runtime.key_id.as_str();
        // Each guess at a row without a tag costs a run, so guesses are limited.
        let attempt = match entry.tag {
            None => Some(self.legacy.admit(key_id, client, self.clock.now())?),
            Some(_) => None,
        };
        let comparison = Comparison {
            peppers: Arc::clone(&self.peppers),
            fingerprint: entry.fingerprint,
            tag: entry.tag,
            secret_hex: Zeroizing::new(secret_hex.to_owned()),
            phc: row.secret_hash.clone(),
            salt: self.entropy.bytes(),
        };
        let outcome = self
            .hashing
            .run(move |memory| comparison.run(memory))
            .await?;
        let outcome = outcome.unwrap_or_else(|error| {
            tracing::error!(key_id, %error, "a key's stored hash can't be used");
            SecretOutcome::Mismatch
        });
        let renewed = match outcome {
            SecretOutcome::Mismatch => return Ok(None),
            SecretOutcome::Match => None,
            SecretOutcome::Outdated(stored) => Some(stored),
        };
        if let Some(attempt) = attempt {
            attempt.succeeded();
        }
        Ok(Some(match renewed {
            Some(stored) if self.renew(key_id, &row.secret_hash, &stored).await => {
                hash_digest(&stored.hash)
            }
            _ => entry.hash_digest,
        }))
    }

    /// Writes a renewed hash; true if it is stored now. The secret is verified already, so a failed
    /// write refuses nothing: the next request tries again.
    async fn renew(&self, key_id: &str, verified_hash: &str, stored: &StoredSecret) -> bool {
        let written = async {
            let mut connection = self.pool.acquire().await?;
            key_changes::replace_secret(&mut connection, key_id, verified_hash, stored).await
        };
        match written.await {
            Ok(written) => {
                if written {
                    tracing::info!(key_id, "stored hash renewed under the current pepper");
                }
                written
            }
            Err(error) => {
                let cause = describe(&error);
                tracing::warn!(key_id, cause, "a renewed hash could not be written");
                false
            }
        }
    }
}

/// The result of comparing a secret with a stored hash.
enum SecretOutcome {
    Mismatch,
    Match,
    /// The secret matches, and the row should hold this instead.
    Outdated(StoredSecret),
}

/// The inputs of a comparison, owned by the blocking thread that runs it.
struct Comparison {
    peppers: Arc<Peppers>,
    fingerprint: Option<Fingerprint>,
    tag: Option<CheckTag>,
    secret_hex: Zeroizing<String>,
    phc: String,
    /// For a renewed hash.
    salt: secret::SaltBytes,
}

impl Comparison {
    fn run(self, memory: &mut secret::Memory) -> Result<SecretOutcome, secret::HashError> {
        let secret_hex = self.secret_hex.as_str();
        let current = self.peppers.current();
        for pepper in self.peppers.candidates(self.fingerprint) {
            let tag_differs = |tag: CheckTag| !same_bytes(&pepper.check_tag(secret_hex), &tag);
            if self.tag.is_some_and(tag_differs)
                || !secret::secret_matches(memory, pepper, secret_hex, &self.phc)?
            {
                continue;
            }
            let under_current = pepper.fingerprint() == current.fingerprint();
            if under_current && self.tag.is_some() && self.fingerprint.is_some() {
                return Ok(SecretOutcome::Match);
            }
            let hash = if under_current {
                self.phc.clone()
            } else {
                secret::hash_secret(memory, current, secret_hex, self.salt)?
            };
            return Ok(SecretOutcome::Outdated(StoredSecret {
                hash,
                tag: current.check_tag(secret_hex),
                fingerprint: current.fingerprint(),
            }));
        }
        Ok(SecretOutcome::Mismatch)
    }
}
