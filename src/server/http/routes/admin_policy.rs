//! `/api/admin/policy`: the key age policy.

use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::policy::PolicyInput;
use crate::domain::scope::Scope;
use crate::server::http::answers::PolicyAnswer;
use crate::server::http::extract::json::StrictJson;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(gate.guard(&[Scope::Admin], routes!(show, update)))
}

/// Get the key age policy
#[utoipa::path(get, path = "/api/admin/policy", operation_id = "getPolicy", tag = "Policy",
    responses((status = 200, description = "The policy", body = PolicyAnswer)))]
async fn show(State(state): State<AppState>) -> Result<Json<PolicyAnswer>, Problem> {
    Ok(Json(state.services.policy.get().await?.into()))
}

/// Update the key age policy
///
/// Existing keys keep working: those past the maximum age are marked as due for rotation, and the
/// maximum lifetime applies to new keys only.
#[utoipa::path(patch, path = "/api/admin/policy", operation_id = "updatePolicy", tag = "Policy",
    request_body = PolicyInput,
    responses((status = 200, description = "The policy", body = PolicyAnswer)))]
async fn update(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<PolicyInput>,
) -> Result<Json<PolicyAnswer>, Problem> {
    let audit_context = info.audit_context_of_key(&caller);
    let policy = state
        .services
        .policy
        .update(&audit_context, input.check()?)
        .await?;
    Ok(Json(policy.into()))
}
