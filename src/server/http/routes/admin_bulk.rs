//! `/api/admin/bulk`: many keys in one order.

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

/// The routes.
pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    let admin = |methods| gate.guard(&[Scope::Admin], methods);
    OpenApiRouter::new()
        .routes(admin(routes!(preview)))
        .routes(admin(routes!(rotate)))
        .routes(admin(routes!(revoke)))
}

/// Preview an order about many keys
///
/// Which keys it would be carried out for, how many of them are in use, and which it would leave as
/// they are. Nothing is changed.
#[utoipa::path(post, path = "/api/admin/bulk/preview", operation_id = "previewBulk", tag = "Many keys",
    request_body = BulkPreviewInput,
    responses((status = 200, description = "What the order would do", body = BulkPreviewAnswer)))]
async fn preview(
    State(state): State<AppState>,
    StrictJson(input): StrictJson<BulkPreviewInput>,
) -> Result<Json<BulkPreviewAnswer>, Problem> {
    let (action, selection) = input.check(state.services.now())?;
    let preview = state.services.keys.preview_bulk(action, &selection).await?;
    Ok(Json(preview.into()))
}

/// Rotate many keys
///
/// In one transaction, up to 500, the oldest first; a successor takes the place of each after a
/// grace of at least an hour. The answer holds the successors' tokens, which are shown this once and
/// never again. Some 100 keys take a second or two.
#[utoipa::path(post, path = "/api/admin/bulk/rotate", operation_id = "rotateMany", tag = "Many keys",
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

/// Revoke many keys
///
/// In one transaction, up to 500, the oldest first. They are refused at once, everywhere.
#[utoipa::path(post, path = "/api/admin/bulk/revoke", operation_id = "revokeMany", tag = "Many keys",
    request_body = BulkRevokeInput,
    responses((status = 200, description = "What was revoked", body = ManyRevokedAnswer)))]
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
