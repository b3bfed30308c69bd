//! The pepper: a secret of the server, without which the stored hashes can't be attacked.
//!
//! HKDF-SHA256 (RFC 5869) derives from each pepper a fingerprint, stored beside each hash to name its
//! pepper, and the sub-keys for check tags, audit checkpoints, sealed secrets and recovery codes.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// Minimum length of a pepper in production.
pub const MIN_PEPPER_BYTES: usize = 32;

/// Names the pepper of a stored hash.
pub type Fingerprint = [u8; 8];

/// First bytes of an HMAC of the secret: rejects a wrong secret without Argon2.
pub type CheckTag = [u8; 4];

/// A pepper and its sub-keys. Wiped from memory on drop.
pub struct Pepper {
    value: Zeroizing<Vec<u8>>,
    tag_key: Zeroizing<[u8; 32]>,
    checkpoint_key: Zeroizing<[u8; 32]>,
    seal_key: Zeroizing<[u8; 32]>,
    recovery_key: Zeroizing<[u8; 32]>,
    fingerprint: Fingerprint,
}

impl Pepper {
    /// Derives the sub-keys from the UTF-8 bytes of a setting.
    pub fn new(value: &str) -> Self {
        let derive = Hkdf::<Sha256>::new(None, value.as_bytes());
        let mut tag_key = Zeroizing::new([0; 32]);
        let mut checkpoint_key = Zeroizing::new([0; 32]);
        let mut seal_key = Zeroizing::new([0; 32]);
        let mut recovery_key = Zeroizing::new([0; 32]);
        let mut fingerprint = Fingerprint::default();
        for (info, out) in [
            (&b"myproof-registry check-tag v1"[..], &mut tag_key[..]),
            (
                &b"myproof-registry audit-checkpoint v1"[..],
                &mut checkpoint_key[..],
            ),
            (&b"myproof-registry seal v1"[..], &mut seal_key[..]),
            (
                &b"myproof-registry recovery-code v1"[..],
                &mut recovery_key[..],
            ),
            (
                &b"myproof-registry pepper-fingerprint v1"[..],
                &mut fingerprint[..],
            ),
        ] {
            // HKDF-SHA256 refuses only outputs above 255 × 32 bytes.
            debug_assert!(derive.expand(info, out).is_ok());
            let _ = derive.expand(info, out);
        }
        Self {
            value: Zeroizing::new(value.as_bytes().to_vec()),
            tag_key,
            checkpoint_key,
            seal_key,
            recovery_key,
            fingerprint,
        }
    }

    /// Public: reveals nothing of the pepper.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Returns `HMAC-SHA256(key = pepper, message = hex text of the secret)`, the password for Argon2id.
    pub fn peppered(&self, secret_hex: &str) -> Zeroizing<[u8; 32]> {
        hmac_sha256(&self.value, secret_hex.as_bytes())
    }

    pub fn check_tag(&self, secret_hex: &str) -> CheckTag {
        let mac = hmac_sha256(&self.tag_key[..], secret_hex.as_bytes());
        [mac[0], mac[1], mac[2], mac[3]]
    }

    /// Key of [`super::seal`].
    pub(super) fn seal_key(&self) -> &[u8; 32] {
        &self.seal_key
    }

    /// Returns the stored hash of a recovery code. HMAC suffices: a code has 80 random bits.
    pub fn recovery_hash(&self, operator_id: &[u8; 16], code: &str) -> [u8; 32] {
        let message = Zeroizing::new([&operator_id[..], code.as_bytes()].concat());
        *hmac_sha256(&self.recovery_key[..], &message)
    }

    /// Signs an audit checkpoint: `HMAC-SHA256(sub-key, statement)`.
    pub fn sign_checkpoint(&self, statement: &str) -> [u8; 32] {
        *hmac_sha256(&self.checkpoint_key[..], statement.as_bytes())
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(…)")
    }
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut out = Zeroizing::new([0; 32]);
    // HMAC takes keys of any length (RFC 2104 §2); the error type is the trait's, not HMAC's.
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) {
        mac.update(message);
        let mut bytes = mac.finalize().into_bytes();
        out.copy_from_slice(&bytes);
        bytes.zeroize();
    }
    out
}

/// The current pepper, under which new hashes are made, and the retired ones that are still accepted.
#[derive(Debug)]
pub struct Peppers {
    current: Pepper,
    retired: Vec<Pepper>,
}

impl Peppers {
    pub fn new(current: &str, retired: &[Zeroizing<String>]) -> Self {
        Self {
            current: Pepper::new(current),
            retired: retired.iter().map(|value| Pepper::new(value)).collect(),
        }
    }

    pub fn current(&self) -> &Pepper {
        &self.current
    }

    /// Every pepper, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.current).chain(&self.retired)
    }

    /// Returns the peppers that a hash may have been made under: the one that its fingerprint names, or all
    /// for an imported row without a fingerprint.
    pub fn candidates(&self, fingerprint: Option<Fingerprint>) -> impl Iterator<Item = &Pepper> {
        self.all()
            .filter(move |pepper| fingerprint.is_none_or(|wanted| wanted == pepper.fingerprint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_matches_rfc_4231() {
        // Test case 2 of RFC 4231.
        let mac = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(
            data_encoding::HEXLOWER.encode(&mac[..]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn sub_keys_differ_by_pepper_and_by_purpose() {
        let (one, two) = (Pepper::new("one"), Pepper::new("two"));
        assert_ne!(one.fingerprint(), two.fingerprint());
        assert_ne!(one.check_tag("ab"), two.check_tag("ab"));
        assert_ne!(one.check_tag("ab"), one.check_tag("ac"));
        assert_ne!(one.check_tag("ab"), one.peppered("ab")[..4]);
        assert_eq!(one.fingerprint(), Pepper::new("one").fingerprint());
    }

    #[test]
    fn a_fingerprint_selects_one_candidate_and_its_absence_all() {
        let peppers = Peppers::new(
            "new",
            &[Zeroizing::new("old".into()), Zeroizing::new("older".into())],
        );
        let old = Pepper::new("old").fingerprint();
        assert_eq!(peppers.candidates(None).count(), 3);
        assert_eq!(
            peppers
                .candidates(Some(old))
                .map(Pepper::fingerprint)
                .collect::<Vec<_>>(),
            [old]
        );
        assert_eq!(peppers.candidates(Some([0; 8])).count(), 0);
    }

    #[test]
    fn debug_hides_the_pepper() {
        assert!(!format!("{:?}", Peppers::new("do-not-show", &[])).contains("do-not-show"));
    }
}
