//! `/api/auth/verify`: key verification for other services, called by gateways (nginx
//! `auth_request`, Traefik ForwardAuth, Caddy `forward_auth`, Envoy `ext_authz`) with any method and
//! any body.

use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http_body::Body as _;
use utoipa::openapi::path::PathItem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::error::{AppError, AppResult};
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;
use crate::server::auth::{Admitted, Caller, Decision};
use crate::server::http::extract::credential;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{self, add_rate};
use crate::server::http::openapi::{self, CantPass};
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

const PATH: &str = "/api/auth/verify";
const PARTNER_ID: HeaderName = HeaderName::from_static("x-partner-id");
const KEY_ID: HeaderName = HeaderName::from_static("x-key-id");
const KEY_SCOPES: HeaderName = HeaderName::from_static("x-key-scopes");

pub fn routes() -> OpenApiRouter<AppState> {
    let (schemas, mut paths, _) = routes!(verify);
    paths.paths.values_mut().for_each(|item: &mut PathItem| {
        openapi::require_key(item, &[]);
    });
    // Any method, not only the documented ones.
    OpenApiRouter::new().routes((schemas, paths, any(verify)))
}

/// Verify a key for another service
///
/// Called by nginx `auth_request`, Traefik ForwardAuth, Caddy `forward_auth` and Envoy `ext_authz`
/// with any method; the body is ignored.
#[utoipa::path(method(get, post, put, patch, delete, head, options, trace), path = PATH,
    operation_id = "verifyKey", tag = "Your key",
    params(
        ("scope" = Option<Vec<Scope>>, Query, nullable = false, description = "Scopes that the key must have, all of them; without any, every valid key is accepted."),
        ("limited" = Option<i64>, Query, nullable = false, minimum = 403, maximum = 403,
            description = "Turns a 429 into a 403 with the same headers, for nginx, which supports only 401 and 403."),
    ),
    responses((status = 200, description = "The key is accepted", headers(
        ("X-Partner-Id" = Uuid, description = "The id of the key's partner."),
        ("X-Key-Id" = KeyId, description = "The key's id."),
        ("X-Key-Scopes" = String, description = "Its scopes, separated by spaces."),
    )), CantPass))]
async fn verify(State(state): State<AppState>, info: RequestInfo, request: Request) -> Response {
    let decision = guard::verify(&state, &info, request.headers()).await;
    respond(decision, request.uri().query().unwrap_or_default())
}

/// The first step of [`verify`], run before the router: gateways wait for it with each of their
/// requests. `None` if the routed handler is needed.
pub fn answer_from_memory(
    state: &AppState,
    info: &RequestInfo,
    request: &Request,
) -> Option<Response> {
    if request.uri().path() != PATH || !request.body().is_end_stream() {
        return None;
    }
    let token = credential::presented(request.headers()).ok()?;
    let decision = state.guard.verify_cached(token, info.client)?;
    Some(respond(decision, request.uri().query().unwrap_or_default()))
}

fn respond(decision: Decision, query: &str) -> Response {
    let (mut response, rate) = match decision {
        Ok(Admitted { caller, rate }) => (admit(&caller, query), Some(rate)),
        Err(refused) => (Problem(refused.error).into_response(), refused.rate),
    };
    // nginx takes any refusal but 401 and 403 for a server error.
    if response.status() == StatusCode::TOO_MANY_REQUESTS && limited_as_403(query) {
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(rate) = rate {
        add_rate(headers, rate);
    }
    response
}

fn admit(caller: &Caller, query: &str) -> Response {
    match required_scopes(query).and_then(|scopes| caller.require(&scopes)) {
        Ok(()) => identify(caller),
        Err(error) => Problem(error).into_response(),
    }
}

/// The identity headers, which the gateway passes on.
fn identify(caller: &Caller) -> Response {
    let mut response = StatusCode::OK.into_response();
    let mut scopes = String::new();
    for scope in caller.scopes().iter() {
        if !scopes.is_empty() {
            scopes.push(' ');
        }
        scopes.push_str(scope.into_str());
    }
    let mut partner_id = [0; uuid::fmt::Hyphenated::LENGTH];
    let partner_id: &str = caller
        .partner_id()
        .as_hyphenated()
        .encode_lower(&mut partner_id);
    for (name, value) in [
        (PARTNER_ID, partner_id),
        (KEY_ID, caller.key_id().as_str()),
        (KEY_SCOPES, &scopes),
    ] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn required_scopes(query: &str) -> AppResult<Vec<Scope>> {
    let mut scopes = Vec::new();
    let mut limited = false;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "scope" => match value.parse::<Scope>() {
                Ok(scope) if !scopes.contains(&scope) => scopes.push(scope),
                Ok(_) => {}
                Err(_) => return Err(AppError::field("scope", "is not a scope")),
            },
            "limited" if value == "403" && !limited => limited = true,
            "limited" => return Err(AppError::field("limited", "must be 403, once")),
            other => return Err(AppError::field(other, "is not a parameter of this route")),
        }
    }
    Ok(scopes)
}

fn limited_as_403(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes())
        .any(|(name, value)| name == "limited" && value == "403")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        let scopes = required_scopes;
        assert_eq!(scopes(""), Ok(vec![]));
        assert_eq!(
            scopes("scope=assets%3Aread&scope=reverify&scope=reverify&limited=403"),
            Ok(vec![Scope::AssetsRead, Scope::Reverify])
        );
        for query in [
            "scope=",
            "scope=assets",
            "scopes=reverify",
            "limited=429",
            "limited=403&limited=403",
        ] {
            assert!(scopes(query).is_err(), "{query}");
        }
    }
}
