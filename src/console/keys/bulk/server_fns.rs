//! Server functions of bulk actions.

use leptos::prelude::*;
use leptos::server_fn::codec::{StreamingText, TextStream};

use crate::console::rpc::Json;
use crate::domain::bulk::{BulkPreview, ManyRevoked};
use crate::domain::bulk_input::{BulkPreviewInput, BulkRevokeInput, BulkRotateInput};
use crate::domain::error::AppError;

/// Previews a bulk action.
#[server(prefix = "/rpc", endpoint = "bulk/preview", input = Json, output = Json)]
pub async fn preview_bulk(input: BulkPreviewInput) -> Result<BulkPreview, AppError> {
    use crate::server::context;

    context::admin()?;
    let state = context::state()?;
    let registry = &state.registry;
    let (action, selection) = input.check(registry.now()).map_err(context::told)?;
    let preview = registry.preview_bulk(action, &selection).await;
    preview.map_err(context::told)
}

/// Rotates keys in bulk. Streams lines of JSON, each a [`crate::domain::bulk::Progress`]; the successors'
/// tokens are in the last one and nowhere else. Closing the stream before that cancels the rotation.
#[server(prefix = "/rpc", endpoint = "bulk/rotate", input = Json, output = StreamingText)]
pub async fn rotate_many(input: BulkRotateInput) -> Result<TextStream<AppError>, AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let state = context::state()?;
    let order = input.check(state.registry.now()).map_err(context::told)?;
    let told = state.registry.clone().rotate_many_telling(origin, order);
    Ok(TextStream::new(context::json_lines(told)))
}

/// Revokes keys in bulk.
#[server(prefix = "/rpc", endpoint = "bulk/revoke", input = Json, output = Json)]
pub async fn revoke_many(input: BulkRevokeInput) -> Result<ManyRevoked, AppError> {
    use crate::server::context;

    let origin = context::proven_admin()?;
    let state = context::state()?;
    let registry = &state.registry;
    let order = input.check(registry.now()).map_err(context::told)?;
    registry
        .revoke_many(&origin, order)
        .await
        .map_err(context::told)
}
