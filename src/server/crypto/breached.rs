//! Passwords that whoever guesses tries first (NIST SP 800-63B §5.1.1.2; OWASP ASVS 5.0, 6.2.11 and 6.2.12): at
//! any account, and at this very one.
//!
//! The list holds the ten thousand most common ones that are long enough to be taken at all, of the "10
//! million passwords" in SecLists (MIT), in lower case and sorted.

use std::sync::LazyLock;

use zeroize::Zeroizing;

static LISTED: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("breached_passwords.txt").lines().collect());

/// What this service and its parts are called (OWASP ASVS 5.0, 6.1.2).
const CONTEXT: [&str; 4] = ["myproof", "registry", "operator", "apikey"];
/// With fewer letters and digits beside such names, a password is made of them.
const BESIDE_NAMES: usize = 8;

/// Whether a password is one of them, in whatever case.
#[must_use]
pub fn is_listed(password: &str) -> bool {
    let password = Zeroizing::new(password.to_lowercase());
    LISTED.binary_search(&password.as_str()).is_ok()
}

/// Whether a password is little more than what this service, or its operator by their address, is called.
#[must_use]
pub fn names_its_place(password: &str, email: &str) -> bool {
    let email = email.to_lowercase();
    let names = email
        .split(|c: char| !c.is_alphanumeric())
        .filter(|name| name.len() >= 3);
    let mut rest = Zeroizing::new(password.to_lowercase());
    let whole = rest.len();
    for name in CONTEXT.into_iter().chain(names) {
        rest = Zeroizing::new(rest.replace(name, ""));
    }
    rest.len() < whole && rest.chars().filter(|c| c.is_alphanumeric()).count() < BESIDE_NAMES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::operator::new_password;

    #[test]
    fn the_list_is_sorted_and_of_what_length_alone_would_let_through() {
        assert_eq!(LISTED.len(), 10_000);
        assert!(LISTED.is_sorted());
        assert!(LISTED.iter().all(|password| new_password(password).is_ok()));
    }

    #[test]
    fn case_is_no_way_around_it() {
        for password in ["qwertyqwerty", "QwertyQwerty", "1qaz2wsx3edc"] {
            assert!(is_listed(password), "{password}");
        }
        assert!(!is_listed("a phrase that nobody else has"));
    }

    #[test]
    fn names_alone_make_no_password() {
        let email = "Jo.Miller@acme-bank.example";
        for password in [
            "MyProofRegistry1!",
            "registry-2026-11",
            "jo.miller@acme-bank.example",
            "Miller.1984.acme",
            "MILLERmiller!!",
        ] {
            assert!(names_its_place(password, email), "{password}");
        }
        for password in [
            "a registry of quiet badgers",
            "millers mill more flour",
            "1209 348",
            "jo and the others",
        ] {
            assert!(!names_its_place(password, email), "{password}");
        }
    }
}
