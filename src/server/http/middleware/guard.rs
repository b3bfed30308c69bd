//! The key check in front of a route.
//!
//! It is a layer of the method's handler, so that an unknown route and a wrong method are told
//! before it, and the body and what it is about after it.

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
use crate::server::auth::{Admitted, Caller, Refused};
use crate::server::http::extract::credential;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::openapi;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

/// The header that names the allowance.
pub const RATE_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// The header that says what is left of it.
pub const RATE: HeaderName = HeaderName::from_static("ratelimit");

/// Puts the key check in front of routes and into their description.
#[derive(Clone, Copy)]
pub struct Gate<'a>(Option<&'a AppState>);

impl<'a> Gate<'a> {
    /// The gate of a server.
    #[must_use]
    pub fn of(state: &'a AppState) -> Self {
        Self(Some(state))
    }

    /// A gate that only describes: for the document of routes that serve nobody.
    #[must_use]
    pub fn on_paper() -> Self {
        Self(None)
    }

    /// Guards `routes`: an accepted key with all of `scopes` (any key where the list is empty)
    /// reaches the handler, which gets it as a [`Key`].
    pub fn guard(
        self,
        scopes: &'static [Scope],
        (schemas, mut paths, mut methods): UtoipaMethodRouter<AppState>,
    ) -> UtoipaMethodRouter<AppState> {
        for item in paths.paths.values_mut() {
            openapi::want_key(item, scopes);
        }
        if let Self(Some(state)) = self {
            let layer = middleware::from_fn_with_state((state.clone(), scopes), check);
            methods = methods.route_layer(layer);
        }
        (schemas, paths, methods)
    }
}

async fn check(
    State((state, scopes)): State<(AppState, &'static [Scope])>,
    info: RequestInfo,
    mut request: Request,
    next: Next,
) -> Response {
    let (mut response, rate) = match judge(&state, &info, request.headers()).await {
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
        tell_rate(headers, rate);
    }
    response
}

/// Judges the key that a request carries.
///
/// # Errors
/// As [`crate::server::auth::Guard::check`], and [`AppError::Unauthorized`] for a missing or
/// malformed credential.
pub async fn judge(
    state: &AppState,
    info: &RequestInfo,
    headers: &HeaderMap,
) -> Result<Admitted, Refused> {
    let token =
        credential::presented(headers).map_err(|reason| AppError::Unauthorized { reason })?;
    state.guard.check(token, info.client).await
}

/// The rate's headers (IETF draft-ietf-httpapi-ratelimit-headers).
pub fn tell_rate(headers: &mut HeaderMap, rate: RateState) {
    let policy = format!("\"default\";q={};w=60", rate.quota);
    let left = format!("\"default\";r={};t={}", rate.left, rate.full_in);
    for (name, value) in [(RATE_POLICY, policy), (RATE, left)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
}

/// The key that the guard accepted.
#[derive(Clone, Debug)]
pub struct Key(pub Caller);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        // A handler that asks for the key of an unguarded route is a mistake of this program.
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or(Problem(AppError::Internal))
    }
}
