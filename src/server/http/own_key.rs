//! `/api/key`: what a partner may know of the key it calls with.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::guard::{Key, guarded};
use super::problem::Problem;
use super::success;
use crate::server::state::AppState;

/// The routes.
pub fn routes(state: &AppState) -> Router<AppState> {
    Router::new().route("/api/key", guarded(state, &[], get(show)))
}

async fn show(State(state): State<AppState>, Key(caller): Key) -> Result<Response, Problem> {
    let key = state.registry.key(caller.key_id().as_str()).await?;
    Ok(success(json!({ "key": key })).into_response())
}
