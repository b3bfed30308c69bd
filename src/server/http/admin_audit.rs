//! `/api/admin/audit`: the history.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answers::EventsAnswer;
use super::guard::Gate;
use super::problem::Problem;
use super::query::StrictQuery;
use crate::domain::list::EventListInput;
use crate::domain::scope::Scope;
use crate::server::state::AppState;

/// The routes.
pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(gate.guard(&[Scope::Admin], routes!(list)))
}

/// List what was done
#[utoipa::path(get, path = "/api/admin/audit", operation_id = "listEvents", tag = "History",
    params(EventListInput),
    responses((status = 200, description = "A page of the history", body = EventsAnswer)))]
async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<EventListInput>,
) -> Result<Json<EventsAnswer>, Problem> {
    let page = state.registry.list_events(&input.check()?).await?;
    Ok(Json(page.into()))
}
