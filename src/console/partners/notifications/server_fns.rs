//! What partners are told of their keys, as the console shows and changes it.

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
pub struct NoticesPage {
    /// The server's time.
    pub now: DateTime<Utc>,
    /// Who asked.
    pub viewer: Operator,
    /// The partner.
    pub partner: Partner,
    /// Its webhooks.
    pub webhooks: Vec<Webhook>,
    /// Its deliveries.
    pub page: Page<Delivery>,
}

/// A partner's webhooks and one page of its deliveries.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::Invalid`], or why they can't be read right now.
#[server(prefix = "/rpc", endpoint = "notices/list", input = Json, output = Json)]
pub async fn list_notices(
    partner_id: Uuid,
    query: DeliveryListInput,
) -> Result<NoticesPage, AppError> {
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
    Ok(NoticesPage {
        now: services.now(),
        viewer,
        partner,
        webhooks: webhooks?,
        page: page?,
    })
}

/// Makes a webhook; its secret is in this answer and nowhere else.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], or what the service refuses.
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
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], or what the service refuses.
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
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "notices/delete-webhook", input = Json, output = Json)]
pub async fn delete_webhook(webhook_id: Uuid) -> Result<(), AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let state = context::state()?;
    let deleted = state
        .services
        .notifications
        .delete_webhook(&audit_context, webhook_id)
        .await;
    deleted
}

/// Has a notice sent again.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "notices/send-again", input = Json, output = Json)]
pub async fn send_again(delivery_id: Uuid) -> Result<Delivery, AppError> {
    use crate::server::context;

    let audit_context = context::admin()?;
    let state = context::state()?;
    let delivery = state
        .services
        .notifications
        .resend(&audit_context, delivery_id)
        .await;
    delivery
}
