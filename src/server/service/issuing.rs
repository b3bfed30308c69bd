//! Making a secret and its row: what issuing and rotating share.

use sqlx::PgConnection;
use zeroize::Zeroizing;

use super::Registry;
use crate::domain::error::{AppError, AppResult};
use crate::domain::secret::Secret;
use crate::domain::token::{self, CHECKSUM_DIGITS, KeyId};
use crate::server::crypto::secret::{self, HashError, Memory};
use crate::server::store::key_changes::{self, NewKeyRow, StoredSecret};

/// A collision of 48 random bits is bad luck once; thrice it is a broken generator.
const ID_ATTEMPTS: u32 = 3;

/// A secret that was just made: the token for its one showing, and what is stored of it.
pub(super) struct Minted {
    pub(super) key_id: KeyId,
    pub(super) token: Secret,
    pub(super) stored: StoredSecret,
}

/// An id and a token whose secret is not hashed yet.
struct Drawn {
    key_id: KeyId,
    token: Secret,
}

impl Drawn {
    fn with(self, hashed: Result<StoredSecret, HashError>) -> AppResult<Minted> {
        let stored = hashed.map_err(|error| {
            tracing::error!(%error, "a new secret could not be hashed");
            AppError::Internal
        })?;
        Ok(Minted {
            key_id: self.key_id,
            token: self.token,
            stored,
        })
    }
}

impl Registry {
    /// Draws an id and a secret and hashes the secret, before any transaction: hashing takes some
    /// 20 ms, and no row is locked that long.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the hashing queue is full.
    pub(super) async fn mint(&self) -> AppResult<Minted> {
        let (secret, work) = self.draw()?;
        secret.with(self.key_hashing.run(work).await?)
    }

    /// The same as one of many: it waits for its share of the threads and is never refused.
    ///
    /// # Errors
    /// [`AppError::Internal`].
    pub(super) async fn mint_patiently(&self) -> AppResult<Minted> {
        let (secret, work) = self.draw()?;
        secret.with(self.key_hashing.run_low_priority(work).await?)
    }

    /// Draws an id and a secret, with the work of hashing it.
    fn draw(
        &self,
    ) -> AppResult<(
        Drawn,
        impl FnOnce(&mut Memory) -> Result<StoredSecret, HashError> + Send + use<>,
    )> {
        let peppers = self.peppers.clone().ok_or_else(|| {
            tracing::error!("keys can't be made without a pepper");
            AppError::Internal
        })?;
        let key_id = KeyId::from_random(&self.issuing.id_prefix, self.entropy.bytes());
        let mut secret_bytes = Zeroizing::new(vec![0; self.issuing.secret_bytes]);
        self.entropy.fill(&mut secret_bytes);
        let token = Secret::from(token::compose(&key_id, &secret_bytes));
        let hex_end = token.len() - CHECKSUM_DIGITS;
        let secret_hex = Zeroizing::new(token[key_id.as_str().len() + 1..hex_end].to_owned());
        let salt = self.entropy.bytes();
        let work = move |memory: &mut Memory| {
            let pepper = peppers.current();
            secret::hash_secret(memory, pepper, &secret_hex, salt).map(|hash| StoredSecret {
                hash,
                tag: pepper.check_tag(&secret_hex),
                fingerprint: pepper.fingerprint(),
            })
        };
        Ok((Drawn { key_id, token }, work))
    }

    /// Inserts the row of a minted key, minting again while its id is taken.
    ///
    /// # Errors
    /// The database's; [`AppError::Internal`] where no free id was found.
    pub(super) async fn insert_minted(
        &self,
        connection: &mut PgConnection,
        mut minted: Minted,
        row: &NewKeyRow<'_>,
    ) -> AppResult<Minted> {
        for _ in 0..ID_ATTEMPTS {
            if key_changes::insert(connection, &minted.key_id, &minted.stored, row).await? {
                return Ok(minted);
            }
            tracing::warn!(key_id = %minted.key_id, "a new key's id was taken: drawing another");
            minted = self.mint().await?;
        }
        tracing::error!("no free key id in {ID_ATTEMPTS} attempts");
        Err(AppError::Internal)
    }
}
