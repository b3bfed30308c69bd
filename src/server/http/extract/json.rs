//! Request bodies: strict JSON, at most 64 KiB.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::domain::error::{AppError, AppResult};
use crate::server::http::problem::Problem;

pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Time limit for receiving a body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A JSON body. An empty body means `{}`, whatever its content type, since `curl -X POST -d ''` sends
/// one.
///
/// Checks the content type (415), the size (413) and the syntax (400), in this order.
#[derive(Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let is_json = has_json_content_type(request.headers());
        let bytes = read(request.into_body()).await;
        if bytes.as_ref().is_ok_and(Bytes::is_empty) {
            return Ok(Self(parse(b"{}")?));
        }
        if !is_json {
            return Err(Problem(AppError::UnsupportedMediaType));
        }
        let bytes = bytes?;
        Ok(Self(parse(&bytes)?))
    }
}

/// True if there is exactly one content type and it is JSON.
fn has_json_content_type(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => is_json(value.to_str().unwrap_or_default()),
        _ => false,
    }
}

/// True for `application/json`, with charset UTF-8 if one is given (RFC 8259 §8.1).
pub fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    is_json
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
                value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Reads a body of at most [`MAX_BODY_BYTES`]. An interrupted or slow body is [`AppError::Invalid`].
pub async fn read(body: Body) -> AppResult<Bytes> {
    read_within(TIMEOUT, body).await
}

async fn read_within(limit: Duration, body: Body) -> AppResult<Bytes> {
    match timeout(limit, Limited::new(body, MAX_BODY_BYTES).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(AppError::PayloadTooLarge),
        Ok(Err(_)) => Err(AppError::field("body", "broke off before its end")),
        Err(_) => Err(AppError::field(
            "body",
            format!("did not arrive within {} s", limit.as_secs()),
        )),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> AppResult<T> {
    // Serde would also deserialise a struct from a list.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(
            match serde_json::from_slice::<serde::de::IgnoredAny>(bytes) {
                Ok(_) => AppError::field("body", "must be a JSON object"),
                Err(error) => syntax(&error),
            },
        );
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data => {
                let (path, message) = describe(&path, &inner.to_string());
                AppError::field(&path, message)
            }
            _ => syntax(&inner),
        }
    })?;
    reader.end().map_err(|error| syntax(&error))?;
    Ok(value)
}

fn syntax(error: &serde_json::Error) -> AppError {
    AppError::field(
        "body",
        format!(
            "is not JSON: line {}, column {}",
            error.line(),
            error.column()
        ),
    )
}

/// Converts serde's message to a path and a message. Serde names an unknown or repeated field in the
/// message, not in the path. Submitted values are never echoed.
fn describe(path: &str, message: &str) -> (String, String) {
    let quoted = message.split('`').nth(1);
    let within = |name: &str| match path.rsplit_once('.') {
        Some((parent, _)) if path.ends_with(name) => format!("{parent}.{name}"),
        _ => name.to_owned(),
    };
    if let (true, Some(name)) = (message.starts_with("unknown field"), quoted) {
        return (within(name), "is not a field of this request".to_owned());
    }
    if let (true, Some(name)) = (message.starts_with("duplicate field"), quoted) {
        return (within(name), "is given twice".to_owned());
    }
    let path = if path == "." { "body" } else { path };
    let expected = message
        .split("expected ")
        .nth(1)
        .and_then(|rest| rest.split(" at line").next());
    let message = match expected.map(type_label) {
        Some(expected) => format!("must be {expected}"),
        None => "has a value of the wrong kind".to_owned(),
    };
    (path.to_owned(), message)
}

/// Translates serde's type names for REST clients.
fn type_label(expected: &str) -> &str {
    match expected {
        "i64" | "i32" | "u32" | "u64" => "a whole number",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        _ if expected.starts_with("struct ") => "a JSON object",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::FieldError;
    use crate::domain::key_input::{IssueInput, UpdateInput};

    fn fault<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> FieldError {
        match parse::<T>(json.as_bytes()).unwrap_err() {
            AppError::Invalid { mut fields } => fields.remove(0),
            other => panic!("not an input error: {other:?}"),
        }
    }

    #[test]
    fn faults_name_their_place() {
        for (json, path, message) in [
            (r#"{"scope":["a"]}"#, "scope", "is not a field"),
            (r#"{"name":"a","name":"b"}"#, "name", "is given twice"),
            (r#"{"name":7}"#, "name", "must be a string"),
            (
                r#"{"ratePerMinute":"300"}"#,
                "ratePerMinute",
                "must be a whole number",
            ),
            (
                r#"{"ratePerMinute":1.5}"#,
                "ratePerMinute",
                "must be a whole number",
            ),
            (
                r#"{"ratePerMinute":99999999999999999999}"#,
                "ratePerMinute",
                "must be a whole number",
            ),
            (r#"{"scopes":"assets:read"}"#, "scopes", "must be a list"),
            (
                r#"{"scopes":["assets:read",1]}"#,
                "scopes[1]",
                "must be a string",
            ),
            ("[]", "body", "must be a JSON object"),
            (r#"["Acme"]"#, "body", "must be a JSON object"),
            ("null", "body", "must be"),
            ("{", "body", "is not JSON"),
            ("{}{}", "body", "is not JSON"),
            ("{\"name\":\"\u{0}\"}", "body", "is not JSON"),
            ("\u{feff}{}", "body", "is not JSON"),
        ] {
            let fault = fault::<IssueInput>(json);
            assert_eq!(fault.path, path, "{json} {fault:?}");
            assert!(fault.message.contains(message), "{json} {fault:?}");
        }
        assert_eq!(fault::<UpdateInput>(r#"{"scopes":[]}"#).path, "scopes");
        assert_eq!(
            fault::<UpdateInput>(r#"{"name":null,"name":null}"#).path,
            "name"
        );
    }

    #[test]
    fn values_that_were_sent_are_not_repeated() {
        let fault = fault::<IssueInput>(r#"{"name":["mpk_1.secret"]}"#);
        assert!(!fault.message.contains("secret"), "{fault:?}");
        let deep = format!("{{\"name\":{}{}}}", "[".repeat(500), "]".repeat(500));
        assert!(parse::<IssueInput>(deep.as_bytes()).is_err());
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for() {
        let begun = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let body = Body::from_stream(futures::StreamExt::chain(begun, futures::stream::pending()));
        let error = read_within(Duration::from_millis(1), body)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("did not arrive"), "{error}");
    }

    #[test]
    fn content_types() {
        for fine in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            assert!(is_json(fine), "{fine}");
        }
        for other in [
            "",
            "text/plain",
            "application/json; charset=latin1",
            "application/x-www-form-urlencoded",
        ] {
            assert!(!is_json(other), "{other}");
        }
    }
}
