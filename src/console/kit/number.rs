//! Formatted numbers.

use leptos::prelude::*;

use crate::console::shell::browser;
use crate::console::shell::hydration::Hydrated;

/// Formats an integer in the reader's language: "1,234", "1.234". In a reactive scope it is formatted
/// again after hydration, since the server does not know the language.
pub fn number(number: i64) -> String {
    let here = expect_context::<Hydrated>()
        .done()
        .then(|| browser::locale::local_number(number))
        .flatten();
    here.unwrap_or_else(|| grouped(number))
}

/// Formats an integer with grouped thousands: "1,234".
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_grouped() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ] {
            assert_eq!(super::grouped(n), text);
        }
    }
}
