//! The HTTP service: features common to all responses. Request id, client address, log span, error
//! bodies, security headers, metrics.
//!
//! They are not tower layers of the router, because cached responses bypass the router, and a layer of
//! an axum router clones the routes and boxes a future for every request. Layers for routes only are in [`crate::server::router`].

use std::borrow::Cow;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tower::Service;
use tracing::Instrument;
use uuid::fmt::Hyphenated;

use super::trace_context;
use crate::domain::error::AppError;
use crate::server::http::extract::client_addr;
use crate::server::http::extract::request::{REQUEST_ID, RequestInfo};
use crate::server::http::middleware::security_headers;
use crate::server::http::problem::{self, Problem, Reader};
use crate::server::http::routes::forward_auth;
use crate::server::metrics::requests::Surface;
use crate::server::state::AppState;

#[derive(Clone)]
pub struct HttpService {
    state: AppState,
    routes: Router,
    runtime: Option<Handle>,
}

impl HttpService {
    pub fn new(state: AppState, routes: Router) -> Self {
        Self {
            state,
            routes,
            runtime: None,
        }
    }

    /// Runs the routes on another runtime than the caller's.
    pub fn with_routes_on(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Handles a request from `peer`. The path is logged without its query.
    pub async fn answer(&self, request: Request, peer: Option<IpAddr>) -> Response {
        let Self { state, .. } = self;
        let started = Instant::now();
        let id = state.services.entropy().uuid();
        let client = client_addr::resolve(peer, request.headers(), &state.site.trusted_proxies);
        let info = RequestInfo { id, client };
        let path = request.uri().path();
        let reader = if path.starts_with("/rpc/") {
            Reader::Console
        } else {
            Reader::Rest
        };
        let surface = Surface::of(path);
        let span = tracing::info_span!(
            "request",
            id = %id,
            method = %request.method(),
            path = %redacted(path),
            client = client.map(tracing::field::display),
            trace = trace_context::trace_id(request.headers()),
        );
        let early = span.in_scope(|| {
            if has_one_host(&request) {
                self.answer_from_memory(&request, &info)
            } else {
                Some(invalid_host())
            }
        });
        let response = match early {
            Some(response) => response,
            None => Box::pin(self.route(request, info).instrument(span.clone())).await,
        };
        let _entered = span.enter();
        let mut response = problem::render(response, id, reader);
        let headers = response.headers_mut();
        security_headers::add(headers, state.site.secure_cookies);
        let mut text = [0; Hyphenated::LENGTH];
        if let Ok(value) = HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut text)) {
            headers.insert(REQUEST_ID, value);
        }
        let (status, elapsed) = (response.status().as_u16(), started.elapsed());
        state.request_metrics.record(surface, status, elapsed);
        tracing::info!(
            status,
            elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }

    /// Responds without waiting, if possible. After a panic the request goes to the routes.
    fn answer_from_memory(&self, request: &Request, info: &RequestInfo) -> Option<Response> {
        let answer = || forward_auth::answer_from_memory(&self.state, info, request);
        catch_unwind(AssertUnwindSafe(answer)).unwrap_or_default()
    }

    /// Runs the routes in a task of their own. A panic ends the task and becomes a 500; its message is
    /// logged by the panic hook.
    async fn route(&self, mut request: Request, info: RequestInfo) -> Response {
        request.extensions_mut().insert(info);
        let mut routes = self.routes.clone();
        let answer = async move { routes.call(request).await }.in_current_span();
        let task = match &self.runtime {
            Some(runtime) => runtime.spawn(answer),
            None => tokio::spawn(answer),
        };
        let _abort = AbortOnDrop(task.abort_handle());
        match task.await {
            Ok(Ok(response)) => response,
            Err(_) => Problem(AppError::Internal).into_response(),
        }
    }
}

/// True if a request has at most one header `Host`, and at least one since HTTP/1.1.
fn has_one_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => false,
        (Some(_), None) => true,
        (None, None) => request.version() < Version::HTTP_11,
    }
}

/// Closes the connection, since a proxy and this server could choose different hosts of two (request
/// smuggling).
fn invalid_host() -> Response {
    let error = AppError::field("Host", "must be given, and once (RFC 9112 §3.2)");
    ([(header::CONNECTION, "close")], Problem(error)).into_response()
}

/// Aborts a task if its caller is cancelled.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Redacts secrets in a path for the log: a client may put a token where an id belongs.
fn redacted(path: &str) -> Cow<'_, str> {
    /// Secrets have at least this many consecutive hex digits; ids have fewer.
    const MIN_SECRET_DIGITS: usize = 32;
    let is_secret =
        |part: &str| part.len() >= MIN_SECRET_DIGITS && part.bytes().all(|b| b.is_ascii_hexdigit());
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
