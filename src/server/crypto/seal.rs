//! Encryption of secrets that must be readable again, such as a webhook's signing secret:
//! XChaCha20-Poly1305 under a sub-key of the pepper, with the owner as associated data.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::pepper::{Fingerprint, Pepper, Peppers};
use crate::domain::error::{AppError, AppResult};

/// Length of the nonce before the ciphertext. Random nonces of this size do not repeat.
pub const NONCE_BYTES: usize = 24;

/// A sealed secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Nonce, ciphertext and tag.
    pub bytes: Vec<u8>,
    pub fingerprint: Fingerprint,
}

/// Seals a secret for `owner`; it can't be opened for another owner.
pub fn seal(
    pepper: &Pepper,
    nonce: [u8; NONCE_BYTES],
    owner: &[u8],
    secret: &[u8],
) -> AppResult<Sealed> {
    let cipher = XChaCha20Poly1305::new(pepper.seal_key().into());
    let payload = Payload {
        msg: secret,
        aad: owner,
    };
    let sealed = cipher
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| AppError::Internal)?;
    Ok(Sealed {
        bytes: [&nonce[..], &sealed].concat(),
        fingerprint: pepper.fingerprint(),
    })
}

/// Opens a secret of `owner`; `None` if its pepper is unknown or the ciphertext was altered.
pub fn open(peppers: &Peppers, sealed: &Sealed, owner: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.bytes.split_first_chunk::<NONCE_BYTES>()?;
    peppers
        .candidates(Some(sealed.fingerprint))
        .find_map(|pepper| {
            let cipher = XChaCha20Poly1305::new(pepper.seal_key().into());
            let payload = Payload {
                msg: ciphertext,
                aad: owner,
            };
            let opened = cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
            Some(Zeroizing::new(opened))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_for_its_owner_under_its_pepper() {
        let peppers = Peppers::new("new", &[Zeroizing::new("old".into())]);
        let nonce = [7; NONCE_BYTES];
        let sealed = seal(peppers.current(), nonce, b"mine", b"secret").unwrap();
        assert!(!sealed.bytes.windows(6).any(|bytes| bytes == b"secret"));
        assert_eq!(open(&peppers, &sealed, b"mine").unwrap()[..], b"secret"[..]);
        assert_eq!(open(&peppers, &sealed, b"theirs"), None);
        let under_old = seal(&Pepper::new("old"), nonce, b"mine", b"secret").unwrap();
        assert!(open(&peppers, &under_old, b"mine").is_some());
        assert_eq!(open(&Peppers::new("new", &[]), &under_old, b"mine"), None);
        for place in 0..sealed.bytes.len() {
            let mut altered = sealed.clone();
            altered.bytes[place] ^= 1;
            assert_eq!(open(&peppers, &altered, b"mine"), None, "{place}");
        }
        let short = Sealed {
            bytes: vec![1; 5],
            ..sealed
        };
        assert_eq!(open(&peppers, &short, b"mine"), None);
    }
}
