//! The guard: from the token that was presented to the key that it is, or the reason why not.
//!
//! A key is judged in one order: format, row, tag, Argon2id, then revoked, partner inactive, not
//! yet valid, expired; scopes come after, where the route is known. A wrong secret fails on the
//! check tag, without Argon2; a key that its state refuses needs only the tag.

pub mod legacy;
pub mod usage;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use uuid::Uuid;

use self::legacy::LegacyLimiter;
use self::usage::UsageLog;
use super::clock::{Clock, Entropy};
use super::crypto::pepper::{CheckTag, Fingerprint, Peppers};
use super::crypto::pool::HashPool;
use super::crypto::{same_bytes, secret};
use super::db::keys::{self, GuardRow, StoredSecret};
use crate::domain::error::{AppError, AppResult, AuthReason};
use crate::domain::key::{KeyStatus, Lifetime};
use crate::domain::scope::Scope;
use crate::domain::token::{KeyId, PresentedToken, SecretForm};

/// A key that was accepted: who is calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key.
    pub key_id: KeyId,
    /// Its partner.
    pub partner_id: Uuid,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

impl Caller {
    /// Checks that the key has one of these scopes; an empty list asks for none.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] naming them.
    pub fn require(&self, scopes: &[Scope]) -> AppResult<()> {
        if scopes.is_empty() || scopes.iter().any(|scope| scope.granted_by(&self.scopes)) {
            return Ok(());
        }
        Err(AppError::Forbidden {
            required: scopes.to_vec(),
        })
    }
}

/// Judges tokens.
pub struct Guard {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    peppers: Arc<Peppers>,
    hashing: HashPool,
    legacy: LegacyLimiter,
    usage: UsageLog,
}

impl Guard {
    /// A guard over this database. `hashing` is shared with issuing.
    #[must_use]
    pub fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        peppers: Arc<Peppers>,
        hashing: HashPool,
    ) -> Self {
        Self {
            pool,
            clock,
            entropy,
            peppers,
            hashing,
            legacy: LegacyLimiter::default(),
            usage: UsageLog::default(),
        }
    }

    /// The uses that wait to be written.
    #[must_use]
    pub fn usage(&self) -> &UsageLog {
        &self.usage
    }

    /// Judges a presented token; `client` is the address it came from. An accepted use is counted.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] with the reason; [`AppError::RateLimited`] for too many guesses
    /// at a legacy key; [`AppError::Unavailable`] where the row can't be read or the Argon2 queue
    /// is full.
    pub async fn check(&self, token: &str, client: Option<IpAddr>) -> AppResult<Caller> {
        let refuse = |reason| AppError::Unauthorized { reason };
        let token = PresentedToken::parse(token).ok_or_else(|| refuse(AuthReason::BadFormat))?;
        let mut connection = self.pool.acquire().await?;
        let row = keys::find_for_guard(&mut connection, token.key_id()).await?;
        // The connection goes back before any hashing, which takes far longer than the query.
        drop(connection);

        let row = row.ok_or_else(|| {
            refuse(if token.checksum_holds() {
                AuthReason::UnknownKey
            } else {
                AuthReason::BadFormat
            })
        })?;
        let secret_hex = token.secret_hex(row.legacy).map_err(|form| {
            refuse(match form {
                SecretForm::BadFormat => AuthReason::BadFormat,
                SecretForm::Mismatch => AuthReason::SecretMismatch,
            })
        })?;

        let refused = refused_by_state(self.clock.now(), &row);
        match (row.check_tag.as_deref(), refused) {
            (Some(tag), refused) => {
                if !self.tag_matches(&row, secret_hex, tag) {
                    return Err(refuse(AuthReason::SecretMismatch));
                }
                if let Some(reason) = refused {
                    return Err(refuse(reason));
                }
                self.prove(&row, token.key_id(), secret_hex).await?;
            }
            // Without a tag only Argon2 can tell, and guesses at it are rationed.
            (None, _) => {
                let attempt = self
                    .legacy
                    .admit(token.key_id(), client, self.clock.now())?;
                self.prove(&row, token.key_id(), secret_hex).await?;
                attempt.succeeded();
            }
        }
        // Hashing took time: the clock may have passed an edge of the window meanwhile.
        let now = self.clock.now();
        if let Some(reason) = refused_by_state(now, &row) {
            return Err(refuse(reason));
        }
        let key_id = KeyId::parse(token.key_id()).ok_or_else(|| refuse(AuthReason::BadFormat))?;
        self.usage.record(&key_id, now, client);
        Ok(Caller {
            key_id,
            partner_id: row.partner_id,
            scopes: row.scopes(),
        })
    }

    fn tag_matches(&self, row: &GuardRow, secret_hex: &str, tag: &[u8]) -> bool {
        self.peppers
            .candidates(fingerprint(row))
            .any(|pepper| same_bytes(&pepper.check_tag(secret_hex), tag))
    }

    /// Runs Argon2id against the stored hash and brings the row up to date: a row without a tag
    /// gets one, a row of a retired pepper is hashed anew under the current one.
    async fn prove(&self, row: &GuardRow, key_id: &str, secret_hex: &str) -> AppResult<()> {
        let peppers = Arc::clone(&self.peppers);
        let fingerprint = fingerprint(row);
        let tag: Option<CheckTag> = row.check_tag.as_deref().and_then(|tag| tag.try_into().ok());
        let secret_hex = zeroize::Zeroizing::new(secret_hex.to_owned());
        let phc = row.secret_hash.clone();
        let salt = self.entropy.bytes();
        let proof = self
            .hashing
            .run(move || prove_blocking(&peppers, fingerprint, tag, &secret_hex, &phc, salt))
            .await?;
        match proof {
            Ok(Some(Proof { renewed: None })) => Ok(()),
            Ok(Some(Proof {
                renewed: Some(stored),
            })) => {
                self.renew(key_id, &row.secret_hash, &stored).await;
                Ok(())
            }
            Ok(None) => Err(AppError::Unauthorized {
                reason: AuthReason::SecretMismatch,
            }),
            Err(error) => {
                tracing::error!(key_id, %error, "a key's stored hash can't be used");
                Err(AppError::Unauthorized {
                    reason: AuthReason::SecretMismatch,
                })
            }
        }
    }

    /// Writes a renewed hash. The request was proven already: that it could not be written is no
    /// reason to refuse it, the next one tries again.
    async fn renew(&self, key_id: &str, verified_hash: &str, stored: &StoredSecret) {
        let written = async {
            let mut connection = self.pool.acquire().await?;
            keys::replace_secret(&mut connection, key_id, verified_hash, stored).await
        };
        match written.await {
            Ok(true) => tracing::info!(
                key_id,
                "the stored hash was renewed under the current pepper"
            ),
            Ok(false) => {}
            Err(error) => {
                let cause = super::db::error::describe(&error);
                tracing::warn!(key_id, cause, "a renewed hash could not be written");
            }
        }
    }
}

