//! `APIKEY_ID_PREFIX`, `APIKEY_SECRET_BYTES` and `APIKEY_HASH_THREADS`.

use super::{ConfigError, Source, fault, number};
use crate::server::service::IssuingPolicy;

/// Reads `APIKEY_ID_PREFIX` and `APIKEY_SECRET_BYTES`.
pub fn issuing(source: &Source) -> Result<IssuingPolicy, ConfigError> {
    let mut policy = IssuingPolicy::default();
    if let Some(prefix) = source.get("APIKEY_ID_PREFIX") {
        let word = prefix.strip_suffix('_').unwrap_or_default();
        let is_valid = (2..=15).contains(&word.len())
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !is_valid {
            return fault(
                "APIKEY_ID_PREFIX",
                "must be 2 to 15 lowercase letters or digits and an underscore",
            );
        }
        policy.id_prefix = prefix;
    }
    if let Some(bytes) = source.get("APIKEY_SECRET_BYTES") {
        match bytes.parse() {
            Ok(bytes @ 16..=64) => policy.secret_bytes = bytes,
            _ => {
                return fault(
                    "APIKEY_SECRET_BYTES",
                    "must be a whole number from 16 to 64",
                );
            }
        }
    }
    Ok(policy)
}

/// Reads `APIKEY_HASH_THREADS`: threads that run Argon2id for keys; by default one per core.
pub fn hashing(source: &Source) -> Result<usize, ConfigError> {
    let threads = number(source, "APIKEY_HASH_THREADS", 1..=64)?;
    Ok(threads.map_or_else(cores, |threads| usize::try_from(threads).unwrap_or(1)))
}

/// Number of cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[cfg(test)]
mod tests {
    use super::super::test_source as source;
    use super::*;

    #[test]
    fn forms_of_what_is_issued() {
        assert_eq!(issuing(&source(&[])).unwrap(), IssuingPolicy::default());
        for prefix in ["mpk", "m_", "MPK_", "mpk__", "mp-k_", "abcdefghijklmnop_"] {
            assert!(
                issuing(&source(&[("APIKEY_ID_PREFIX", prefix)])).is_err(),
                "{prefix}"
            );
        }
        for (bytes, fine) in [
            ("15", false),
            ("16", true),
            ("64", true),
            ("65", false),
            ("x", false),
        ] {
            assert_eq!(
                issuing(&source(&[("APIKEY_SECRET_BYTES", bytes)])).is_ok(),
                fine,
                "{bytes}"
            );
        }
    }
}
