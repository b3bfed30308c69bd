//! `/api/admin/partners`.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use uuid::Uuid;

use super::guard::{Key, guarded};
use super::json::StrictJson;
use super::path::PathId;
use super::problem::Problem;
use super::query::StrictQuery;
use super::request::RequestInfo;
use super::success;
use crate::domain::error::{AppResult, Missing};
use crate::domain::list::PartnerListInput;
use crate::domain::partner::{PartnerInput, PartnerUpdateInput};
use crate::domain::scope::Scope;
use crate::server::state::AppState;

/// The routes.
pub fn routes(state: &AppState) -> Router<AppState> {
    let admin = |methods| guarded(state, &[Scope::Admin], methods);
    Router::new()
        .route("/api/admin/partners", admin(get(list).post(create)))
        .route(
            "/api/admin/partners/{partner_id}",
            admin(get(show).patch(update)),
        )
}

async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<PartnerListInput>,
) -> Result<Response, Problem> {
    let page = state.registry.list_partners(&input.check()?).await?;
    Ok(success(json!({ "partners": page.items, "nextCursor": page.next_cursor })).into_response())
}

async fn create(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<PartnerInput>,
) -> Result<Response, Problem> {
    let partner = state
        .registry
        .create_partner(&info.origin_of_key(&caller), input.check()?)
        .await?;
    Ok((StatusCode::CREATED, success(json!({ "partner": partner }))).into_response())
}

async fn show(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
) -> Result<Response, Problem> {
    let partner = state.registry.partner(in_path(&partner_id)?).await?;
    Ok(success(json!({ "partner": partner })).into_response())
}

async fn update(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<PartnerUpdateInput>,
) -> Result<Response, Problem> {
    let command = input.check()?;
    let origin = info.origin_of_key(&caller);
    let partner = state
        .registry
        .update_partner(&origin, in_path(&partner_id)?, command)
        .await?;
    Ok(success(json!({ "partner": partner })).into_response())
}

/// A partner's id in a path; a malformed one is nobody's.
fn in_path(partner_id: &str) -> AppResult<Uuid> {
    Uuid::try_parse(partner_id).map_err(|_| Missing::PartnerNotFound.into())
}