/// What verifying a secret found, where it matched.
struct Proof {
    /// What the row should hold from now on, if that differs.
    renewed: Option<StoredSecret>,
}

fn prove_blocking(
    peppers: &Peppers,
    fingerprint: Option<Fingerprint>,
    tag: Option<CheckTag>,
    secret_hex: &str,
    phc: &str,
    salt: secret::SaltBytes,
) -> Result<Option<Proof>, secret::HashError> {
    let current = peppers.current();
    for pepper in peppers.candidates(fingerprint) {
        if tag.is_some_and(|tag| !same_bytes(&pepper.check_tag(secret_hex), &tag)) {
            continue;
        }
        if !secret::secret_matches(pepper, secret_hex, phc)? {
            continue;
        }
        let under_current = pepper.fingerprint() == current.fingerprint();
        if under_current && tag.is_some() && fingerprint.is_some() {
            return Ok(Some(Proof { renewed: None }));
        }
        let hash = if under_current {
            phc.to_owned()
        } else {
            secret::hash_secret(current, secret_hex, salt)?
        };
        let renewed = StoredSecret {
            hash,
            tag: current.check_tag(secret_hex),
            fingerprint: current.fingerprint(),
        };
        return Ok(Some(Proof {
            renewed: Some(renewed),
        }));
    }
    Ok(None)
}

fn fingerprint(row: &GuardRow) -> Option<Fingerprint> {
    row.pepper_fingerprint
        .as_deref()
        .and_then(|bytes| bytes.try_into().ok())
}

/// Why the key's state refuses it at `now`, in the order in which reasons are given.
fn refused_by_state(now: DateTime<Utc>, row: &GuardRow) -> Option<AuthReason> {
    judge_state(now, &row.lifetime(), row.partner_active)
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

#[cfg(test)]
mod tests {
    use super::*;

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
            (50, true, false, Some(AuthReason::KeyInactive)),
            (50, false, false, Some(AuthReason::PartnerInactive)),
            (250, false, false, Some(AuthReason::PartnerInactive)),
            (99, false, true, Some(AuthReason::NotYetValid)),
            (100, false, true, None),
            (199, false, true, None),
            (200, false, true, Some(AuthReason::Expired)),
        ] {
            assert_eq!(
                judge_state(at(now), &life(revoked), partner_active),
                reason,
                "{now}"
            );
        }
    }

    #[test]
    fn a_caller_needs_one_of_the_scopes() {
        let caller = |scopes: &[Scope]| Caller {
            key_id: KeyId::parse("mpk_1").unwrap(),
            partner_id: Uuid::nil(),
            scopes: scopes.to_vec(),
        };
        assert_eq!(caller(&[]).require(&[]), Ok(()));
        assert_eq!(caller(&[Scope::Admin]).require(&[Scope::Reverify]), Ok(()));
        assert_eq!(
            caller(&[Scope::AssetsRead]).require(&[Scope::Admin]),
            Err(AppError::Forbidden {
                required: vec![Scope::Admin]
            })
        );
    }
}
