//! Extraction of the token from a request's headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::domain::error::AuthReason;

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Returns the token: from `X-API-Key` if present and not empty, else from `Authorization`. A repeated
/// header, an unknown scheme or invalid text is [`AuthReason::BadFormat`].
pub fn presented(headers: &HeaderMap) -> Result<&str, AuthReason> {
    if let Some(value) = single(headers, &X_API_KEY)? {
        return Ok(strip_scheme(value, &["apikey"]).unwrap_or(value));
    }
    let value = single(headers, &header::AUTHORIZATION)?.ok_or(AuthReason::MissingHeader)?;
    strip_scheme(value, &["apikey", "bearer"]).ok_or(AuthReason::BadFormat)
}

/// Returns a header's trimmed text, or `None` if it is absent or empty.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, AuthReason> {
    let mut values = headers.get_all(name).iter();
    let first: Option<&HeaderValue> = values.next();
    if values.next().is_some() {
        return Err(AuthReason::BadFormat);
    }
    let text = first
        .map(|value| value.to_str().map_err(|_| AuthReason::BadFormat))
        .transpose()?;
    Ok(text.map(str::trim).filter(|text| !text.is_empty()))
}

/// Strips the case-insensitive scheme (RFC 9110 §11.1); `None` for another scheme.
fn strip_scheme<'a>(value: &'a str, schemes: &[&str]) -> Option<&'a str> {
    let (scheme, token) = value.split_once([' ', '\t'])?;
    schemes
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then(|| token.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    #[test]
    fn forms_that_carry_a_token() {
        for pairs in [
            &[("x-api-key", "a.b")][..],
            &[("x-api-key", " a.b ")],
            &[("x-api-key", "ApiKey a.b")],
            &[("authorization", "ApiKey a.b")],
            &[("authorization", "apikey   a.b")],
            &[("authorization", "BEARER a.b")],
            &[("x-api-key", ""), ("authorization", "ApiKey a.b")],
            &[("x-api-key", "a.b"), ("authorization", "Basic xyz")],
            &[
                ("x-api-key", "a.b"),
                ("authorization", "ApiKey c.d"),
                ("authorization", "ApiKey e.f"),
            ],
        ] {
            assert_eq!(presented(&headers(pairs)), Ok("a.b"), "{pairs:?}");
        }
    }

    #[test]
    fn forms_that_carry_none() {
        for (pairs, reason) in [
            (&[][..], AuthReason::MissingHeader),
            (&[("authorization", "")], AuthReason::MissingHeader),
            (&[("x-api-key", " ")], AuthReason::MissingHeader),
            (&[("authorization", "Basic a.b")], AuthReason::BadFormat),
            (&[("authorization", "a.b")], AuthReason::BadFormat),
            (&[("authorization", "ApiKey")], AuthReason::BadFormat),
            (
                &[
                    ("authorization", "ApiKey a.b"),
                    ("authorization", "ApiKey a.b"),
                ],
                AuthReason::BadFormat,
            ),
            (
                &[("x-api-key", "a.b"), ("x-api-key", "a.b")],
                AuthReason::BadFormat,
            ),
            (
                &[("x-api-key", "a.b"), ("x-api-key", "")],
                AuthReason::BadFormat,
            ),
        ] {
            assert_eq!(presented(&headers(pairs)), Err(reason), "{pairs:?}");
        }
        let mut binary = HeaderMap::new();
        binary.insert("x-api-key", HeaderValue::from_bytes(b"a.\xff").unwrap());
        assert_eq!(presented(&binary), Err(AuthReason::BadFormat));
    }
}
