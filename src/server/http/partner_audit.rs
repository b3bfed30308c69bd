//! `/api/audit`: the history of the caller's own partner.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::guard::{Key, guarded};
use super::problem::Problem;
use super::query::StrictQuery;
use super::success;
use crate::domain::list::EventListInput;
use crate::domain::scope::Scope;
use crate::server::state::AppState;

/// The routes.
pub fn routes(state: &AppState) -> Router<AppState> {
    Router::new().route("/api/audit", guarded(state, &[Scope::AuditRead], get(list)))
}

async fn list(
    State(state): State<AppState>,
    Key(caller): Key,
    StrictQuery(input): StrictQuery<EventListInput>,
) -> Result<Response, Problem> {
    let query = input.check()?;
    let page = state
        .registry
        .list_events_of_partner(caller.partner_id(), &query)
        .await?;
    Ok(success(json!({ "events": page.items, "nextCursor": page.next_cursor })).into_response())
}
