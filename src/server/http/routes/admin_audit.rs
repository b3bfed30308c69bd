//! `/api/admin/audit`: the history.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::list::EventListInput;
use crate::domain::scope::Scope;
use crate::server::http::answers::{CheckpointAnswer, EventsAnswer};
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::middleware::guard::Gate;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

/// The routes.
pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(gate.guard(&[Scope::Admin], routes!(list)))
        .routes(gate.guard(&[Scope::Admin], routes!(checkpoint)))
}

/// List what was done
#[utoipa::path(get, path = "/api/admin/audit", operation_id = "listEvents", tag = "History",
    params(EventListInput),
    responses((status = 200, description = "A page of the history", body = EventsAnswer)))]
async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<EventListInput>,
) -> Result<Json<EventsAnswer>, Problem> {
    let page = state.services.audit.list(&input.check()?).await?;
    Ok(Json(page.into()))
}

/// Sign the end of the history
///
/// Keep the checkpoint where nobody who can write to the database can change it:
/// `myproof-registry audit verify --checkpoints FILE` then shows that nothing was cut off or
/// written anew. `null` before the first event.
#[utoipa::path(get, path = "/api/admin/audit/checkpoint", operation_id = "getCheckpoint", tag = "History",
    responses((status = 200, description = "The checkpoint", body = CheckpointAnswer)))]
async fn checkpoint(State(state): State<AppState>) -> Result<Json<CheckpointAnswer>, Problem> {
    let checkpoint = state.services.audit.checkpoint().await?;
    Ok(Json(checkpoint.into()))
}
