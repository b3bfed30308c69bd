//! `/api/admin/…/webhooks` and `/api/admin/…/deliveries`: webhooks and deliveries of notifications.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::admin_partners;
use crate::domain::error::{AppResult, Missing};
use crate::domain::scope::Scope;
use crate::domain::webhook::{DeliveryListInput, WebhookInput, WebhookUpdateInput};
use crate::server::http::answers::{
    DeliveriesAnswer, DeliveryAnswer, NewWebhookAnswer, OkResponse, WebhookAnswer, WebhooksAnswer,
};
use crate::server::http::extract::json::StrictJson;
use crate::server::http::extract::path::PathId;
use crate::server::http::extract::query::StrictQuery;
use crate::server::http::extract::request::RequestInfo;
use crate::server::http::middleware::guard::{Gate, Key};
use crate::server::http::openapi::{CantAddWebhook, NoDelivery, NoPartner, NoWebhook};
use crate::server::http::problem::Problem;
use crate::server::state::AppState;

pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    let admin = |methods| gate.guard(&[Scope::Admin], methods);
    OpenApiRouter::new()
        .routes(admin(routes!(list, create)))
        .routes(admin(routes!(update, delete)))
        .routes(admin(routes!(deliveries)))
        .routes(admin(routes!(send_again)))
}

/// List a partner's webhooks
#[utoipa::path(get, path = "/api/admin/partners/{partnerId}/webhooks", operation_id = "listWebhooks", tag = "Notifications",
    params(("partnerId" = Uuid, Path, description = "The partner's id.")),
    responses((status = 200, description = "The webhooks, oldest first", body = WebhooksAnswer), NoPartner))]
async fn list(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
) -> Result<Json<WebhooksAnswer>, Problem> {
    let partner_id = admin_partners::in_path(&partner_id)?;
    let webhooks = state
        .services
        .notifications
        .list_webhooks(partner_id)
        .await?;
    Ok(Json(webhooks.into()))
}

/// Create a webhook
///
/// Receives notifications about the partner's keys, signed according to Standard Webhooks and retried
/// for 24 hours. The response contains the signing secret, which is shown only once. The URL must be a
/// public https URL; a partner can have up to ten webhooks.
#[utoipa::path(post, path = "/api/admin/partners/{partnerId}/webhooks", operation_id = "createWebhook", tag = "Notifications",
    params(("partnerId" = Uuid, Path, description = "The partner's id.")), request_body = WebhookInput,
    responses((status = 201, description = "The webhook and its secret", body = NewWebhookAnswer), CantAddWebhook))]
async fn create(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<WebhookInput>,
) -> Result<(StatusCode, Json<NewWebhookAnswer>), Problem> {
    let command = input.check()?;
    let audit_context = info.audit_context_of_key(&caller);
    let made = state
        .services
        .notifications
        .create_webhook(
            &audit_context,
            admin_partners::in_path(&partner_id)?,
            command,
        )
        .await?;
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Update a webhook
#[utoipa::path(patch, path = "/api/admin/webhooks/{webhookId}", operation_id = "updateWebhook", tag = "Notifications",
    params(("webhookId" = Uuid, Path, description = "The webhook's id.")), request_body = WebhookUpdateInput,
    responses((status = 200, description = "The updated webhook", body = WebhookAnswer), NoWebhook))]
async fn update(
    State(state): State<AppState>,
    PathId(webhook_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
    StrictJson(input): StrictJson<WebhookUpdateInput>,
) -> Result<Json<WebhookAnswer>, Problem> {
    let command = input.check()?;
    let audit_context = info.audit_context_of_key(&caller);
    let webhook = state
        .services
        .notifications
        .update_webhook(&audit_context, webhook_in_path(&webhook_id)?, command)
        .await?;
    Ok(Json(webhook.into()))
}

/// Delete a webhook
///
/// Deletes its delivery log too.
#[utoipa::path(delete, path = "/api/admin/webhooks/{webhookId}", operation_id = "deleteWebhook", tag = "Notifications",
    params(("webhookId" = Uuid, Path, description = "The webhook's id.")),
    responses((status = 200, description = "The webhook was deleted", body = OkResponse), NoWebhook))]
async fn delete(
    State(state): State<AppState>,
    PathId(webhook_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
) -> Result<Json<OkResponse>, Problem> {
    let audit_context = info.audit_context_of_key(&caller);
    let webhook_id = webhook_in_path(&webhook_id)?;
    state
        .services
        .notifications
        .delete_webhook(&audit_context, webhook_id)
        .await?;
    Ok(Json(OkResponse::default()))
}

/// List a partner's deliveries
///
/// All deliveries of notifications by webhook and e-mail, with the result of the last attempt. Request
/// and response bodies are not stored.
#[utoipa::path(get, path = "/api/admin/partners/{partnerId}/deliveries", operation_id = "listDeliveries", tag = "Notifications",
    params(("partnerId" = Uuid, Path, description = "The partner's id."), DeliveryListInput),
    responses((status = 200, description = "A page of deliveries", body = DeliveriesAnswer), NoPartner))]
async fn deliveries(
    State(state): State<AppState>,
    PathId(partner_id): PathId,
    StrictQuery(input): StrictQuery<DeliveryListInput>,
) -> Result<Json<DeliveriesAnswer>, Problem> {
    let query = input.check()?;
    let partner_id = admin_partners::in_path(&partner_id)?;
    let page = state
        .services
        .notifications
        .list_deliveries(partner_id, &query)
        .await?;
    Ok(Json(page.into()))
}

/// Resend a notification
///
/// Immediately, then with retries for another 24 hours.
#[utoipa::path(post, path = "/api/admin/deliveries/{deliveryId}/send-again", operation_id = "sendAgain", tag = "Notifications",
    params(("deliveryId" = Uuid, Path, description = "The delivery's id.")),
    responses((status = 200, description = "The delivery, which is pending again", body = DeliveryAnswer), NoDelivery))]
async fn send_again(
    State(state): State<AppState>,
    PathId(delivery_id): PathId,
    info: RequestInfo,
    Key(caller): Key,
) -> Result<Json<DeliveryAnswer>, Problem> {
    let audit_context = info.audit_context_of_key(&caller);
    let delivery_id = Uuid::try_parse(&delivery_id);
    let delivery_id = delivery_id.map_err(|_| Problem(Missing::DeliveryNotFound.into()))?;
    let delivery = state
        .services
        .notifications
        .resend(&audit_context, delivery_id)
        .await?;
    Ok(Json(delivery.into()))
}

/// Parses the webhook's id in a path. A malformed id is reported as not found.
fn webhook_in_path(webhook_id: &str) -> AppResult<Uuid> {
    Uuid::try_parse(webhook_id).map_err(|_| Missing::WebhookNotFound.into())
}
