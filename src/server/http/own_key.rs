//! `/api/key`: what a partner may know of the key it calls with.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::KeyAnswer;
use super::guard::{Gate, Key};
use super::problem::Problem;
use crate::server::state::AppState;

/// The routes.
pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(gate.guard(&[], routes!(show)))
}

/// Show the key you call with
#[utoipa::path(get, path = "/api/key", operation_id = "getOwnKey", tag = "Your key",
    responses((status = 200, description = "The key", body = KeyAnswer)))]
async fn show(State(state): State<AppState>, Key(caller): Key) -> Result<Json<KeyAnswer>, Problem> {
    let key = state.registry.key(caller.key_id().as_str()).await?;
    Ok(Json(key.into()))
}
