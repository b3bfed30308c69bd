//! The second factor of operators: an authenticator app (TOTP, RFC 6238) and recovery codes for its
//! loss.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// Time after a second factor during which no further code is required.
pub const RECENT_AUTH_WINDOW: TimeDelta = TimeDelta::minutes(5);
/// Number of recovery codes in a new set.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code, five random bits each.
pub const RECOVERY_CODE_LENGTH: usize = 16;

/// The state of an operator's MFA.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MfaStatus {
    /// The time of enrolment; `None` without a second factor.
    pub since: Option<DateTime<Utc>>,
    pub recovery_codes_left: i64,
}

/// The secret for an authenticator app, shown only once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Enrolment {
    /// In base32.
    pub secret: Secret,
    /// An `otpauth:` URI.
    pub uri: Secret,
    /// The URI as a QR code.
    pub qr: QrCode,
}

/// A QR code (ISO/IEC 18004) made of unit squares.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    /// Width and height in squares, including the quiet zone.
    pub size: i32,
    /// The dark squares as an SVG path; as secret as its content.
    pub path: Secret,
}

/// A typed code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypedCode {
    /// Six digits of an authenticator app.
    Timed(u32),
    /// A recovery code in lower case, without separators.
    Recovery(String),
}

/// Parses a typed code with any spaces and hyphens.
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

/// Formats a recovery code as `abcd-efgh-ijkl-mnop`.
pub fn format_recovery_code(code: &str) -> Secret {
    // The capacity is reserved up front: reallocation would leave a copy of the code in memory.
    let mut text = String::with_capacity(code.len() * 2);
    for (place, letter) in code.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text.into()
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
        for text in [code, "ABCD-efgh-2345-67yz", &format_recovery_code(code)] {
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
