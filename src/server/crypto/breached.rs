//! Denylist of common passwords, and of passwords derived from the account or this service (NIST SP 800-63B
//! §5.1.1.2; OWASP ASVS 5.0, 6.2.11 and 6.2.12).
//!
//! The list holds the ten thousand most common passwords of the minimum length, from the "10 million
//! passwords" of SecLists (MIT), in lower case and sorted.

use std::sync::LazyLock;

use zeroize::Zeroizing;

static LISTED: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("breached_passwords.txt").lines().collect());

/// Names of this service and its parts (OWASP ASVS 5.0, 6.1.2).
const CONTEXT: [&str; 4] = ["myproof", "registry", "operator", "apikey"];
/// Minimum of letters and digits besides such names.
const MIN_OTHER_CHARS: usize = 8;

/// True if the password is on the denylist, in any case.
pub fn is_listed(password: &str) -> bool {
    let password = Zeroizing::new(password.to_lowercase());
    LISTED.binary_search(&password.as_str()).is_ok()
}

/// True if the password is little more than the names of this service or the parts of the e-mail address.
pub fn mentions_service(password: &str, email: &str) -> bool {
    let email = email.to_lowercase();
    let names = email
        .split(|c: char| !c.is_alphanumeric())
        .filter(|name| name.len() >= 3);
    let mut rest = Zeroizing::new(password.to_lowercase());
    let whole = rest.len();
    for name in CONTEXT.into_iter().chain(names) {
        rest = Zeroizing::new(rest.replace(name, ""));
    }
    rest.len() < whole && rest.chars().filter(|c| c.is_alphanumeric()).count() < MIN_OTHER_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operator::new_password;

    #[test]
    fn the_list_is_sorted_and_holds_only_passwords_of_the_minimum_length() {
        assert_eq!(LISTED.len(), 10_000);
        assert!(LISTED.is_sorted());
        assert!(LISTED.iter().all(|password| new_password(password).is_ok()));
    }

    #[test]
    fn the_denylist_ignores_case() {
        for password in ["qwertyqwerty", "QwertyQwerty", "1qaz2wsx3edc"] {
            assert!(is_listed(password), "{password}");
        }
        assert!(!is_listed("a phrase that nobody else has"));
    }

    #[test]
    fn a_password_of_names_alone_is_refused() {
        let email = "Jo.Miller@acme-bank.example";
        for password in [
            "MyProofRegistry1!",
            "registry-2026-11",
            "jo.miller@acme-bank.example",
            "Miller.1984.acme",
            "MILLERmiller!!",
        ] {
            assert!(mentions_service(password, email), "{password}");
        }
        for password in [
            "a registry of quiet badgers",
            "millers mill more flour",
            "1209 348",
            "jo and the others",
        ] {
            assert!(!mentions_service(password, email), "{password}");
        }
    }
}
