//! The whole service: what every request gets, whatever answers it. An id, the client's address, a
//! span in the log, a 500 for a panic, the bodies of errors, the headers of every answer.
//!
//! It stands around the router and is no layer of it: a layer would copy the routes and allocate
//! for every request, and a request that the router need not see would still pass through it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderValue, Version, header};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tower::Service;
use tracing::Instrument;
use uuid::fmt::Hyphenated;

use super::drain;
use super::trace_context;
use crate::domain::error::AppError;
use crate::server::http::extract::client_addr;
use crate::server::http::extract::request::{REQUEST_ID, RequestInfo};
use crate::server::http::middleware::security_headers;
use crate::server::http::problem::{self, Problem, Reader};
use crate::server::http::routes::forward_auth;
use crate::server::metrics::traffic::Surface;
use crate::server::state::AppState;

/// The routes and what is around them.
#[derive(Clone)]
pub struct Frame {
    state: AppState,
    routes: Router,
    routes_on: Option<Handle>,
}

impl Frame {
    /// Puts the frame around routes.
    #[must_use]
    pub fn new(state: AppState, routes: Router) -> Self {
        Self {
            state,
            routes,
            routes_on: None,
        }
    }

    /// Runs what needs waiting on another runtime than its caller's.
    #[must_use]
    pub fn with_routes_on(mut self, runtime: Handle) -> Self {
        self.routes_on = Some(runtime);
        self
    }

    /// Answers a request that came from `peer`. The path is logged without its query.
    pub async fn answer(&self, request: Request, peer: Option<IpAddr>) -> Response {
        let Self { state, .. } = self;
        let id = state.services.entropy().uuid();
        let client = client_addr::resolve(peer, request.headers(), &state.site.trusted_proxies);
        let info = RequestInfo { id, client };
        let reader = if request.uri().path().starts_with("/rpc/") {
            Reader::Console
        } else {
            Reader::Rest
        };
        let surface = Surface::of(request.uri().path());
        let span = tracing::info_span!(
            "request",
            id = %id,
            method = %request.method(),
            path = %redacted(request.uri().path()),
            client = client.map(tracing::field::display),
            trace = trace_context::trace_id(request.headers()),
        );
        let started = Instant::now();
        let at_once = if names_its_host(&request) {
            span.in_scope(|| self.at_once(&request, &info))
        } else {
            // Where a proxy and this server took two hosts for one, a request could be smuggled in.
            let error = AppError::field("Host", "must be given, and once (RFC 9112 §3.2)");
            Some(Ok(
                ([(header::CONNECTION, "close")], Problem(error)).into_response()
            ))
        };
        let outcome = match at_once {
            Some(outcome) => outcome,
            None => Box::pin(self.route(request, info).instrument(span.clone())).await,
        };
        let _entered = span.enter();
        let response = outcome.unwrap_or_else(|()| Problem(AppError::Internal).into_response());
        let mut response = problem::render(response, id, reader);
        let headers = response.headers_mut();
        security_headers::add(headers, state.site.secure_cookies);
        let mut text = [0; Hyphenated::LENGTH];
        if let Ok(value) = HeaderValue::from_str(id.as_hyphenated().encode_lower(&mut text)) {
            headers.insert(REQUEST_ID, value);
        }
        let (status, took) = (response.status().as_u16(), started.elapsed());
        state.traffic.count(surface, status, took);
        tracing::info!(
            status,
            elapsed_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }

    /// Answers what needs no waiting; a panic is an error, whose message is the hook's to log.
    fn at_once(&self, request: &Request, info: &RequestInfo) -> Option<Result<Response, ()>> {
        let answer = || forward_auth::at_once(&self.state, info, request);
        catch_unwind(AssertUnwindSafe(answer))
            .map_err(drop)
            .transpose()
    }

    /// Has the routes answer, to the end or to a panic.
    async fn route(&self, request: Request, info: RequestInfo) -> Result<Response, ()> {
        let answering = self.routed(request, info);
        match &self.routes_on {
            // Aborted where nobody waits for the answer any more.
            Some(runtime) => {
                let task = runtime.spawn(answering.in_current_span());
                let _abort = AbortOnDrop(task.abort_handle());
                task.await.map_err(drop)
            }
            None => AssertUnwindSafe(answering)
                .catch_unwind()
                .await
                .map_err(drop),
        }
    }

    /// Has the routes answer, and reads what they left of the body.
    fn routed(
        &self,
        mut request: Request,
        info: RequestInfo,
    ) -> impl Future<Output = Response> + Send + 'static {
        request.extensions_mut().insert(info);
        let (request, unread) = drain::watch(request);
        let mut routes = self.routes.clone();
        async move {
            let Ok(response) = routes.call(request).await;
            unread.drop_rest().await;
            response
        }
    }
}

/// Whether a request has no more than one header `Host`, and one of HTTP/1.1 has it.
fn names_its_host(request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => false,
        (Some(_), None) => true,
        (None, None) => request.version() < Version::HTTP_11,
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// For whoever calls it without a connection of its own; the peer is then the request's
/// [`ConnectInfo`].
impl Service<Request> for Frame {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map(|info| info.0.ip());
        let frame = self.clone();
        Box::pin(async move { Ok(frame.answer(request, peer).await) })
    }
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
