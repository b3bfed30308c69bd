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

/// A page of keys, with the server's time, so that relative times are the same on both sides, and with the
/// viewer, whose role decides which actions the table offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyPage {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub page: Page<KeyView>,
    /// Uses of each key in the last 36 hours, as SVG path data.
    pub sparklines: Vec<Option<String>>,
}

/// Returns one page of keys.
#[server(prefix = "/rpc", endpoint = "keys/list", input = Json, output = Json)]
pub async fn list_keys(query: KeyListInput) -> Result<KeyPage, AppError> {
    use crate::console::keys::sparkline;
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let services = &state.services;
    let query = query.check()?;
    let page = services.keys.list(&query).await?;
    let hours = services.keys.recent_uses(&page.items).await?;
    let sparklines = hours.iter().map(|hours| sparkline::path(hours)).collect();
    Ok(KeyPage {
        now: services.now(),
        viewer,
        page,
        sparklines,
    })
}

/// Returns the overview; statuses are of one partner, if one is given.
#[server(prefix = "/rpc", endpoint = "keys/overview", input = Json, output = Json)]
pub async fn keys_overview(query: OverviewInput) -> Result<Overview, AppError> {
    use crate::server::context;

    context::operator()?;
    let partner_id = query.check()?;
    context::state()?.services.keys.overview(partner_id).await
}

/// Returns one key.
#[server(prefix = "/rpc", endpoint = "keys/get", input = Json, output = Json)]
pub async fn get_key(key_id: String) -> Result<KeyView, AppError> {
    use crate::server::context;

    context::operator()?;
    let state = context::state()?;
    let services = &state.services;
    services.keys.get(&key_id).await
}

/// Everything about a key, with the server's time and the viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyDetailsPage {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub details: KeyDetails,
}

/// Returns everything about a key.
#[server(prefix = "/rpc", endpoint = "keys/details", input = Json, output = Json)]
pub async fn show_key(key_id: String) -> Result<KeyDetailsPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let services = &state.services;
    let details = services
        .keys
        .details(&key_id)
        .await
        .map_err(context::mark_page_not_found)?;
    Ok(KeyDetailsPage {
        now: services.now(),
        viewer,
        details,
    })
}

/// Changes a key's name, environment, rate or end.
#[server(prefix = "/rpc", endpoint = "keys/update", input = Json, output = Json)]
pub async fn update_key(key_id: String, input: UpdateInput) -> Result<KeyView, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let audit_context = context::admin_over(&state, &key_id).await?;
    let services = &state.services;
    let command = input.check(services.now())?;
    services.keys.update(&audit_context, &key_id, command).await
}

/// Issues a key. Only this response contains its token.
#[server(prefix = "/rpc", endpoint = "keys/issue", input = Json, output = Json)]
pub async fn issue_key(input: IssueInput) -> Result<IssuedKey, AppError> {
    use crate::domain::scope::Scope;
    use crate::server::context;

    let audit_context = context::admin()?;
    let state = context::state()?;
    let services = &state.services;
    let command = input.check(services.now())?;
    if command.scopes.contains(&Scope::Admin) {
        context::proven_admin()?;
    }
    services.keys.issue(&audit_context, command).await
}

/// Rotates a key. Only this response contains the successor's token.
#[server(prefix = "/rpc", endpoint = "keys/rotate", input = Json, output = Json)]
pub async fn rotate_key(key_id: String, input: RotateInput) -> Result<RotatedKey, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let audit_context = context::admin_over(&state, &key_id).await?;
    let services = &state.services;
    let command = input.check(services.now())?;
    services.keys.rotate(&audit_context, &key_id, command).await
}

/// Revokes a key.
#[server(prefix = "/rpc", endpoint = "keys/revoke", input = Json, output = Json)]
pub async fn revoke_key(key_id: String, input: RevokeInput) -> Result<RevokedKey, AppError> {
    use crate::server::context;

    let audit_context = context::admin()?;
    let state = context::state()?;
    let services = &state.services;
    let command = input.check()?;
    services.keys.revoke(&audit_context, &key_id, command).await
}

/// Changes the end of a retiring key's grace.
#[server(prefix = "/rpc", endpoint = "keys/grace", input = Json, output = Json)]
pub async fn change_grace(key_id: String, input: GraceInput) -> Result<KeyView, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let audit_context = context::admin_over(&state, &key_id).await?;
    let services = &state.services;
    let seconds = input.check()?;
    services
        .keys
        .change_grace(&audit_context, &key_id, seconds)
        .await
}

/// Undoes a revocation.
#[server(prefix = "/rpc", endpoint = "keys/restore", input = Json, output = Json)]
pub async fn restore_key(key_id: String, input: RestoreInput) -> Result<KeyView, AppError> {
    use crate::server::context;

    let state = context::state()?;
    let audit_context = context::admin_over(&state, &key_id).await?;
    let services = &state.services;
    let note = input.check()?;
    services.keys.restore(&audit_context, &key_id, note).await
}
