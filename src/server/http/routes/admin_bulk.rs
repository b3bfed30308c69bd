//! `/api/admin/bulk`: bulk actions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::bulk_input::{BulkPreviewInput, BulkRevokeInput, BulkRotateInput};
use crate::domain::scope::Scope;
use crate::server::http::answers::{BulkPreviewAnswer, ManyRevokedAnswer, ManyRotatedAnswer};
use crate::server::http::extract::json::StrictJson;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    let admin = |methods| gate.guard(&[Scope::Admin], methods);
    OpenApiRouter::new()
        .routes(admin(routes!(preview)))
        .routes(admin(routes!(rotate)))
        .routes(admin(routes!(revoke)))
}

/// Preview a bulk action
///
/// Returns the keys it would affect, how many of them are in use, and which it would skip. Changes
/// nothing.
#[utoipa::path(post, path = "/api/admin/bulk/preview", operation_id = "previewBulk", tag = "Bulk actions",
    request_body = BulkPreviewInput,
    responses((status = 200, description = "The effect of the action", body = BulkPreviewAnswer)))]
async fn preview(
    State(state): State<AppState>,
    StrictJson(input): StrictJson<BulkPreviewInput>,
) -> Result<Json<BulkPreviewAnswer>, Problem> {
    let (action, selection) = input.check(state.services.now())?;
    let preview = state.services.keys.preview_bulk(action, &selection).await?;
    Ok(Json(preview.into()))
}

/// Rotate keys in bulk
///
/// In one transaction, up to 500, oldest first; a successor replaces each key after a grace period of
/// at least an hour. The response contains the successors' tokens, which are shown only once. 100 keys
/// take one to two seconds.
#[utoipa::path(post, path = "/api/admin/bulk/rotate", operation_id = "rotateMany", tag = "Bulk actions",
    request_body = BulkRotateInput,
    responses((status = 201, description = "The successors and their tokens", body = ManyRotatedAnswer)))]
async fn rotate(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<BulkRotateInput>,
) -> Result<(StatusCode, Json<ManyRotatedAnswer>), Problem> {
    let command = input.check(state.services.now())?;
    let rotated = state
        .services
        .keys
        .rotate_many(&info.audit_context_of_key(&caller), command, |_, _| {})
        .await?;
    Ok((StatusCode::CREATED, Json(rotated.into())))
}

/// Revoke keys in bulk
///
/// In one transaction, up to 500, oldest first. All servers reject the keys immediately.
#[utoipa::path(post, path = "/api/admin/bulk/revoke", operation_id = "revokeMany", tag = "Bulk actions",
    request_body = BulkRevokeInput,
    responses((status = 200, description = "The revoked keys", body = ManyRevokedAnswer)))]
async fn revoke(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<BulkRevokeInput>,
) -> Result<Json<ManyRevokedAnswer>, Problem> {
    let command = input.check(state.services.now())?;
    let revoked = state
        .services
        .keys
        .revoke_many(&info.audit_context_of_key(&caller), command)
        .await?;
    Ok(Json(revoked.into()))
}
