//! Many keys in one order.

use leptos::prelude::*;
use leptos::server_fn::codec::{StreamingText, TextStream};

use crate::console::rpc::Json;
use crate::domain::bulk::{BulkPreview, ManyRevoked};
use crate::domain::bulk_input::{BulkPreviewInput, BulkRevokeInput, BulkRotateInput};
use crate::domain::error::AppError;

/// What an order would do.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "bulk/preview", input = Json, output = Json)]
pub async fn preview_bulk(input: BulkPreviewInput) -> Result<BulkPreview, AppError> {
    use crate::server::context;

    context::admin()?;
    let state = context::state()?;
    let services = &state.services;
    let (action, selection) = input.check(services.now())?;
    let preview = services.keys.preview_bulk(action, &selection).await;
    preview
}

/// Rotates many keys and tells how far it is: lines of JSON, each a
/// [`crate::domain::bulk::Progress`]. The successors' tokens are in the last one and nowhere else.
/// Who stops listening before that stops the order.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what is wrong with the order.
#[server(prefix = "/rpc", endpoint = "bulk/rotate", input = Json, output = StreamingText)]
pub async fn rotate_many(input: BulkRotateInput) -> Result<TextStream<AppError>, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let state = context::state()?;
    let order = input.check(state.services.now())?;
    let keys = state.services.keys.clone();
    let progress = keys.rotate_many_with_progress(audit_context, order);
    Ok(TextStream::new(context::json_lines(progress)))
}

/// Revokes many keys at once.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], [`AppError::FactorNeeded`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "bulk/revoke", input = Json, output = Json)]
pub async fn revoke_many(input: BulkRevokeInput) -> Result<ManyRevoked, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let state = context::state()?;
    let services = &state.services;
    let order = input.check(services.now())?;
    services.keys.revoke_many(&audit_context, order).await
}
