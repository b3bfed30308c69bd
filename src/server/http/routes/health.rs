//! `/healthz` and `/readyz`, for service managers and load balancers.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::error::AppError;
use crate::server::http::answers::OkResponse;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

/// Routes that need no credential.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(alive))
        .routes(routes!(ready))
}

/// Liveness
#[utoipa::path(get, path = "/healthz", operation_id = "getHealth", tag = "Service",
    responses((status = 200, description = "The process responds", body = OkResponse)))]
async fn alive() -> Json<OkResponse> {
    Json(OkResponse::default())
}

/// Readiness: database reachable, schema current, not shutting down
#[utoipa::path(get, path = "/readyz", operation_id = "getReadiness", tag = "Service",
    responses((status = 200, description = "The server is ready", body = OkResponse)))]
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
