//! Server functions of webhooks and deliveries.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::notice::Delivery;
use crate::domain::operator::Operator;
use crate::domain::page::Page;
use crate::domain::partner::Partner;
use crate::domain::webhook::{
    DeliveryListInput, NewWebhook, Webhook, WebhookInput, WebhookUpdateInput,
};

/// A partner's webhooks and a page of its deliveries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotificationsData {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub partner: Partner,
    pub webhooks: Vec<Webhook>,
    pub page: Page<Delivery>,
}

/// Lists a partner's webhooks and one page of its deliveries.
#[server(prefix = "/rpc", endpoint = "notices/list", input = Json, output = Json)]
pub async fn list_notifications(
    partner_id: Uuid,
    query: DeliveryListInput,
) -> Result<NotificationsData, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let registry = &state.registry;
    let query = query.check().map_err(context::told)?;
    let partner = registry.partner(partner_id).await.map_err(context::told)?;
    let webhooks = registry.list_webhooks(partner_id).await;
    let page = registry.list_deliveries(partner_id, &query).await;
    Ok(NotificationsData {
        now: registry.now(),
        viewer,
        partner,
        webhooks: webhooks.map_err(context::told)?,
        page: page.map_err(context::told)?,
    })
}

/// Creates a webhook; its secret is in this answer and nowhere else.
#[server(prefix = "/rpc", endpoint = "notices/create-webhook", input = Json, output = Json)]
pub async fn create_webhook(partner_id: Uuid, input: WebhookInput) -> Result<NewWebhook, AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let command = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .create_webhook(&origin, partner_id, command)
        .await
        .map_err(context::told)
}

/// Changes a webhook.
#[server(prefix = "/rpc", endpoint = "notices/update-webhook", input = Json, output = Json)]
pub async fn update_webhook(
    webhook_id: Uuid,
    input: WebhookUpdateInput,
) -> Result<Webhook, AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let command = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .update_webhook(&origin, webhook_id, command)
        .await
        .map_err(context::told)
}

/// Deletes a webhook with its delivery log.
#[server(prefix = "/rpc", endpoint = "notices/delete-webhook", input = Json, output = Json)]
pub async fn delete_webhook(webhook_id: Uuid) -> Result<(), AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let state = context::state()?;
    let deleted = state.registry.delete_webhook(&origin, webhook_id).await;
    deleted.map_err(context::told)
}

/// Queues a delivery again.
#[server(prefix = "/rpc", endpoint = "notices/send-again", input = Json, output = Json)]
pub async fn resend_delivery(delivery_id: Uuid) -> Result<Delivery, AppError> {
    use crate::server::context;

    let origin = context::admin()?;
    let state = context::state()?;
    let delivery = state.registry.send_again(&origin, delivery_id).await;
    delivery.map_err(context::told)
}
