//! Argon2id of a peppered secret, as a PHC string (RFC 9106; OWASP Password Storage Cheat Sheet).

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use super::pepper::Pepper;
use super::same_bytes;

/// Memory of one run, in KiB.
pub const MEMORY_KIB: u32 = 19_456;
/// Passes of one run.
pub const PASSES: u32 = 2;
/// Lanes of one run.
pub const LANES: u32 = 1;

/// Maximum parameters of an imported hash: 64 MiB, 10 passes, 4 lanes. Hashes beyond it are never computed,
/// so that a written row can't starve the process.
const MAX_PARAMS: (u32, u32, u32) = (65_536, 10, 4);

/// Bytes of salt (RFC 9106 §3.1 recommends 16).
pub type SaltBytes = [u8; 16];

/// A hash that could not be computed or parsed; never contains the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("the stored hash is not argon2id v19 within m ≤ 65536, t ≤ 10, p ≤ 4")]
    Unusable,
    /// Argon2 could not allocate its memory.
    #[error("Argon2id failed")]
    Failed,
}

/// Working memory of Argon2id, reused by the next run: mapping and zeroing new memory costs a quarter of a
/// run.
#[derive(Default)]
pub struct Memory(Vec<Block>);

impl Memory {
    /// Runs Argon2id, which overwrites every block before it reads it.
    fn run(
        &mut self,
        params: Params,
        password: &[u8],
        salt: &[u8],
        out: &mut [u8],
    ) -> Result<(), HashError> {
        let blocks = params.block_count();
        let run = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut large = Vec::new();
        // The extra memory of a larger imported hash is not kept.
        let memory = if blocks > MEMORY_KIB as usize {
            &mut large
        } else {
            &mut self.0
        };
        if memory.len() < blocks {
            memory.resize(blocks, Block::new());
        }
        run.hash_password_into_with_memory(password, salt, out, &mut memory[..blocks])
            .map_err(|_| HashError::Failed)
    }
}

/// Hashes bytes with Argon2id, m = 19456 KiB, t = 2, p = 1. Takes about 20 ms.
pub fn argon2id(
    memory: &mut Memory,
    password: &[u8],
    salt: SaltBytes,
) -> Result<String, HashError> {
    let made = |salt: Salt| {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
        let texts = ParamsString::try_from(&params).ok()?;
        let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
        memory.run(params, password, &salt, &mut out).ok()?;
        Some(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: texts,
            salt: Some(salt),
            hash: Some(Output::new(&out).ok()?),
        })
    };
    let hash = Salt::new(&salt).ok().and_then(made);
    hash.map(|hash| hash.to_string()).ok_or(HashError::Failed)
}

/// True if `password` matches the PHC string. Takes about 20 ms. [`HashError::Unusable`] if the string is
/// malformed or exceeds the limits.
pub fn argon2id_matches(
    memory: &mut Memory,
    password: &[u8],
    phc: &str,
) -> Result<bool, HashError> {
    let (params, salt, stored) = read(phc).ok_or(HashError::Unusable)?;
    let mut out = vec![0; stored.as_bytes().len()];
    memory.run(params, password, &salt, &mut out)?;
    Ok(same_bytes(&out, stored.as_bytes()))
}

/// True for a PHC string of argon2id v19 within the limits.
pub fn is_usable(phc: &str) -> bool {
    read(phc).is_some()
}

fn read(phc: &str) -> Option<(Params, Salt, Output)> {
    let hash = PasswordHash::new(phc).ok()?;
    let params = Params::try_from(&hash).ok()?;
    let within = params.m_cost() <= MAX_PARAMS.0
        && params.t_cost() <= MAX_PARAMS.1
        && params.p_cost() <= MAX_PARAMS.2;
    let known = hash.algorithm.as_str() == "argon2id" && hash.version == Some(19);
    (within && known).then_some((params, hash.salt?, hash.hash?))
}

/// Returns the stored hash of a key's secret: `argon2id(HMAC-SHA256(pepper, secret))`.
pub fn hash_secret(
    memory: &mut Memory,
    pepper: &Pepper,
    secret_hex: &str,
    salt: SaltBytes,
) -> Result<String, HashError> {
    argon2id(memory, &pepper.peppered(secret_hex)[..], salt)
}

/// True if the stored hash belongs to this secret under this pepper.
pub fn secret_matches(
    memory: &mut Memory,
    pepper: &Pepper,
    secret_hex: &str,
    phc: &str,
) -> Result<bool, HashError> {
    argon2id_matches(memory, &pepper.peppered(secret_hex)[..], phc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_a_phc_string_with_the_documented_parameters_and_verifies() {
        let pepper = Pepper::new("pepper");
        let phc = hash_secret(&mut Memory::default(), &pepper, "ab", [7; 16]).unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert_eq!(
            secret_matches(&mut Memory::default(), &pepper, "ab", &phc),
            Ok(true)
        );
        assert_eq!(
            secret_matches(&mut Memory::default(), &pepper, "ac", &phc),
            Ok(false)
        );
        assert_eq!(
            secret_matches(&mut Memory::default(), &Pepper::new("other"), "ab", &phc),
            Ok(false)
        );
    }

    #[test]
    fn an_imported_hash_verifies_whatever_the_order_of_its_parameters() {
        let pepper = Pepper::new("change-this-pepper-now");
        let secret = "7d0e1f2a3b4c5d6e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9012a3b4c5d6e7";
        let phc = "$argon2id$v=19$m=19456,p=1,t=2$JdAXGzHCixT9VSvB3FDcRw$X78bc9cdHhLCJ49VJDi3dfZCakimSrY3BwBGdwYiFg8";
        assert_eq!(
            secret_matches(&mut Memory::default(), &pepper, secret, phc),
            Ok(true)
        );
        assert_eq!(
            secret_matches(
                &mut Memory::default(),
                &pepper,
                &secret.replace('7', "8"),
                phc
            ),
            Ok(false)
        );
    }

    #[test]
    fn hashes_beyond_the_limits_or_malformed_are_never_computed() {
        let tail = "$JdAXGzHCixT9VSvB3FDcRw$X78bc9cdHhLCJ49VJDi3dfZCakimSrY3BwBGdwYiFg8";
        for phc in [
            format!("$argon2id$v=19$m=65537,t=2,p=1{tail}"),
            format!("$argon2id$v=19$m=19456,t=11,p=1{tail}"),
            format!("$argon2id$v=19$m=19456,t=2,p=5{tail}"),
            format!("$argon2i$v=19$m=19456,t=2,p=1{tail}"),
            format!("$argon2id$v=16$m=19456,t=2,p=1{tail}"),
            format!("$argon2id$m=19456,t=2,p=1{tail}"),
            "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
            "$argon2id$v=19$m=19456,t=2,p=1$JdAXGzHCixT9VSvB3FDcRw".to_owned(),
            String::new(),
        ] {
            assert_eq!(
                argon2id_matches(&mut Memory::default(), b"x", &phc),
                Err(HashError::Unusable),
                "{phc}"
            );
        }
    }
}
