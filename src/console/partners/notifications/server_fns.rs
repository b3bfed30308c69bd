//! Server functions of a partner's webhooks and deliveries.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::notification::Delivery;
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

/// Returns a partner's webhooks and one page of its deliveries.
#[server(prefix = "/rpc", endpoint = "notices/list", input = Json, output = Json)]
pub async fn list_notifications(
    partner_id: Uuid,
    query: DeliveryListInput,
) -> Result<NotificationsData, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let services = &state.services;
    let query = query.check()?;
    let partner = services.partners.get(partner_id).await?;
    let webhooks = services.notifications.list_webhooks(partner_id).await;
    let page = services
        .notifications
        .list_deliveries(partner_id, &query)
        .await;
    Ok(NotificationsData {
        now: services.now(),
        viewer,
        partner,
        webhooks: webhooks?,
        page: page?,
    })
}

/// Creates a webhook. Only this response contains its secret.
#[server(prefix = "/rpc", endpoint = "notices/create-webhook", input = Json, output = Json)]
pub async fn create_webhook(partner_id: Uuid, input: WebhookInput) -> Result<NewWebhook, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let command = input.check()?;
    context::state()?
        .services
        .notifications
        .create_webhook(&audit_context, partner_id, command)
        .await
}

/// Changes a webhook.
#[server(prefix = "/rpc", endpoint = "notices/update-webhook", input = Json, output = Json)]
pub async fn update_webhook(
    webhook_id: Uuid,
    input: WebhookUpdateInput,
) -> Result<Webhook, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let command = input.check()?;
    context::state()?
        .services
        .notifications
        .update_webhook(&audit_context, webhook_id, command)
        .await
}

/// Deletes a webhook with its delivery log.
#[server(prefix = "/rpc", endpoint = "notices/delete-webhook", input = Json, output = Json)]
pub async fn delete_webhook(webhook_id: Uuid) -> Result<(), AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let state = context::state()?;
    state
        .services
        .notifications
        .delete_webhook(&audit_context, webhook_id)
        .await
}

/// Restarts a delivery.
#[server(prefix = "/rpc", endpoint = "notices/send-again", input = Json, output = Json)]
pub async fn resend_delivery(delivery_id: Uuid) -> Result<Delivery, AppError> {
    use crate::server::context;

    let audit_context = context::admin()?;
    let state = context::state()?;
    state
        .services
        .notifications
        .resend(&audit_context, delivery_id)
        .await
}
