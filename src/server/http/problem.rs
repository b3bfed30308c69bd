//! Error responses: `application/problem+json` (RFC 9457) with extension members.

use axum::http::header::{self, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::error::{AppError, Missing};

pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const CHALLENGE: HeaderValue = HeaderValue::from_static("ApiKey realm=\"myproof-registry\"");

/// An error returned by a handler. Its body is written by [`render`], which knows the request's id.
#[derive(Clone, Debug)]
pub struct Problem(pub AppError);

impl<E: Into<AppError>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let mut response = StatusCode::from_u16(self.0.status())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            .into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Audience of an error's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A REST client.
    Rest,
    /// The console, which also needs the members of the serialised [`AppError`].
    Console,
}

/// Writes the body of an error that a handler or a layer left in the response's extensions, and of
/// Axum's own error responses, which have none.
pub fn render(
    mut response: axum::response::Response,
    request_id: Uuid,
    reader: Reader,
) -> axum::response::Response {
    let problem = response.extensions_mut().remove::<Problem>();
    let Some(Problem(error)) = problem.or_else(|| plain_refusal(&response)) else {
        return response;
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    if let Some(seconds) = error.retry_after() {
        parts.headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if matches!(error, AppError::Unauthorized { .. }) {
        parts.headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
    }
    let text = match reader {
        Reader::Rest => serde_json::to_vec(&Body {
            error: &error,
            request_id,
        }),
        Reader::Console => {
            let mut members = body(&error, request_id);
            if let Value::Object(own) = json!(error) {
                members.extend(own);
            }
            serde_json::to_vec(&members)
        }
    };
    let body = text.map_or_else(|_| axum::body::Body::empty(), Into::into);
    Response::from_parts(parts, body)
}

/// Maps Axum's responses without a body (unknown routes and methods) to errors.
fn plain_refusal(response: &axum::response::Response) -> Option<Problem> {
    if response.headers().contains_key(header::CONTENT_TYPE) {
        return None;
    }
    match response.status() {
        StatusCode::NOT_FOUND => Some(Problem(Missing::RouteNotFound.into())),
        StatusCode::METHOD_NOT_ALLOWED => Some(Problem(AppError::MethodNotAllowed)),
        StatusCode::INTERNAL_SERVER_ERROR => Some(Problem(AppError::Internal)),
        _ => None,
    }
}

/// Returns an error's body as JSON members.
pub fn body(error: &AppError, request_id: Uuid) -> Map<String, Value> {
    match serde_json::to_value(Body { error, request_id }) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// An error's body, serialised without intermediate allocations, since rejections arrive in bursts.
struct Body<'a> {
    error: &'a AppError,
    request_id: Uuid,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { error, request_id } = self;
        let status = error.status();
        let known = StatusCode::from_u16(status).ok();
        let mut body = serializer.serialize_map(None)?;
        body.serialize_entry("type", "about:blank")?;
        body.serialize_entry("title", &known.and_then(|status| status.canonical_reason()))?;
        body.serialize_entry("status", &status)?;
        body.serialize_entry("detail", &format_args!("{error}"))?;
        body.serialize_entry("ok", &false)?;
        body.serialize_entry("requestId", request_id)?;
        body.serialize_entry("error", code(error))?;
        match error {
            AppError::Invalid { fields } => body.serialize_entry("fields", fields)?,
            AppError::Unauthorized { reason } => body.serialize_entry("reason", reason)?,
            AppError::Forbidden { required } => body.serialize_entry("required", required)?,
            AppError::NotFound { reason } => body.serialize_entry("reason", reason)?,
            AppError::Conflict { conflict } => {
                for (name, value) in json!(conflict).as_object().into_iter().flatten() {
                    body.serialize_entry(name, value)?;
                }
            }
            _ => {}
        }
        body.end()
    }
}

fn code(error: &AppError) -> &'static str {
    match error {
        AppError::Invalid { .. }
        | AppError::MethodNotAllowed
        | AppError::PayloadTooLarge
        | AppError::UnsupportedMediaType => "invalid_request",
        AppError::Unauthorized { .. } | AppError::SignedOut | AppError::WrongCredentials => {
            "unauthorized"
        }
        AppError::Forbidden { .. }
        | AppError::ReadOnlyRole
        | AppError::WrongCode
        | AppError::FactorNeeded { .. }
        | AppError::CrossSite => "forbidden",
        AppError::NotFound { .. } => "not_found",
        AppError::Conflict { .. } => "conflict",
        AppError::RateLimited { .. } => "rate_limited",
        AppError::Internal | AppError::NoAnswer => "internal",
        AppError::Unavailable { .. } => "unavailable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::{AuthReason, Conflict};

    const ID: Uuid = Uuid::from_u128(1);

    #[test]
    fn bodies_have_the_promised_members() {
        let body = body(
            &AppError::Unauthorized {
                reason: AuthReason::KeyInactive,
            },
            ID,
        );
        assert_eq!(body["ok"], false);
        assert_eq!(body["error"], "unauthorized");
        assert_eq!(body["reason"], "key_inactive");
        assert_eq!(body["requestId"], ID.to_string());
        assert_eq!(body["status"], 401);
        assert_eq!(body["title"], "Unauthorized");
    }

    #[test]
    fn conflicts_name_the_successor() {
        let conflict = Conflict::AlreadyRotated {
            replaced_by: "mpk_1".into(),
        };
        let body = body(&conflict.into(), ID);
        assert_eq!(
            (&body["reason"], &body["replacedBy"]),
            (&json!("already_rotated"), &json!("mpk_1"))
        );
    }

    #[test]
    fn rendering_adds_the_headers_of_the_status() {
        let response = render(
            Problem(AppError::UNAVAILABLE).into_response(),
            ID,
            Reader::Rest,
        );
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
        let response = render(
            Problem(AppError::Unauthorized {
                reason: AuthReason::Expired,
            })
            .into_response(),
            ID,
            Reader::Rest,
        );
        assert_eq!(
            response.headers()[header::WWW_AUTHENTICATE],
            "ApiKey realm=\"myproof-registry\""
        );
        let untouched = render(
            (StatusCode::NOT_FOUND, "a page").into_response(),
            ID,
            Reader::Rest,
        );
        assert_eq!(
            untouched.headers()[header::CONTENT_TYPE],
            "text/plain; charset=utf-8"
        );
    }

    #[tokio::test]
    async fn the_console_reads_every_problem_as_the_error_that_it_is() {
        use http_body_util::BodyExt;

        for error in [
            AppError::CrossSite,
            AppError::UNAVAILABLE,
            AppError::UnsupportedMediaType,
            AppError::from(Missing::RouteNotFound),
            AppError::from(Conflict::KeyInactive),
            AppError::field("name", "is empty"),
        ] {
            let response = Problem(error.clone()).into_response();
            let body = render(response, ID, Reader::Console).into_body();
            let bytes = body.collect().await.unwrap().to_bytes();
            assert_eq!(serde_json::from_slice::<AppError>(&bytes).unwrap(), error);
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(
                (&body["ok"], &body["requestId"]),
                (&json!(false), &json!(ID))
            );
        }
    }
}
