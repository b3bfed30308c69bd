//! Offline recognition of tokens in any bytes, by form and checksum.
//!
//! Tokens of the earlier Node version have no checksum, which makes them indistinguishable from
//! other hexadecimal text: they are not found.

use std::ops::Range;

use super::token::{CHECKSUM_DIGITS, Crc, HEX_DIGITS, MAX_ID_LENGTH, is_id_byte};

/// Maximum bytes of a token before its dot.
pub const MAX_BEFORE: usize = MAX_ID_LENGTH;
/// Maximum bytes of a token after its dot.
pub const MAX_AFTER: usize = *HEX_DIGITS.end() + CHECKSUM_DIGITS;

/// Returns the range of the token whose dot is at `dot`, if any. Adjacent characters do no harm:
/// all starts and lengths are tried, and the checksum decides.
pub fn token_at(text: &[u8], dot: usize) -> Option<Range<usize>> {
    let digits = text.get(dot + 1..)?;
    let digits = digits.iter().take(MAX_AFTER);
    let digits = digits.take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits < HEX_DIGITS.start() + CHECKSUM_DIGITS {
        return None;
    }
    let before = text[..dot].iter().rev().take(MAX_BEFORE);
    let before = before.take_while(|byte| is_id_byte(**byte)).count();
    (dot - before..dot).find_map(|start| {
        let end = end_of_secret(&text[start..dot + 1 + digits], dot + 1 - start)?;
        Some(start..start + end)
    })
}

/// Returns the end of the token at the start of `text`, which holds only hex digits from `secret`
/// on.
fn end_of_secret(text: &[u8], secret: usize) -> Option<usize> {
    let (signed, digits) = text.split_at(secret);
    let mut crc = Crc::default();
    signed.iter().for_each(|byte| crc.update(*byte));
    for (place, digit) in digits.iter().enumerate() {
        if place >= *HEX_DIGITS.start() {
            let stated = digits.get(place..place + CHECKSUM_DIGITS)?;
            if stated == crc.text().as_bytes() {
                return Some(secret + place + CHECKSUM_DIGITS);
            }
        }
        crc.update(*digit);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::{KeyId, compose};

    fn token(bytes: usize) -> String {
        compose(
            &KeyId::parse("mpk_0f1e2d3c4b5a").unwrap(),
            &(0..bytes as u8).collect::<Vec<_>>(),
        )
    }

    fn found(text: &str) -> Vec<&str> {
        let bytes = text.as_bytes();
        let dots = (0..bytes.len()).filter(|place| bytes[*place] == b'.');
        dots.filter_map(|dot| token_at(bytes, dot))
            .map(|range| &text[range])
            .collect()
    }

    #[test]
    fn tokens_of_every_length_are_found_wherever_they_stand() {
        for bytes in [16, 28, 32, 64] {
            let token = token(bytes);
            for text in [
                token.clone(),
                format!("KEY={token}\n"),
                format!("\"{token}\""),
                format!("curl -H 'X-API-Key: {token}' https://a.b/c.d"),
                format!("https://a.example/?k={token}&x=1"),
                format!("token-{token}"),
                format!("x.y.{token}.z"),
                format!("{token}0"),
                format!("{token}deadbeef"),
                format!("{token}_suffix"),
                format!("é{token}漢"),
            ] {
                assert_eq!(found(&text), [token.as_str()], "{text}");
            }
            let two = format!("{token},{token}");
            assert_eq!(found(&two).len(), 2);
        }
    }

    #[test]
    fn what_is_no_token_is_not_found() {
        let token = token(32);
        let mut flipped = token.clone().into_bytes();
        flipped[20] = if flipped[20] == b'0' { b'1' } else { b'0' };
        for text in [
            String::from_utf8(flipped).unwrap(),
            token.replace('.', ""),
            token.replace('.', ". "),
            token[..token.len() - 1].to_owned(),
            token.to_uppercase(),
            format!(".{}", &token[17..]),
            format!("a.{}", "0".repeat(200)),
            ".".to_owned(),
            "x.".to_owned(),
        ] {
            assert_eq!(found(&text), Vec::<&str>::new(), "{text}");
        }
    }
}
