//! Generating a key's secret and inserting its row, for issuing and rotation.

use std::sync::Arc;

use sqlx::PgConnection;
use zeroize::Zeroizing;

use super::keys::KeyService;
use crate::domain::error::{AppError, AppResult};
use crate::domain::secret::Secret;
use crate::domain::token::{self, CHECKSUM_DIGITS, KeyId};
use crate::server::crypto::secret::{self, HashError, Memory};
use crate::server::store::key_changes::{self, NewKeyRow, StoredSecret};

/// One collision of 48 random bits is bad luck; three are a broken generator.
const ID_ATTEMPTS: u32 = 3;

/// A new key: the token, which is shown once, and what is stored of its secret.
pub(super) struct GeneratedKey {
    pub(super) key_id: KeyId,
    pub(super) token: Secret,
    pub(super) stored: StoredSecret,
}

/// A new key whose secret is not hashed yet.
struct UnhashedKey {
    key_id: KeyId,
    token: Secret,
}

impl UnhashedKey {
    fn with(self, hashed: Result<StoredSecret, HashError>) -> AppResult<GeneratedKey> {
        let stored = hashed.map_err(|error| {
            tracing::error!(%error, "a new secret could not be hashed");
            AppError::Internal
        })?;
        Ok(GeneratedKey {
            key_id: self.key_id,
            token: self.token,
            stored,
        })
    }
}

impl KeyService {
    /// Generates an id and a secret and hashes the secret. Call it before the transaction: hashing takes
    /// some 20 ms. Fails with [`AppError::Unavailable`] if the hashing queue is full.
    pub(super) async fn generate(&self) -> AppResult<GeneratedKey> {
        let (secret, work) = self.draw()?;
        secret.with(self.hashing.run(work).await?)
    }

    /// Same as [`Self::generate`] for bulk actions: waits for a share of the threads and is never rejected.
    pub(super) async fn generate_low_priority(&self) -> AppResult<GeneratedKey> {
        let (secret, work) = self.draw()?;
        secret.with(self.hashing.run_low_priority(work).await?)
    }

    /// Generates an id and a secret, and the work that hashes the secret.
    fn draw(
        &self,
    ) -> AppResult<(
        UnhashedKey,
        impl FnOnce(&mut Memory) -> Result<StoredSecret, HashError> + Send + use<>,
    )> {
        let peppers = Arc::clone(self.core.peppers()?);
        let key_id = KeyId::from_random(&self.issuing.id_prefix, self.core.entropy.bytes());
        let mut secret_bytes = Zeroizing::new(vec![0; self.issuing.secret_bytes]);
        self.core.entropy.fill(&mut secret_bytes);
        let token = Secret::from(token::compose(&key_id, &secret_bytes));
        let hex_end = token.len() - CHECKSUM_DIGITS;
        let secret_hex = Zeroizing::new(token[key_id.as_str().len() + 1..hex_end].to_owned());
        let salt = self.core.entropy.bytes();
        let work = move |memory: &mut Memory| {
            let pepper = peppers.current();
            secret::hash_secret(memory, pepper, &secret_hex, salt).map(|hash| StoredSecret {
                hash,
                tag: pepper.check_tag(&secret_hex),
                fingerprint: pepper.fingerprint(),
            })
        };
        Ok((UnhashedKey { key_id, token }, work))
    }

    /// Inserts the row of a generated key, generating another while its id is taken.
    pub(super) async fn insert_generated(
        &self,
        connection: &mut PgConnection,
        mut generated: GeneratedKey,
        row: &NewKeyRow<'_>,
    ) -> AppResult<GeneratedKey> {
        for _ in 0..ID_ATTEMPTS {
            if key_changes::insert(connection, &generated.key_id, &generated.stored, row).await? {
                return Ok(generated);
            }
            tracing::warn!(key_id = %generated.key_id, "a new key's id was taken: drawing another");
            generated = self.generate().await?;
        }
        tracing::error!("no free key id in {ID_ATTEMPTS} attempts");
        Err(AppError::Internal)
    }
}
