//! `/api/admin/audit`: the audit log.

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

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(gate.guard(&[Scope::Admin], routes!(list)))
        .routes(gate.guard(&[Scope::Admin], routes!(checkpoint)))
}

/// List events
#[utoipa::path(get, path = "/api/admin/audit", operation_id = "listEvents", tag = "Audit log",
    params(EventListInput),
    responses((status = 200, description = "A page of the audit log", body = EventsAnswer)))]
async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<EventListInput>,
) -> Result<Json<EventsAnswer>, Problem> {
    let page = state.services.audit.list(&input.check()?).await?;
    Ok(Json(page.into()))
}

/// Sign the head of the audit log
///
/// Store the checkpoint where nobody with write access to the database can change it:
/// `myproof-registry audit verify --checkpoints FILE` then detects truncated or rewritten events.
/// `null` before the first event.
#[utoipa::path(get, path = "/api/admin/audit/checkpoint", operation_id = "getCheckpoint", tag = "Audit log",
    responses((status = 200, description = "The checkpoint", body = CheckpointAnswer)))]
async fn checkpoint(State(state): State<AppState>) -> Result<Json<CheckpointAnswer>, Problem> {
    let checkpoint = state.services.audit.checkpoint().await?;
    Ok(Json(checkpoint.into()))
}
