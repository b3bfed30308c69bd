//! What every request gets: an id, the client's address, a span in the log, an answer.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;
use uuid::Uuid;
use uuid::fmt::Hyphenated;

use super::problem::{self, Problem, Reader};
use super::{client_addr, drain};
use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::AppError;
use crate::server::security_headers;
use crate::server::services::Origin;
use crate::server::state::AppState;
use crate::server::verify::Caller;

/// The header that carries the request's id on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before anything is checked.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo {
    /// The request's id, drawn here: what a client sends is not believed.
    pub id: Uuid,
    /// The client's address, as `TRUSTED_PROXIES` decides.
    pub client: Option<IpAddr>,
}

impl RequestInfo {
    /// On whose behalf a key's request acts.
    #[must_use]
    pub fn origin_of_key(&self, caller: &Caller) -> Origin {
        self.origin(Actor::new(ActorKind::Key, caller.key_id().as_str()))
    }

    /// On whose behalf the request acts.
    #[must_use]
    pub fn origin(&self, actor: Actor) -> Origin {
        Origin {
            actor,
            ip: self.client,
            request_id: Some(self.id.to_string()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestInfo {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or(Problem(AppError::Internal))
    }
}

/// The one layer around everything: gives the request its id and span, turns a panic into a 500,
/// writes the bodies of errors and the headers that every answer has, reads what was left of the
/// body, and logs one line. The path is logged without its query.
///
/// One layer and not five: each would copy the routes and allocate for every request.
pub async fn frame(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let id = state.registry.entropy.uuid();
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let client = client_addr::resolve(peer, request.headers(), &state.site.trusted_proxies);
    request.extensions_mut().insert(RequestInfo { id, client });

    let reader = if request.uri().path().starts_with("/rpc/") {
        Reader::Console
    } else {
        Reader::Rest
    };
    let span = tracing::info_span!(
        "request",
        id = %id,
        method = %request.method(),
        path = %redacted(request.uri().path()),
        client = client.map(tracing::field::display),
    );
    let started = Instant::now();
    let (request, unread) = drain::watch(request);
    let answer = AssertUnwindSafe(async move {
        let response = next.run(request).await;
        unread.drop_rest().await;
        response
    });
    let outcome = futures_catch(answer).instrument(span.clone()).await;
    let _entered = span.enter();
    let response = outcome.unwrap_or_else(|()| Problem(AppError::Internal).into_response());
    let mut response = problem::render(response, id, reader);
    let headers = response.headers_mut();
    security_headers::add(headers, state.site.secure_cookies);
    let mut text = [0; Hyphenated::LENGTH];
    if let Ok(value) = HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut text)) {
        headers.insert(REQUEST_ID, value);
    }
    tracing::info!(
        status = response.status().as_u16(),
        elapsed_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "answered"
    );
    response
}

/// A path as it may be logged: somebody may put a token where an id belongs.
fn redacted(path: &str) -> Cow<'_, str> {
    /// Hex digits in a row that no id has, but every secret.
    const LONG: usize = 32;
    let is_secret = |part: &str| part.len() >= LONG && part.bytes().all(|b| b.is_ascii_hexdigit());
    let separators = |c: char| !c.is_ascii_hexdigit();
    if !path.split(separators).any(is_secret) {
        return Cow::Borrowed(path);
    }
    let parts = path.split_inclusive(separators).map(|part| {
        let digits = part.trim_end_matches(separators);
        if is_secret(digits) {
            format!("…{}", &part[digits.len()..])
        } else {
            part.to_owned()
        }
    });
    Cow::Owned(parts.collect())
}

/// Runs a future to its end or to its panic. The panic's message is the hook's to log.
async fn futures_catch<F: Future + std::panic::UnwindSafe>(future: F) -> Result<F::Output, ()> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => std::task::Poll::Ready(Err(())),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn a_token_in_a_path_is_not_logged() {
        let secret = "ab".repeat(36);
        assert_eq!(
            redacted(&format!("/api/keys/mpk_0f1e2d3c4b5a.{secret}/x")),
            "/api/keys/mpk_0f1e2d3c4b5a.…/x"
        );
        assert_eq!(redacted(&format!("/{secret}")), "/…");
        for path in [
            "/",
            "/api/admin/partners/0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e",
            "/ä/𝕏",
        ] {
            assert_eq!(redacted(path), path);
        }
    }
}
