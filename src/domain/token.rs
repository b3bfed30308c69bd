//! What a partner sends: `<keyId>.<secret>`, and how it is told from junk without any look-up.
//!
//! The secret is hexadecimal text followed by eight lowercase hex digits, the CRC-32 of the ASCII
//! text `<keyId>.<hex>`. The checksum lets a secret scanner recognise a leaked token offline and
//! lets the server refuse junk before it touches the database.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Number of hex digits of the checksum at the end of every secret.
pub const CHECKSUM_DIGITS: usize = 8;
/// Fewest and most hex digits of a secret, without its checksum (16 to 64 random bytes).
pub const HEX_DIGITS: std::ops::RangeInclusive<usize> = 32..=128;
/// Hex digits of a secret of the registry's earlier Node pack, which had no checksum.
const LEGACY_DIGITS: usize = 64;
/// Longest id that is taken, in characters: imported ids may be longer than the ones issued here.
pub const MAX_ID_LENGTH: usize = 64;

/// A key's public identifier: 1 to 64 characters of `[A-Za-z0-9_-]`, such as `mpk_0f1e2d3c4b5a`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,64}$", example = "mpk_0f1e2d3c4b5a")]
pub struct KeyId(Box<str>);

impl KeyId {
    /// Reads an id; `None` where it has a forbidden character or length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_key_id(text).then(|| Self(text.into()))
    }

    /// The id of a new key: a prefix and twelve lowercase hex digits of `random`.
    #[must_use]
    pub fn from_random(prefix: &str, random: [u8; 6]) -> Self {
        let mut id = String::with_capacity(prefix.len() + 12);
        id.push_str(prefix);
        push_hex(&mut id, &random);
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
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

/// Whether an id may hold this byte.
#[must_use]
pub fn is_id_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A token as it was presented: its form is right, nothing has been looked up yet.
///
/// Borrows the request's text, so that nothing copies the secret; `Debug` shows the id only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PresentedToken<'a> {
    key_id: &'a str,
    secret: &'a str,
    checksum_holds: bool,
}

impl<'a> PresentedToken<'a> {
    /// Reads a token; `None` where its form is wrong (`bad_format`).
    ///
    /// A wrong checksum is let through for a secret of exactly 64 hex digits alone: it may belong
    /// to a legacy key, which only its row can tell.
    #[must_use]
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

    /// The id that the token names.
    #[must_use]
    pub fn key_id(&self) -> &'a str {
        self.key_id
    }

    /// The hex text that was hashed when the key was made.
    ///
    /// # Errors
    /// [`SecretForm::BadFormat`] where the row is not a legacy one and the checksum is wrong;
    /// [`SecretForm::Mismatch`] where the row is a legacy one and the secret can't be its own.
    pub fn secret_hex(&self, legacy_row: bool) -> Result<&'a str, SecretForm> {
        match (legacy_row, self.checksum_holds) {
            (true, _) if self.secret.len() == LEGACY_DIGITS => Ok(self.secret),
            (true, _) => Err(SecretForm::Mismatch),
            (false, true) => Ok(&self.secret[..self.secret.len() - CHECKSUM_DIGITS]),
            (false, false) => Err(SecretForm::BadFormat),
        }
    }

    /// Whether the checksum is right; without it only a legacy row can make the token good.
    #[must_use]
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

/// Why a well-formed token can't belong to the row it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretForm {
    /// The checksum is wrong.
    BadFormat,
    /// The row is a legacy one, whose secrets have another length.
    Mismatch,
}

/// The whole token of a new key: `<keyId>.<hex><checksum>`, with room reserved so that the text is
/// never moved and left behind in freed memory.
#[must_use]
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

/// CRC-32 (IEEE 802.3, reflected, the one of zip and PNG; RFC 1952 §8) of the bytes so far.
#[derive(Clone, Copy)]
pub struct Crc(u32);

impl Default for Crc {
    fn default() -> Self {
        Self(!0)
    }
}

impl Crc {
    /// Takes one byte more.
    pub fn update(&mut self, byte: u8) {
        self.0 = CRC_TABLE[usize::from(self.0 as u8 ^ byte)] ^ (self.0 >> 8);
    }

    /// The checksum as a token has it: eight lowercase hex digits.
    #[must_use]
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
