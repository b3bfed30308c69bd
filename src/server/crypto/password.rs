//! Operators' passwords and the secrets of their sessions.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::pool::HashPool;
use super::secret::{LANES, MEMORY_KIB, PASSES, SaltBytes, argon2id, argon2id_matches};
use crate::domain::error::{AppError, AppResult};

/// A hash that no password matches: what an unknown e-mail is checked against, so that it takes
/// the same time as a wrong password (OWASP Authentication Cheat Sheet).
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keSEh$2mDfSdVHBvUEXHiv+UBSm0zyaTQzTnfi5zRA8nDnJPA";

/// Hashes a new password on the pool.
///
/// # Errors
/// [`AppError::Unavailable`] where the pool's queue is full.
pub async fn hash(
    pool: &HashPool,
    password: Zeroizing<String>,
    salt: SaltBytes,
) -> AppResult<String> {
    pool.run(move |memory| argon2id(memory, password.as_bytes(), salt))
        .await?
        .map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            AppError::Internal
        })
}

/// Whether a password matches; `None` stands for an operator that does not exist.
///
/// # Errors
/// [`AppError::Unavailable`] where the pool's queue is full.
pub async fn verify(
    pool: &HashPool,
    password: Zeroizing<String>,
    phc: Option<String>,
) -> AppResult<bool> {
    let known = phc.is_some();
    let phc = phc.unwrap_or_else(|| NOBODY.to_owned());
    let matches = pool
        .run(move |memory| argon2id_matches(memory, password.as_bytes(), &phc))
        .await?;
    matches.map(|matches| matches && known).map_err(|error| {
        tracing::error!(%error, "a password could not be verified");
        AppError::Internal
    })
}

/// Whether a hash was made as new ones are; another is replaced when its password is next seen.
#[must_use]
pub fn is_current(phc: &str) -> bool {
    phc.starts_with(&current_form())
}

/// How every hash begins that is made now.
fn current_form() -> String {
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$")
}

/// What is stored of a session's cookie. A plain hash is enough: the cookie is 32 random bytes.
#[must_use]
pub fn session_hash(cookie: &str) -> [u8; 32] {
    Sha256::digest(cookie.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn right_wrong_and_unknown() {
        let pool = HashPool::new(1, 8);
        let password = || Zeroizing::new("correct horse battery".to_owned());
        let phc = hash(&pool, password(), [3; 16]).await.unwrap();
        assert!(is_current(&phc) && is_current(NOBODY));
        assert!(!is_current(&phc.replace("m=19456", "m=9216")));
        assert_eq!(verify(&pool, password(), Some(phc.clone())).await, Ok(true));
        assert_eq!(
            verify(&pool, Zeroizing::new("wrong".into()), Some(phc)).await,
            Ok(false)
        );
        assert_eq!(verify(&pool, password(), None).await, Ok(false));
    }
}
