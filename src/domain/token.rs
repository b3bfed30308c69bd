//! Tokens, `<keyId>.<secret>`, and how junk is refused without any lookup.
//!
//! The secret is hexadecimal text followed by eight lowercase hex digits, the CRC-32 of the ASCII
//! text `<keyId>.<hex>`. The checksum lets a secret scanner recognise a leaked token offline and
//! lets the server refuse junk before it touches the database.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Number of hex digits of the checksum at the end of every secret.
pub const CHECKSUM_DIGITS: usize = 8;
/// Hex digits of a secret without its checksum (16 to 64 random bytes).
pub const HEX_DIGITS: std::ops::RangeInclusive<usize> = 32..=128;
/// Hex digits of a secret of the Node version, which had no checksum.
const LEGACY_DIGITS: usize = 64;
/// Maximum characters of an id; imported ids may be longer than those issued here.
pub const MAX_ID_LENGTH: usize = 64;

/// A key's public identifier: 1 to 64 characters of `[A-Za-z0-9_-]`, such as `mpk_0f1e2d3c4b5a`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,64}$", example = "mpk_0f1e2d3c4b5a")]
pub struct KeyId(Box<str>);

impl KeyId {
    pub fn parse(text: &str) -> Option<Self> {
        is_key_id(text).then(|| Self(text.into()))
    }

    /// Makes the id of a new key: a prefix and twelve lowercase hex digits of `random`.
    pub fn from_random(prefix: &str, random: [u8; 6]) -> Self {
        let mut id = String::with_capacity(prefix.len() + 12);
        id.push_str(prefix);
        push_hex(&mut id, &random);
        Self(id.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_key_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(is_id_byte)
}

/// True if an id may contain this byte.
pub fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A well-formed token of a request, not looked up yet.
///
/// Borrows the request's text, so that the secret is not copied; `Debug` shows only the id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken<'a> {
    key_id: &'a str,
    secret: &'a str,
    checksum_holds: bool,
}

impl<'a> PresentedToken<'a> {
    /// Parses a token; `None` if its form is wrong (`bad_format`).
    ///
    /// A wrong checksum is accepted only for a secret of exactly 64 hex digits: it may belong to a
    /// legacy key, which only its row can tell.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (key_id, secret) = text.split_once('.')?;
        if !is_key_id(key_id) || !secret.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let hex_digits = secret.len().checked_sub(CHECKSUM_DIGITS)?;
        let checksum_holds = HEX_DIGITS.contains(&hex_digits) && {
            let (signed, stated) = text.split_at(key_id.len() + 1 + hex_digits);
            stated == checksum_text(signed.as_bytes())
        };
        (checksum_holds || secret.len() == LEGACY_DIGITS).then_some(Self {
            key_id,
            secret,
            checksum_holds,
        })
    }

    pub fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// Returns the hex text that was hashed when the key was created.
    pub fn secret_hex(&self, legacy_row: bool) -> Result<&'a str, SecretForm> {
        match (legacy_row, self.checksum_holds) {
            (true, _) if self.secret.len() == LEGACY_DIGITS => Ok(self.secret),
            (true, _) => Err(SecretForm::Mismatch),
            (false, true) => Ok(&self.secret[..self.secret.len() - CHECKSUM_DIGITS]),
            (false, false) => Err(SecretForm::BadFormat),
        }
    }

    /// True if the checksum matches; otherwise only a legacy row can match the token.
    pub fn checksum_holds(&self) -> bool {
        self.checksum_holds
    }
}

impl fmt::Debug for PresentedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresentedToken")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// The reason why a well-formed token can't belong to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// The checksum is wrong.
    BadFormat,
    /// The row is a legacy key, whose secrets have another length.
    Mismatch,
}

/// Composes the token of a new key, `<keyId>.<hex><checksum>`. The capacity is reserved up front:
/// reallocation would leave a copy of the secret in freed memory.
pub fn compose(key_id: &KeyId, secret: &[u8]) -> String {
    let mut token = String::with_capacity(key_id.0.len() + 1 + 2 * secret.len() + CHECKSUM_DIGITS);
    token.push_str(&key_id.0);
    token.push('.');
    push_hex(&mut token, secret);
    let checksum = checksum_text(token.as_bytes());
    token.push_str(&checksum);
    token
}

