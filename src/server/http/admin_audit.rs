//! `/api/admin/audit`: the history.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::guard::guarded;
use super::problem::Problem;
use super::query::StrictQuery;
use super::success;
use crate::domain::list::EventListInput;
use crate::domain::scope::Scope;
use crate::server::state::AppState;

/// The routes.
pub fn routes(state: &AppState) -> Router<AppState> {
    Router::new().route(
        "/api/admin/audit",
        guarded(state, &[Scope::Admin], get(list)),
    )
}

async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<EventListInput>,
) -> Result<Response, Problem> {
    let page = state.registry.list_events(&input.check()?).await?;
    Ok(success(json!({ "events": page.items, "nextCursor": page.next_cursor })).into_response())
}
