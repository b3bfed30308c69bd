//! Numbers for the eye.

use leptos::prelude::*;

use crate::console::shell::browser;
use crate::console::shell::hydration::Hydrated;

/// A whole number as the reader's language writes it: "1,234", "1.234". Called in a reactive place, it is
/// written anew once the browser has taken over, since the server knows no reader's language.
#[must_use]
pub fn number(number: i64) -> String {
    let here = expect_context::<Hydrated>()
        .done()
        .then(|| browser::local_number(number))
        .flatten();
    here.unwrap_or_else(|| grouped(number))
}

/// A whole number with its thousands apart: "1,234".
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
    fn thousands_stand_apart() {
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
