//! Server functions of keys.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::grace::GraceInput;
use crate::domain::key::{IssuedKey, KeyView, RevokedKey};
use crate::domain::key_details::KeyDetails;
use crate::domain::key_input::{IssueInput, RestoreInput, RevokeInput, UpdateInput};
use crate::domain::key_list::KeyListInput;
use crate::domain::operator::Operator;
use crate::domain::overview::{Overview, OverviewInput};
use crate::domain::page::Page;
use crate::domain::rotation::{RotateInput, RotatedKey};

/// A page of keys. The server's time makes "3 minutes ago" read the same on both sides, and the viewer
/// decides which actions the table offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyPage {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub page: Page<KeyView>,
    /// The uses of each key in the last 36 hours, as the path of a small plot.
    pub sparklines: Vec<Option<String>>,
}

/// Lists one page of keys.
#[server(prefix = "/rpc", endpoint = "keys/list", input = Json, output = Json)]
pub async fn list_keys(query: KeyListInput) -> Result<KeyPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let registry = &state.registry;
    let query = query.check().map_err(context::told)?;
    let page = registry.list_keys(&query).await.map_err(context::told)?;
    let sparklines = registry
        .sparklines(&page.items)
        .await
        .map_err(context::told)?;
    Ok(KeyPage {
        now: registry.now(),
        viewer,
        page,
        sparklines,
    })
}

/// Counts keys for the overview; by status only those of a partner, if one is named.
#[server(prefix = "/rpc", endpoint = "keys/overview", input = Json, output = Json)]
pub async fn keys_overview(query: OverviewInput) -> Result<Overview, AppError> {
    use crate::server::context;

    context::operator()?;
    let partner_id = query.check().map_err(context::told)?;
    context::state()?
        .registry
        .overview(partner_id)
        .await
        .map_err(context::told)
}

/// Reads a key.
#[server(prefix = "/rpc", endpoint = "keys/get", input = Json, output = Json)]
pub async fn get_key(key_id: String) -> Result<KeyView, AppError> {
    use crate::server::context;

    context::operator()?;
    let state = context::state()?;
    let registry = &state.registry;
    registry.key(&key_id).await.map_err(context::told)
}

/// The details of a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyDetailsPage {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub details: KeyDetails,
}

/// Reads the details of a key.
#[server(prefix = "/rpc", endpoint = "keys/details", input = Json, output = Json)]
pub async fn show_key(key_id: String) -> Result<KeyDetailsPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let registry = &state.registry;
    let details = registry
        .key_details(&key_id)
        .await
        .map_err(context::told_on_its_page)?;
    Ok(KeyDetailsPage {
        now: registry.now(),
        viewer,
        details,
    })
}

/// Edits a key.
#[server(prefix = "/rpc", endpoint = "keys/update", input = Json, output = Json)]
pub async fn update_key(key_id: String, input: UpdateInput) -> Result<KeyView, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let origin = context::admin_over(&state, &key_id).await?;
    let registry = &state.registry;
    let command = input.check(registry.now()).map_err(context::told)?;
    registry
        .update_key(&origin, &key_id, command)
        .await
        .map_err(context::told)
}

/// Issues a key; its token is in this answer and nowhere else.
#[server(prefix = "/rpc", endpoint = "keys/issue", input = Json, output = Json)]
pub async fn issue_key(input: IssueInput) -> Result<IssuedKey, AppError> {
    use crate::domain::scope::Scope;
    use crate::server::context;

    let origin = context::admin()?;
    let state = context::state()?;
    let registry = &state.registry;
    let command = input.check(registry.now()).map_err(context::told)?;
    if command.scopes.contains(&Scope::Admin) {
        context::proven_admin()?;
    }
    registry
        .issue_key(&origin, command)
        .await
        .map_err(context::told)
}

/// Rotates a key; the successor's token is in this answer and nowhere else.
#[server(prefix = "/rpc", endpoint = "keys/rotate", input = Json, output = Json)]
pub async fn rotate_key(key_id: String, input: RotateInput) -> Result<RotatedKey, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let origin = context::admin_over(&state, &key_id).await?;
    let registry = &state.registry;
    let command = input.check(registry.now()).map_err(context::told)?;
    registry
        .rotate_key(&origin, &key_id, command)
        .await
        .map_err(context::told)
}

/// Revokes a key.
#[server(prefix = "/rpc", endpoint = "keys/revoke", input = Json, output = Json)]
pub async fn revoke_key(key_id: String, input: RevokeInput) -> Result<RevokedKey, AppError> {
    use crate::server::context;

    let origin = context::admin()?;
    let state = context::state()?;
    let registry = &state.registry;
    let command = input.check().map_err(context::told)?;
    registry
        .revoke_key(&origin, &key_id, command)
        .await
        .map_err(context::told)
}

/// Changes the grace period of a retiring key.
#[server(prefix = "/rpc", endpoint = "keys/grace", input = Json, output = Json)]
pub async fn change_grace(key_id: String, input: GraceInput) -> Result<KeyView, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let origin = context::admin_over(&state, &key_id).await?;
    let registry = &state.registry;
    let seconds = input.check().map_err(context::told)?;
    registry
        .change_grace(&origin, &key_id, seconds)
        .await
        .map_err(context::told)
}

/// Undoes a revocation.
#[server(prefix = "/rpc", endpoint = "keys/restore", input = Json, output = Json)]
pub async fn restore_key(key_id: String, input: RestoreInput) -> Result<KeyView, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let origin = context::admin_over(&state, &key_id).await?;
    let registry = &state.registry;
    let note = input.check().map_err(context::told)?;
    registry
        .restore_key(&origin, &key_id, note)
        .await
        .map_err(context::told)
}