fn push_hex(out: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
}

fn checksum_text(bytes: &[u8]) -> String {
    let mut crc = Crc::default();
    bytes.iter().for_each(|byte| crc.update(*byte));
    crc.text()
}

/// CRC-32 (IEEE 802.3, reflected, as in zip and PNG; RFC 1952 §8).
#[derive(Clone, Copy)]
pub struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Self(!0)
    }
}

impl Crc {
    pub fn update(&mut self, byte: u8) {
        self.0 = CRC_TABLE[usize::from(self.0 as u8 ^ byte)] ^ (self.0 >> 8);
    }

    /// Returns eight lowercase hex digits.
    pub fn text(self) -> String {
        format!("{:08x}", !self.0)
    }
}

const CRC_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 {
                0xedb8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    const LEGACY: &str =
        "mpk_0f1e2d3c4b5a.7d0e1f2a3b4c5d6e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9012a3b4c5d6e7";

    fn token_of(bytes: usize) -> String {
        compose(
            &KeyId::parse("mpk_0f1e2d3c4b5a").unwrap(),
            &vec![0xab; bytes],
        )
    }

    #[test]
    fn checksum_is_the_crc_of_zip() {
        assert_eq!(checksum_text(b"123456789"), "cbf43926");
        assert_eq!(checksum_text(b""), "00000000");
    }

    #[test]
    fn a_composed_token_parses_back() {
        for bytes in [16, 28, 32, 64] {
            let token = token_of(bytes);
            let parsed = PresentedToken::parse(&token).unwrap();
            assert_eq!(parsed.key_id(), "mpk_0f1e2d3c4b5a");
            assert_eq!(parsed.secret_hex(false).unwrap(), "ab".repeat(bytes));
        }
    }

    #[test]
    fn id_of_a_new_key_is_prefix_and_twelve_digits() {
        let id = KeyId::from_random("mpk_", [0, 1, 0xfe, 0xff, 0x10, 0x0f]);
        assert_eq!(id.as_str(), "mpk_0001feff100f");
    }

    #[test]
    fn forms_that_are_refused() {
        let good = token_of(32);
        let mut bad: Vec<String> = vec![
            String::new(),
            ".".into(),
            "mpk_0f1e2d3c4b5a".into(),
            "mpk_0f1e2d3c4b5a.".into(),
            format!("{good}.junk"),
            format!("{good}0"),
            format!(" {good}"),
            format!("{good} "),
            good.replace('.', ""),
            good.to_uppercase(),
            good.replacen("mpk_", "mpk/", 1),
            good.replacen("mpk_", "mpk_é", 1),
            token_of(15),
            token_of(65),
            format!("{}{good}", "x".repeat(60)),
        ];
        let mut flipped = good.clone().into_bytes();
        let last = flipped.last_mut().unwrap();
        *last = if *last == b'0' { b'1' } else { b'0' };
        bad.push(String::from_utf8(flipped).unwrap());
        for text in bad {
            assert_eq!(PresentedToken::parse(&text), None, "{text:?}");
        }
    }

    #[test]
    fn sixty_four_digits_wait_for_their_row() {
        let parsed = PresentedToken::parse(LEGACY).unwrap();
        assert!(!parsed.checksum_holds());
        assert_eq!(parsed.secret_hex(true).unwrap().len(), 64);
        assert_eq!(parsed.secret_hex(false), Err(SecretForm::BadFormat));
        // 28 random bytes and a checksum make 64 digits too: the row decides how they are read.
        let ours = token_of(28);
        let ours = PresentedToken::parse(&ours).unwrap();
        assert_eq!(ours.secret_hex(false).unwrap().len(), 56);
        assert_eq!(ours.secret_hex(true).unwrap().len(), 64);
        let longer = token_of(32);
        assert_eq!(
            PresentedToken::parse(&longer).unwrap().secret_hex(true),
            Err(SecretForm::Mismatch)
        );
    }

    #[test]
    fn debug_does_not_show_the_secret() {
        let shown = format!("{:?}", PresentedToken::parse(LEGACY).unwrap());
        assert!(shown.contains("mpk_0f1e2d3c4b5a") && !shown.contains("7d0e1f2a"));
    }
}
