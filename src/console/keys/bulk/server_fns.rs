//! Server functions of bulk actions.

use leptos::prelude::*;
use leptos::server_fn::codec::{StreamingText, TextStream};

use crate::console::rpc::Json;
use crate::domain::bulk::{BulkPreview, ManyRevoked};
use crate::domain::bulk_input::{BulkPreviewInput, BulkRevokeInput, BulkRotateInput};
use crate::domain::error::AppError;

/// Returns what a bulk action would do.
#[server(prefix = "/rpc", endpoint = "bulk/preview", input = Json, output = Json)]
pub async fn preview_bulk(input: BulkPreviewInput) -> Result<BulkPreview, AppError> {
    use crate::server::context;

    context::admin()?;
    let state = context::state()?;
    let services = &state.services;
    let (action, selection) = input.check(services.now())?;
    services.keys.preview_bulk(action, &selection).await
}

/// Rotates many keys and streams the progress: lines of JSON, each a [`crate::domain::bulk::Progress`]. Only
/// the last one contains the successors' tokens. Closing the stream before its end cancels the rotation.
#[server(prefix = "/rpc", endpoint = "bulk/rotate", input = Json, output = StreamingText)]
pub async fn rotate_many(input: BulkRotateInput) -> Result<TextStream<AppError>, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let state = context::state()?;
    let command = input.check(state.services.now())?;
    let keys = state.services.keys.clone();
    let progress = keys.rotate_many_with_progress(audit_context, command);
    Ok(TextStream::new(context::json_lines(progress)))
}

/// Revokes many keys.
#[server(prefix = "/rpc", endpoint = "bulk/revoke", input = Json, output = Json)]
pub async fn revoke_many(input: BulkRevokeInput) -> Result<ManyRevoked, AppError> {
    use crate::server::context;

    let audit_context = context::proven_admin()?;
    let state = context::state()?;
    let services = &state.services;
    let command = input.check(services.now())?;
    services.keys.revoke_many(&audit_context, command).await
}
