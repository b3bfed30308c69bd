//! `APIKEY_PEPPER` and `APIKEY_PEPPER_RETIRED`.

use zeroize::Zeroizing;

use super::{AppEnv, ConfigError, Source, fault};
use crate::server::crypto::pepper::MIN_PEPPER_BYTES;

/// The configured peppers.
#[derive(Debug)]
pub struct PepperConfig {
    /// Pepper of new keys.
    pub current: Zeroizing<String>,
    /// Further peppers that are accepted.
    pub retired: Vec<Zeroizing<String>>,
    /// Weaknesses to be logged.
    pub warnings: Vec<String>,
}

/// Reads the peppers. In production, a short or sample value is an error.
pub fn peppers(source: &Source) -> Result<PepperConfig, ConfigError> {
    const VARIABLE: &str = "APIKEY_PEPPER";
    let Some(current) = source.get(VARIABLE).map(Zeroizing::new) else {
        return fault(
            VARIABLE,
            "is missing: set it to a random value, such as `openssl rand -hex 32` prints (`make run` keeps one in .data/pepper for development)",
        );
    };
    let weakness = if is_sample(&current) {
        Some(
            "is a sample value: set it to a random one, such as `openssl rand -hex 32` prints"
                .to_owned(),
        )
    } else if current.len() < MIN_PEPPER_BYTES {
        Some(format!(
            "is too short ({} bytes): it must have at least {MIN_PEPPER_BYTES}",
            current.len()
        ))
    } else {
        None
    };
    let mut warnings = Vec::new();
    if let Some(weakness) = weakness {
        if AppEnv::read(source)? == AppEnv::Production {
            return fault(VARIABLE, weakness);
        }
        warnings.push(format!("{VARIABLE} {weakness}"));
    }
    let listed = Zeroizing::new(source.get("APIKEY_PEPPER_RETIRED").unwrap_or_default());
    let retired: Vec<Zeroizing<String>> = listed
        .split(',')
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(|value| Zeroizing::new(value.to_owned()))
        .collect();
    let short = retired
        .iter()
        .filter(|value| value.len() < MIN_PEPPER_BYTES)
        .count();
    if short > 0 {
        warnings.push(format!(
            "APIKEY_PEPPER_RETIRED holds {short} value(s) shorter than {MIN_PEPPER_BYTES} bytes"
        ));
    }
    Ok(PepperConfig {
        current,
        retired,
        warnings,
    })
}

/// True for values copied from documentation rather than generated: they contain a word of samples, or
/// very few different characters.
fn is_sample(pepper: &str) -> bool {
    const WORDS: [&str; 7] = [
        "change-this",
        "changeme",
        "change-me",
        "replace-me",
        "replace-with",
        "example",
        "sample",
    ];
    let lower = pepper.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let looks_long = pepper.len() >= MIN_PEPPER_BYTES;
    WORDS.iter().any(|word| lower.contains(word)) || (looks_long && distinct.len() < 6)
}

#[cfg(test)]
mod tests {
    use super::super::test_source as source;
    use super::*;

    const PEPPER: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn production_wants_a_pepper_of_substance_and_says_what_is_wrong() {
        for (pairs, said) in [
            (&[][..], "is missing"),
            (&[("APIKEY_PEPPER", "")], "is missing"),
            (
                &[("APIKEY_PEPPER", "0123456789abcdef0123456789abcde")],
                "too short (31 bytes)",
            ),
            (&[("APIKEY_PEPPER", "change-this-pepper-now")], "sample"),
            (
                &[(
                    "APIKEY_PEPPER",
                    "replace-me-with-64-hex-digits-of-openssl-rand-hex-32",
                )],
                "sample",
            ),
            (
                &[("APIKEY_PEPPER", "00000000000000000000000000000000")],
                "sample",
            ),
        ] {
            let error = peppers(&source(pairs)).unwrap_err().to_string();
            assert!(
                error.starts_with("APIKEY_PEPPER ") && error.contains(said),
                "{error}"
            );
        }
        assert!(
            peppers(&source(&[("APIKEY_PEPPER", PEPPER)]))
                .unwrap()
                .warnings
                .is_empty()
        );
        let weak = source(&[
            ("APP_ENV", "development"),
            ("APIKEY_PEPPER", "change-this-pepper-now"),
        ]);
        assert_eq!(peppers(&weak).unwrap().warnings.len(), 1);
    }

    #[test]
    fn a_short_retired_pepper_only_warns() {
        let config = peppers(&source(&[
            ("APIKEY_PEPPER", PEPPER),
            ("APIKEY_PEPPER_RETIRED", "short, , other"),
        ]))
        .unwrap();
        assert_eq!(config.retired.len(), 2);
        assert_eq!(config.warnings.len(), 1);
        assert!(!config.warnings[0].contains("other"));
    }
}
