//! Passwords that everybody who guesses tries first (NIST SP 800-63B §5.1.1.2; OWASP ASVS 5.0, 6.2.12).
//!
//! The list holds the ten thousand most common ones that are long enough to be taken at all, of the "10
//! million passwords" in SecLists (MIT), in lower case and sorted.

use std::sync::LazyLock;

use zeroize::Zeroizing;

static LISTED: LazyLock<Vec<&str>> =
    LazyLock::new(|| include_str!("breached_passwords.txt").lines().collect());

/// Whether a password is one of them, in whatever case.
#[must_use]
pub fn is_listed(password: &str) -> bool {
    let password = Zeroizing::new(password.to_lowercase());
    LISTED.binary_search(&password.as_str()).is_ok()
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
}
