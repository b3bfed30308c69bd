//! `/api/key`: inspection and revocation of a key by its holder.

use axum::Json;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::AppError;
use crate::domain::key::RevocationReason;
use crate::domain::key_input::RevokeKey;
use crate::server::http::answers::{KeyAnswer, RevokedAnswer};
use crate::server::http::extract::credential;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::openapi;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    let (schemas, mut paths, methods) = routes!(revoke);
    for item in paths.paths.values_mut() {
        openapi::require_key(item, &[]);
    }
    OpenApiRouter::new()
        .routes(gate.guard(&[], routes!(show)))
        .routes((schemas, paths, methods))
}

/// Revoke your own key
///
/// For the finder of a leaked token: only a valid secret is required, regardless of the key's scopes,
/// validity window, rate limit and partner. The reason is `key_compromise`. Idempotent.
#[utoipa::path(post, path = "/api/key/revoke", operation_id = "revokeOwnKey", tag = "Your key",
    extensions(("x-rated" = json!(false))),
    responses((status = 200, description = "The time of revocation", body = RevokedAnswer)))]
async fn revoke(State(state): State<AppState>, info: RequestInfo, headers: HeaderMap) -> Response {
    let mut response = revoke_held(&state, &info, &headers).await.into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

async fn revoke_held(
    state: &AppState,
    info: &RequestInfo,
    headers: &HeaderMap,
) -> Result<Json<RevokedAnswer>, Problem> {
    let token =
        credential::presented(headers).map_err(|reason| AppError::Unauthorized { reason })?;
    let holder = state.guard.authenticate_holder(token, info.client).await;
    let key_id = holder.map_err(|refused| refused.error)?;
    let audit_context = info.audit_context(Actor::new(ActorKind::Key, key_id.as_str()));
    let command = RevokeKey {
        reason: RevocationReason::KeyCompromise,
        note: None,
    };
    let revoked = state
        .services
        .keys
        .revoke(&audit_context, key_id.as_str(), command)
        .await?;
    Ok(Json(revoked.into()))
}

/// Get your own key
#[utoipa::path(get, path = "/api/key", operation_id = "getOwnKey", tag = "Your key",
    responses((status = 200, description = "The key", body = KeyAnswer)))]
async fn show(State(state): State<AppState>, Key(caller): Key) -> Result<Json<KeyAnswer>, Problem> {
    let key = state.services.keys.get(caller.key_id().as_str()).await?;
    Ok(Json(key.without_staff().into()))
}
