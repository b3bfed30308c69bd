//! Key verification in front of a route.
//!
//! It is a layer of the method's handler: unknown routes and wrong methods are refused before it, the
//! body is read after it.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::UtoipaMethodRouter;

use crate::domain::error::AppError;
use crate::domain::scope::Scope;
use crate::server::auth::rate::RateState;
use crate::server::auth::{Admitted, Caller, Decision};
use crate::server::http::extract::credential;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::openapi;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub const RATE_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
pub const RATE: HeaderName = HeaderName::from_static("ratelimit");

/// Adds key verification to routes and to their description.
#[derive(Clone, Copy)]
pub struct Gate<'a>(Option<&'a AppState>);

impl<'a> Gate<'a> {
    pub fn of(state: &'a AppState) -> Self {
        Self(Some(state))
    }

    /// For the OpenAPI document: describes the routes and guards nothing.
    pub fn for_docs() -> Self {
        Self(None)
    }

    /// Requires an accepted key with all of `scopes`; the handler gets it as a [`Key`].
    pub fn guard(
        self,
        scopes: &'static [Scope],
        (schemas, mut paths, mut methods): UtoipaMethodRouter<AppState>,
    ) -> UtoipaMethodRouter<AppState> {
        for item in paths.paths.values_mut() {
            openapi::require_key(item, scopes);
        }
        if let Self(Some(state)) = self {
            let layer = middleware::from_fn_with_state((state.clone(), scopes), require_key);
            methods = methods.route_layer(layer);
        }
        (schemas, paths, methods)
    }
}

async fn require_key(
    State((state, scopes)): State<(AppState, &'static [Scope])>,
    info: RequestInfo,
    mut request: Request,
    next: Next,
) -> Response {
    let (mut response, rate) = match verify(&state, &info, request.headers()).await {
        Ok(Admitted { caller, rate }) => {
            let response = match caller.require(scopes) {
                Ok(()) => {
                    request.extensions_mut().insert(Key(caller));
                    next.run(request).await
                }
                Err(error) => Problem(error).into_response(),
            };
            (response, Some(rate))
        }
        Err(refused) => (Problem(refused.error).into_response(), refused.rate),
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(rate) = rate {
        add_rate(headers, rate);
    }
    response
}

/// Verifies the key that a request presents.
pub async fn verify(state: &AppState, info: &RequestInfo, headers: &HeaderMap) -> Decision {
    let token =
        credential::presented(headers).map_err(|reason| AppError::Unauthorized { reason })?;
    state.guard.verify(token, info.client).await
}

/// Adds the rate's headers (IETF draft-ietf-httpapi-ratelimit-headers).
pub fn add_rate(headers: &mut HeaderMap, rate: RateState) {
    let policy = format!("\"default\";q={};w=60", rate.quota);
    let left = format!("\"default\";r={};t={}", rate.left, rate.full_in);
    for (name, value) in [(RATE_POLICY, policy), (RATE, left)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// The accepted key, for handlers of guarded routes.
#[derive(Clone, Debug)]
pub struct Key(pub Caller);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // Missing only if a handler of an unguarded route asks for it: a bug.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Problem(AppError::Internal))
    }
}
