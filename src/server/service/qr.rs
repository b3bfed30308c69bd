//! QR codes, drawn as paths of an SVG.

use qrcodegen::{QrCode as Squares, QrCodeEcc};

use crate::domain::error::{AppError, AppResult};
use crate::domain::mfa::QrCode;

/// Light squares around a code (ISO/IEC 18004 §6.3.8 asks for four).
const QUIET: i32 = 4;

/// Draws a text.
///
/// # Errors
/// [`AppError::Internal`] for a text that no code holds.
pub fn draw(text: &str) -> AppResult<QrCode> {
    let squares = Squares::encode_text(text, QrCodeEcc::Medium).map_err(|_| AppError::Internal)?;
    // Enough for every other square, so that no copy is left behind by growing.
    let side = usize::try_from(squares.size()).unwrap_or_default();
    let mut path = String::with_capacity(side * side * 8);
    for y in 0..squares.size() {
        let mut x = 0;
        while x < squares.size() {
            let begin = x;
            // Outside of the code everything is light.
            while squares.get_module(x, y) {
                x += 1;
            }
            if x > begin {
                path.push_str(&format!(
                    "M{} {}h{}v1H{0}z",
                    begin + QUIET,
                    y + QUIET,
                    x - begin
                ));
            }
            x += 1;
        }
    }
    Ok(QrCode {
        size: squares.size() + 2 * QUIET,
        path: path.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dark_squares_are_those_of_the_code() {
        let text = "otpauth://totp/a:b?secret=GEZDGNBVGY3TQOJQ";
        let code = draw(text).unwrap();
        let squares = Squares::encode_text(text, QrCodeEcc::Medium).unwrap();
        assert_eq!(code.size, squares.size() + 8);
        let mut drawn = std::collections::BTreeSet::new();
        for run in code.path.split('M').skip(1) {
            let numbers: Vec<i32> = run
                .split(|character: char| !character.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            drawn.extend((0..numbers[2]).map(|n| (numbers[0] + n - QUIET, numbers[1] - QUIET)));
        }
        let dark = (0..squares.size())
            .flat_map(|y| (0..squares.size()).map(move |x| (x, y)))
            .filter(|(x, y)| squares.get_module(*x, *y))
            .collect();
        assert_eq!(drawn, dark);
    }
}
