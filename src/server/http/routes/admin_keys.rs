//! `/api/admin/api-keys`: key management.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::grace::GraceInput;
use crate::domain::key_input::{IssueInput, RestoreInput, RevokeInput, UpdateInput};
use crate::domain::key_list::KeyListInput;
use crate::domain::rotation::RotateInput;
use crate::domain::scope::Scope;
use crate::domain::token::KeyId;
use crate::server::http::answers::{
    IssuedAnswer, KeyAnswer, KeysAnswer, RevokedAnswer, RotatedAnswer,
};
use crate::server::http::extract::json::StrictJson;
use crate::server::http::extract::path::PathId;
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::openapi::{
    CantChangeGrace, CantIssue, CantRestore, CantRotate, CantUpdate, NoKey,
};
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

type Answer<T> = Result<Json<T>, Problem>;
type Created<T> = Result<(StatusCode, Json<T>), Problem>;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    let admin = |methods| gate.guard(&[Scope::Admin], methods);
    OpenApiRouter::new()
        .routes(admin(routes!(list)))
        .routes(admin(routes!(issue)))
        .routes(admin(routes!(show, update)))
        .routes(admin(routes!(rotate)))
        .routes(admin(routes!(change_grace)))
        .routes(admin(routes!(revoke)))
        .routes(admin(routes!(restore)))
}

/// List keys
#[utoipa::path(get, path = "/api/admin/api-keys", operation_id = "listKeys", tag = "Keys",
    params(KeyListInput),
    responses((status = 200, description = "A page of keys", body = KeysAnswer)))]
async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<KeyListInput>,
) -> Answer<KeysAnswer> {
    let page = state.services.keys.list(&input.check()?).await?;
    Ok(Json(page.into()))
}

/// Get a key
#[utoipa::path(get, path = "/api/admin/api-keys/{keyId}", operation_id = "getKey", tag = "Keys",
    params(("keyId" = KeyId, Path, description = "The key's id.")),
    responses((status = 200, description = "The key", body = KeyAnswer), NoKey))]
async fn show(State(state): State<AppState>, PathId(key_id): PathId) -> Answer<KeyAnswer> {
    let key = state.services.keys.get(&key_id).await?;
    Ok(Json(key.into()))
}

/// Issue a key
///
/// The response contains the token, which is shown only once.
#[utoipa::path(post, path = "/api/admin/api-keys/issue", operation_id = "issueKey", tag = "Keys",
    request_body = IssueInput,
    responses((status = 201, description = "The key and its token", body = IssuedAnswer), CantIssue))]
async fn issue(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<IssueInput>,
) -> Created<IssuedAnswer> {
    let command = input.check(state.services.now())?;
    let issued = state
        .services
        .keys
        .issue(&info.audit_context_of_key(&caller), command)
        .await?;
    Ok((StatusCode::CREATED, Json(issued.into())))
}

/// Update a key
///
/// A key's scopes and partner are immutable: issue another key instead.
#[utoipa::path(patch, path = "/api/admin/api-keys/{keyId}", operation_id = "updateKey", tag = "Keys",
    params(("keyId" = KeyId, Path, description = "The key's id.")), request_body = UpdateInput,
    responses((status = 200, description = "The updated key", body = KeyAnswer), CantUpdate))]
async fn update(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<UpdateInput>,
) -> Answer<KeyAnswer> {
    let command = input.check(state.services.now())?;
    let key = state
        .services
        .keys
        .update(&info.audit_context_of_key(&caller), &key_id, command)
        .await?;
    Ok(Json(key.into()))
}

/// Rotate a key
///
/// A successor replaces it immediately or after a grace period in which both are accepted. The
/// response contains the successor's token, which is shown only once.
#[utoipa::path(post, path = "/api/admin/api-keys/{keyId}/rotate", operation_id = "rotateKey", tag = "Keys",
    params(("keyId" = KeyId, Path, description = "The key's id.")), request_body = RotateInput,
    responses((status = 201, description = "The successor and its token", body = RotatedAnswer), CantRotate))]
async fn rotate(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<RotateInput>,
) -> Created<RotatedAnswer> {
    let command = input.check(state.services.now())?;
    let rotated = state
        .services
        .keys
        .rotate(&info.audit_context_of_key(&caller), &key_id, command)
        .await?;
    Ok((StatusCode::CREATED, Json(rotated.into())))
}

/// Change the grace period of a retiring key
///
/// Ends it immediately or the given number of seconds from now, earlier or later than before, but never
/// after the key's notAfter. A grace period that starts with the successor's first use starts now.
#[utoipa::path(post, path = "/api/admin/api-keys/{keyId}/grace", operation_id = "changeGrace", tag = "Keys",
    params(("keyId" = KeyId, Path, description = "The key's id.")), request_body = GraceInput,
    responses((status = 200, description = "The updated key", body = KeyAnswer), CantChangeGrace))]
async fn change_grace(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<GraceInput>,
) -> Answer<KeyAnswer> {
    let seconds = input.check()?;
    let key = state
        .services
        .keys
        .change_grace(&info.audit_context_of_key(&caller), &key_id, seconds)
        .await?;
    Ok(Json(key.into()))
}

/// Revoke a key
///
/// All servers reject the key immediately. Idempotent.
#[utoipa::path(post, path = "/api/admin/api-keys/{keyId}/revoke", operation_id = "revokeKey", tag = "Keys",
    params(("keyId" = KeyId, Path, description = "The key's id.")), request_body = RevokeInput,
    responses((status = 200, description = "The time of revocation", body = RevokedAnswer), NoKey))]
async fn revoke(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<RevokeInput>,
) -> Answer<RevokedAnswer> {
    let command = input.check()?;
    let revoked = state
        .services
        .keys
        .revoke(&info.audit_context_of_key(&caller), &key_id, command)
        .await?;
    Ok(Json(revoked.into()))
}

/// Undo a revocation
///
/// Within 60 minutes, and not for `key_compromise` or `superseded`. The validity window is unchanged.
#[utoipa::path(post, path = "/api/admin/api-keys/{keyId}/restore", operation_id = "restoreKey", tag = "Keys",
    params(("keyId" = KeyId, Path, description = "The key's id.")), request_body = RestoreInput,
    responses((status = 200, description = "The updated key", body = KeyAnswer), CantRestore))]
async fn restore(
    State(state): State<AppState>,
    PathId(key_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<RestoreInput>,
) -> Answer<KeyAnswer> {
    let note = input.check()?;
    let key = state
        .services
        .keys
        .restore(&info.audit_context_of_key(&caller), &key_id, note)
        .await?;
    Ok(Json(key.into()))
}
