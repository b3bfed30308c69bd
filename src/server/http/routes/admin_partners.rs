//! `/api/admin/partners`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::domain::error::{AppResult, Missing};
use crate::domain::list::PartnerListInput;
use crate::domain::partner::{PartnerInput, PartnerUpdateInput};
use crate::domain::scope::Scope;
use crate::server::http::answers::{PartnerAnswer, PartnersAnswer};
use crate::server::http::extract::json::StrictJson;
use crate::server::http::extract::path::PathId;
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::openapi::NoPartner;
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    let admin = |methods| gate.guard(&[Scope::Admin], methods);
    OpenApiRouter::new()
        .routes(admin(routes!(list, create)))
        .routes(admin(routes!(show, update)))
}

/// List partners
#[utoipa::path(get, path = "/api/admin/partners", operation_id = "listPartners", tag = "Partners",
    params(PartnerListInput),
    responses((status = 200, description = "A page of partners", body = PartnersAnswer)))]
async fn list(
    State(state): State<AppState>,
    StrictQuery(input): StrictQuery<PartnerListInput>,
) -> Result<Json<PartnersAnswer>, Problem> {
    let page = state.services.partners.list(&input.check()?).await?;
    Ok(Json(page.into()))
}

/// Create a partner
#[utoipa::path(post, path = "/api/admin/partners", operation_id = "createPartner", tag = "Partners",
    request_body = PartnerInput,
    responses((status = 201, description = "The partner", body = PartnerAnswer)))]
async fn create(
    State(state): State<AppState>,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<PartnerInput>,
) -> Result<(StatusCode, Json<PartnerAnswer>), Problem> {
    let partner = state
        .services
        .partners
        .create(&info.audit_context_of_key(&caller), input.check()?)
        .await?;
    Ok((StatusCode::CREATED, Json(partner.into())))
}

/// Get a partner
#[utoipa::path(get, path = "/api/admin/partners/{partnerId}", operation_id = "getPartner", tag = "Partners",
    params(("partnerId" = Uuid, Path, description = "The partner's id.")),
    responses((status = 200, description = "The partner", body = PartnerAnswer), NoPartner))]
async fn show(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
) -> Result<Json<PartnerAnswer>, Problem> {
    let partner = state.services.partners.get(in_path(&partner_id)?).await?;
    Ok(Json(partner.into()))
}

/// Update a partner
///
/// Deactivating a partner disables all its keys immediately.
#[utoipa::path(patch, path = "/api/admin/partners/{partnerId}", operation_id = "updatePartner", tag = "Partners",
    params(("partnerId" = Uuid, Path, description = "The partner's id.")), request_body = PartnerUpdateInput,
    responses((status = 200, description = "The updated partner", body = PartnerAnswer), NoPartner))]
async fn update(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<PartnerUpdateInput>,
) -> Result<Json<PartnerAnswer>, Problem> {
    let command = input.check()?;
    let audit_context = info.audit_context_of_key(&caller);
    let partner = state
        .services
        .partners
        .update(&audit_context, in_path(&partner_id)?, command)
        .await?;
    Ok(Json(partner.into()))
}

/// Parses the partner's id in a path. A malformed id is reported as not found.
pub(super) fn in_path(partner_id: &str) -> AppResult<Uuid> {
    Uuid::try_parse(partner_id).map_err(|_| Missing::PartnerNotFound.into())
}
