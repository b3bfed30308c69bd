//! Server functions of partners.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::list::{ChoiceInput, PartnerListInput};
use crate::domain::operator::Operator;
use crate::domain::page::Page;
use crate::domain::partner::{Partner, PartnerChoices, PartnerInput, PartnerUpdateInput};

/// A page of partners.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartnerPage {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub page: Page<Partner>,
}

/// Lists one page of partners.
#[server(prefix = "/rpc", endpoint = "partners/list", input = Json, output = Json)]
pub async fn list_partners(query: PartnerListInput) -> Result<PartnerPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let registry = &state.registry;
    let query = query.check().map_err(context::told)?;
    let page = registry
        .list_partners(&query)
        .await
        .map_err(context::told)?;
    Ok(PartnerPage {
        now: registry.now(),
        viewer,
        page,
    })
}

/// Looks up partners to choose from, by name.
#[server(prefix = "/rpc", endpoint = "partners/choices", input = Json, output = Json)]
pub async fn choose_partners(query: ChoiceInput) -> Result<PartnerChoices, AppError> {
    use crate::server::context;

    context::operator()?;
    let query = query.check().map_err(context::told)?;
    context::state()?
        .registry
        .partner_choices(&query)
        .await
        .map_err(context::told)
}

/// Creates a partner.
#[server(prefix = "/rpc", endpoint = "partners/create", input = Json, output = Json)]
pub async fn create_partner(input: PartnerInput) -> Result<Partner, AppError> {
    use crate::server::context;

    let origin = context::admin()?;
    let command = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .create_partner(&origin, command)
        .await
        .map_err(context::told)
}

/// Changes a partner. Deactivating it stops all its keys.
#[server(prefix = "/rpc", endpoint = "partners/update", input = Json, output = Json)]
pub async fn update_partner(
    partner_id: Uuid,
    input: PartnerUpdateInput,
) -> Result<Partner, AppError> {
    use crate::server::context;

    let origin = context::admin()?;
    let command = input.check().map_err(context::told)?;
    context::state()?
        .registry
        .update_partner(&origin, partner_id, command)
        .await
        .map_err(context::told)
}
