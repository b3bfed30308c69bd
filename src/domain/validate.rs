//! Checks of single values, and the collector that reports all errors of an input at once.

use std::str::FromStr;

use chrono::{DateTime, Datelike, Utc};
use strum::VariantArray;

use super::error::{AppError, AppResult, FieldError};

/// Collects the errors of an input, so that one answer reports all of them.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn add(&mut self, path: &str, message: impl Into<String>) {
        self.0.push(FieldError::new(path, message));
    }

    /// Returns a checked value, or records the error.
    pub fn check<T>(&mut self, path: &str, checked: Result<T, String>) -> Option<T> {
        checked.map_err(|message| self.add(path, message)).ok()
    }

    /// As [`FieldErrors::check`], for a value that may be absent.
    pub fn check_optional<V, T>(
        &mut self,
        path: &str,
        value: Option<V>,
        check: impl FnOnce(V) -> Result<T, String>,
    ) -> Option<T> {
        value.and_then(|value| self.check(path, check(value)))
    }

    /// Returns a value checked elsewhere, or records its errors.
    pub fn take<T>(&mut self, checked: AppResult<T>) -> Option<T> {
        match checked {
            Ok(value) => Some(value),
            Err(AppError::Invalid { fields }) => {
                self.0.extend(fields);
                None
            }
            Err(other) => {
                self.add("body", other.to_string());
                None
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value, or all recorded errors. A missing value without an error would be a
    /// mistake of the caller; it is reported as an error of the body.
    pub fn finish<T>(mut self, value: Option<T>) -> AppResult<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                if self.0.is_empty() {
                    self.add("body", "is incomplete");
                }
                Err(AppError::Invalid { fields: self.0 })
            }
        }
    }
}

/// Trims a line of text, and checks its length in characters and that it has no control or
/// bidirectional-control characters, which could make a name look like another (Unicode TR 36
/// §2.5).
pub fn line(text: &str, min: usize, max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.chars().any(is_forbidden) {
        return Err("must not contain control or text-direction characters".to_owned());
    }
    let length = text.chars().count();
    if length < min || length > max {
        return Err(match (min, length) {
            (1, 0) => format!("must not be empty ({max} characters at most)"),
            _ => format!("must have {min} to {max} characters, not {length}"),
        });
    }
    Ok(text.to_owned())
}

fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Checks an e-mail address: text, `@` and a domain (RFC 5321 sizes).
pub fn email(text: &str) -> Result<String, String> {
    let text = line(text, 3, 254)?;
    let invalid = || "must be an e-mail address such as ops@example.com".to_owned();
    let (local, domain) = text.split_once('@').ok_or_else(invalid)?;
    let labels_are_fine = domain.split('.').all(|label| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    let local_is_fine = !local.is_empty()
        && local.len() <= 64
        && !local
            .chars()
            .any(|c| c.is_whitespace() || "()<>[]:;,\\\"".contains(c));
    if labels_are_fine && local_is_fine {
        Ok(text)
    } else {
        Err(invalid())
    }
}

/// Parses a time of RFC 3339 with any offset; years 1 to 9999.
pub fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text.trim())
        .map_err(|_| "must be a time such as 2027-01-31T12:00:00Z (RFC 3339)".to_owned())?;
    let micros = DateTime::from_timestamp_micros(time.timestamp_micros());
    micros
        .filter(|time| (1..=9999).contains(&time.year()))
        .ok_or_else(|| "must lie within the years 1 to 9999".to_owned())
}

pub fn number(value: i64, min: i32, max: i32) -> Result<i32, String> {
    i32::try_from(value)
        .ok()
        .filter(|value| (min..=max).contains(value))
        .ok_or_else(|| format!("must be a whole number from {min} to {max}"))
}

/// Parses a name of a closed set.
pub fn one_of<T>(name: impl AsRef<str>) -> Result<T, String>
where
    T: Copy + FromStr + Into<&'static str> + VariantArray,
{
    name.as_ref().parse().map_err(|_| {
        let names: Vec<&str> = T::VARIANTS.iter().map(|value| (*value).into()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

/// Checks a search text; `None` if it is empty.
pub fn search(text: &str) -> Result<Option<String>, String> {
    let text = line(text, 0, 200)?;
    Ok((!text.is_empty()).then_some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_counted_in_characters() {
        assert_eq!(line("  Ab  ", 2, 200).unwrap(), "Ab");
        assert_eq!(
            line(&"漢".repeat(200), 2, 200).unwrap().chars().count(),
            200
        );
        for name in ["مؤسسة", "Ελλάς", "👩‍🚀 Corp", "O'Neil <b>"] {
            assert!(line(name, 2, 200).is_ok(), "{name}");
        }
        assert!(line("a", 2, 200).unwrap_err().contains("2 to 200"));
        assert!(line(&"a".repeat(201), 2, 200).is_err());
        for name in [
            "a\0b",
            "a\nb",
            "a\u{7f}b",
            "a\u{85}b",
            "ab\u{202e}cd",
            "ab\u{2066}cd",
            "ab\u{200f}",
        ] {
            assert!(line(name, 2, 200).is_err(), "{name:?}");
        }
    }

    #[test]
    fn emails() {
        for text in [
            "a@b",
            "ops@example.com",
            "first.last+tag@sub.example.org",
            "ü@bücher.example",
        ] {
            assert!(email(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "a",
            "a@",
            "@b",
            "a@b@c",
            "a b@c.d",
            "a@b..c",
            "a@-b.c",
            "a@b c",
            "<a>@b.c",
            "a@b.c\n.d",
        ] {
            assert!(email(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_of_any_offset_become_utc_microseconds() {
        let noon = time("2027-01-31T12:00:00Z").unwrap();
        assert_eq!(time("2027-01-31T14:30:00+02:30").unwrap(), noon);
        assert_eq!(time("2027-01-31T12:00:00.0000009Z").unwrap(), noon);
        for text in [
            "",
            "2027-01-31",
            "2027-13-01T00:00:00Z",
            "2027-01-31 12:00",
            "tomorrow",
            "0000-01-01T00:00:00Z",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
