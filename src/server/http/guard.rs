//! The key check in front of a route.
//!
//! It is a layer of the method's handler, so that an unknown route and a wrong method are told
//! before it, and the body and what it is about after it.

use axum::extract::{FromRequestParts, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{CACHE_CONTROL, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use super::credential;
use super::problem::Problem;
use super::request::RequestInfo;
use crate::domain::error::{AppError, AppResult};
use crate::domain::scope::Scope;
use crate::server::state::AppState;
use crate::server::verify::Caller;

/// Guards the methods that `routes` has so far: an accepted key with one of `scopes` (any key
/// where the list is empty) reaches the handler, which gets it as a [`Key`].
pub fn guarded(
    state: &AppState,
    scopes: &'static [Scope],
    routes: MethodRouter<AppState>,
) -> MethodRouter<AppState> {
    routes.route_layer(middleware::from_fn_with_state(
        (state.clone(), scopes),
        check,
    ))
}

async fn check(
    State((state, scopes)): State<(AppState, &'static [Scope])>,
    info: RequestInfo,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&state, scopes, &info, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(Key(caller));
            next.run(request).await
        }
        Err(error) => Problem(error).into_response(),
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn admit(
    state: &AppState,
    scopes: &[Scope],
    info: &RequestInfo,
    headers: &HeaderMap,
) -> AppResult<Caller> {
    let token =
        credential::presented(headers).map_err(|reason| AppError::Unauthorized { reason })?;
    let caller = state.guard.check(token, info.client).await?;
    caller.require(scopes)?;
    Ok(caller)
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
