//! `/api/audit`: the audit log of the caller's partner.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::list::EventListInput;
use crate::domain::scope::Scope;
use crate::server::http::answers::EventsAnswer;
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(gate.guard(&[Scope::AuditRead], routes!(list)))
}

/// List your partner's events
///
/// Operators appear as `operator`, without IP address or e-mail address.
#[utoipa::path(get, path = "/api/audit", operation_id = "listOwnEvents", tag = "Your key",
    params(EventListInput),
    responses((status = 200, description = "A page of your partner's audit log", body = EventsAnswer)))]
async fn list(
    State(state): State<AppState>,
    Key(caller): Key,
    StrictQuery(input): StrictQuery<EventListInput>,
) -> Result<Json<EventsAnswer>, Problem> {
    let query = input.check()?;
    let page = state
        .services
        .audit
        .list_of_partner(caller.partner_id(), &query)
        .await?;
    Ok(Json(page.into()))
}
