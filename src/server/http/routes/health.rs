//! `/healthz` and `/readyz`, for whoever keeps the process running.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::error::AppError;
use crate::server::http::answers::OkResponse;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

/// The routes. None needs a credential.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(alive))
        .routes(routes!(ready))
}

/// Whether the process answers
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "Service",
    responses((status = 200, description = "It does", body = OkResponse)))]
async fn alive() -> Json<OkResponse> {
    Json(OkResponse::default())
}

/// Whether the database answers, its schema is current, and the process is not about to stop
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "Service",
    responses((status = 200, description = "It does and is", body = OkResponse)))]
async fn ready(State(state): State<AppState>) -> Result<Json<OkResponse>, Problem> {
    if state.leaving.load(Ordering::Relaxed) {
        return Err(Problem(AppError::UNAVAILABLE));
    }
    if !state.services.is_ready().await? {
        tracing::warn!("not ready: the schema is not current; run `myproof-registry migrate`");
        return Err(Problem(AppError::UNAVAILABLE));
    }
    Ok(Json(OkResponse::default()))
}
