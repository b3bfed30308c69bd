//! The one run of Argon2id that a token needs per process.

use std::net::IpAddr;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::entry::{Entry, HashMark, hash_mark};
use super::{Guard, Presented, Refused, refuse};
use crate::domain::error::{AppResult, AuthReason};
use crate::domain::usage::Outcome;
use crate::server::crypto::pepper::{CheckTag, Fingerprint, Peppers};
use crate::server::crypto::{same_bytes, secret};
use crate::server::store::error::describe;
use crate::server::store::guard_rows::GuardRow;
use crate::server::store::key_changes::{self, StoredSecret};

impl Guard {
    /// Runs Argon2id against the stored hash, once for all who present the same token, and brings
    /// the row up to date: a row without a tag gets one, a row of a retired pepper is hashed anew
    /// under the current one. The stored hash that the token is proven against from now on.
    ///
    /// # Errors
    /// [`AuthReason::SecretMismatch`], the legacy ration's or the hash pool's refusal.
    pub(super) async fn prove(
        &self,
        entry: &Entry,
        row: &GuardRow,
        token: &Presented<'_>,
        secret_hex: &str,
        client: Option<IpAddr>,
    ) -> Result<HashMark, Refused> {
        // Keyed by the whole token: a wrong secret can't ride on a right one.
        let run = || self.run(entry, row, token.form.key_id(), secret_hex, client);
        match self.proving.join(token.mac, run).await? {
            Some(hash_mark) => Ok(hash_mark),
            None => {
                let now = self.clock.now();
                self.usage
                    .record(&entry.live, Outcome::SecretMismatch, now, client);
                Err(refuse(AuthReason::SecretMismatch).into())
            }
        }
    }

    async fn run(
        &self,
        entry: &Entry,
        row: &GuardRow,
        key_id: &str,
        secret_hex: &str,
        client: Option<IpAddr>,
    ) -> AppResult<Option<HashMark>> {
        // Guesses at a row without a tag are rationed: each costs a run.
        let attempt = match entry.tag {
            None => Some(self.legacy.admit(key_id, client, self.clock.now())?),
            Some(_) => None,
        };
        let peppers = Arc::clone(&self.peppers);
        let (tag, fingerprint) = (entry.tag, entry.fingerprint);
        let secret_hex = Zeroizing::new(secret_hex.to_owned());
        let phc = row.secret_hash.clone();
        let salt = self.entropy.bytes();
        let proof = self
            .hashing
            .run(move |memory| {
                prove_blocking(memory, &peppers, fingerprint, tag, &secret_hex, &phc, salt)
            })
            .await?;
        let proof = proof.unwrap_or_else(|error| {
            tracing::error!(key_id, %error, "a key's stored hash can't be used");
            None
        });
        let Some(renewed) = proof else {
            return Ok(None);
        };
        if let Some(attempt) = attempt {
            attempt.succeeded();
        }
        Ok(Some(match renewed {
            Some(stored) if self.renew(key_id, &row.secret_hash, &stored).await => {
                hash_mark(&stored.hash)
            }
            _ => entry.hash_mark,
        }))
    }

    /// Writes a renewed hash; whether it stands now. The request was proven already: that it could
    /// not be written is no reason to refuse it, the next one tries again.
    async fn renew(&self, key_id: &str, verified_hash: &str, stored: &StoredSecret) -> bool {
        let written = async {
            let mut connection = self.pool.acquire().await?;
            key_changes::replace_secret(&mut connection, key_id, verified_hash, stored).await
        };
        match written.await {
            Ok(written) => {
                if written {
                    tracing::info!(
                        key_id,
                        "the stored hash was renewed under the current pepper"
                    );
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

/// Whether the secret is the stored hash's, and if so what the row should hold from now on, if that
/// differs.
fn prove_blocking(
    memory: &mut secret::Memory,
    peppers: &Peppers,
    fingerprint: Option<Fingerprint>,
    tag: Option<CheckTag>,
    secret_hex: &str,
    phc: &str,
    salt: secret::SaltBytes,
) -> Result<Option<Option<StoredSecret>>, secret::HashError> {
    let current = peppers.current();
    for pepper in peppers.candidates(fingerprint) {
        if tag.is_some_and(|tag| !same_bytes(&pepper.check_tag(secret_hex), &tag)) {
            continue;
        }
        if !secret::secret_matches(memory, pepper, secret_hex, phc)? {
            continue;
        }
        let under_current = pepper.fingerprint() == current.fingerprint();
        if under_current && tag.is_some() && fingerprint.is_some() {
            return Ok(Some(None));
        }
        let hash = if under_current {
            phc.to_owned()
        } else {
            secret::hash_secret(memory, current, secret_hex, salt)?
        };
        return Ok(Some(Some(StoredSecret {
            hash,
            tag: current.check_tag(secret_hex),
            fingerprint: current.fingerprint(),
        })));
    }
    Ok(None)
}
