//! The second factor of operators: codes by time (RFC 6238) from an app, and recovery codes for the day
//! the app is lost.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// How long a factor that was shown counts as fresh: what asks for a fresh one asks no more until then.
pub const RECENT_AUTH_WINDOW: TimeDelta = TimeDelta::minutes(5);
/// How many recovery codes there are at first.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code, of five random bits each.
pub const RECOVERY_CODE_LENGTH: usize = 16;

/// What an operator has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MfaStatus {
    /// Since when there is a factor; `None` where there is none.
    pub since: Option<DateTime<Utc>>,
    /// How many recovery codes are left.
    pub recovery_codes_left: i64,
}

/// What an app needs to show codes. Told once, and never again.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// The secret, in base32.
    pub secret: Secret,
    /// The same as an address that apps open (`otpauth:`).
    pub uri: Secret,
    /// The address as a QR code.
    pub qr: QrCode,
}

/// A QR code (ISO/IEC 18004), as a picture of unit squares.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    /// Its width and height with the quiet zone around it, in squares.
    pub size: i32,
    /// The dark squares, as the path of an SVG: as secret as what the code says.
    pub path: Secret,
}

/// What somebody typed in the place of a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypedCode {
    /// Six digits.
    Timed(u32),
    /// A recovery code, without what parts it and in lower case.
    Recovery(String),
}

/// Reads what was typed; apps and people part codes as they like.
///
/// # Errors
/// What is wrong, to follow the field's name.
pub fn typed_code(text: &str) -> Result<TypedCode, String> {
    let plain: String = text
        .chars()
        .filter(|character| !character.is_whitespace() && *character != '-')
        .collect::<String>()
        .to_lowercase();
    let is_timed = plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit());
    let is_recovery = plain.len() == RECOVERY_CODE_LENGTH
        && plain
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    match plain.parse() {
        Ok(code) if is_timed => Ok(TypedCode::Timed(code)),
        _ if is_recovery => Ok(TypedCode::Recovery(plain)),
        _ => Err("must be the six digits that your app shows, or a recovery code".to_owned()),
    }
}

/// A recovery code, as it is read: `abcd-efgh-ijkl-mnop`.
#[must_use]
pub fn told(code: &str) -> Secret {
    // Long enough from the start: what outgrows its place leaves a copy there.
    let mut told = String::with_capacity(code.len() * 2);
    for (place, letter) in code.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            told.push('-');
        }
        told.push(letter);
    }
    told.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_type_them() {
        for text in ["012345", " 012 345 ", "012-345"] {
            assert_eq!(typed_code(text), Ok(TypedCode::Timed(12_345)), "{text}");
        }
        let code = "abcdefgh234567yz";
        for text in [code, "ABCD-efgh-2345-67yz", &told(code)] {
            assert_eq!(typed_code(text), Ok(TypedCode::Recovery(code.into())));
        }
        for text in [
            "",
            "12345",
            "1234567",
            "+12345",
            "１２３４５６",
            "abcdefgh0189wxyz",
            "abcdefgh",
        ] {
            assert!(typed_code(text).is_err(), "{text}");
        }
    }
}
