//! Hashes of operators' passwords and session cookies.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::pool::HashPool;
use super::secret::{LANES, MEMORY_KIB, PASSES, SaltBytes, argon2id, argon2id_matches};
use crate::domain::error::{AppError, AppResult};

/// Hash that no password matches. Sign-ins with an unknown e-mail are verified against it, so that they take
/// as long as a wrong password (OWASP Authentication Cheat Sheet).
const UNMATCHABLE: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keSEh$2mDfSdVHBvUEXHiv+UBSm0zyaTQzTnfi5zRA8nDnJPA";

/// Hashes a new password on the pool; [`AppError::Unavailable`] if its queue is full.
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

/// Verifies a password on the pool. A `phc` of `None` stands for an operator that does not exist.
pub async fn verify(
    pool: &HashPool,
    password: Zeroizing<String>,
    phc: Option<String>,
) -> AppResult<bool> {
    let known = phc.is_some();
    let phc = phc.unwrap_or_else(|| UNMATCHABLE.to_owned());
    let matches = pool
        .run(move |memory| argon2id_matches(memory, password.as_bytes(), &phc))
        .await?;
    matches.map(|matches| matches && known).map_err(|error| {
        tracing::error!(%error, "a password could not be verified");
        AppError::Internal
    })
}

/// True if the hash has the current parameters; others are replaced at the next sign-in.
pub fn is_current(phc: &str) -> bool {
    phc.starts_with(&current_form())
}

fn current_form() -> String {
    format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$")
}

/// Returns the stored hash of a session cookie. SHA-256 suffices: the cookie has 32 random bytes.
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
        assert!(is_current(&phc) && is_current(UNMATCHABLE));
        assert!(!is_current(&phc.replace("m=19456", "m=9216")));
        assert_eq!(verify(&pool, password(), Some(phc.clone())).await, Ok(true));
        assert_eq!(
            verify(&pool, Zeroizing::new("wrong".into()), Some(phc)).await,
            Ok(false)
        );
        assert_eq!(verify(&pool, password(), None).await, Ok(false));
    }
}
