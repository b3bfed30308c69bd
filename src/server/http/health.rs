//! `/healthz` and `/readyz`, for whoever keeps the process running.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::problem::Problem;
use crate::domain::error::AppError;
use crate::server::state::AppState;

/// The routes. None needs a credential.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
}

/// The process answers.
async fn alive() -> Response {
    axum::Json(json!({ "ok": true })).into_response()
}

/// The database answers and its schema is current.
async fn ready(State(state): State<AppState>) -> Result<Response, Problem> {
    if !state.registry.is_ready().await? {
        tracing::warn!("not ready: the schema is not current; run `myproof-registry migrate`");
        return Err(Problem(AppError::UNAVAILABLE));
    }
    Ok(axum::Json(json!({ "ok": true })).into_response())
}
