//! Secrets that are shown once.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// A token, code or signing secret on its way to its recipient.
///
/// It serialises as text, but `Debug` hides it and there is no `Display`, since types that hold one
/// pass through code that logs. The server wipes it from memory on drop (OWASP ASVS 5.0, 11.7.2),
/// but not the bytes of the answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(feature = "ssr")]
impl Drop for Secret {
    fn drop(&mut self) {
        use zeroize::Zeroize;

        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_text_to_json_and_nothing_to_a_log() {
        let secret = Secret::from("canary".to_owned());
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"canary\"");
        assert_eq!(format!("{secret:?}"), "…");
        assert_eq!(&secret[..3], "can");
    }
}
