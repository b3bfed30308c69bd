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

/// A page of partners, with the server's time and the viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartnerPage {
    pub now: DateTime<Utc>,
    pub viewer: Operator,
    pub page: Page<Partner>,
}

/// Returns one page of partners.
#[server(prefix = "/rpc", endpoint = "partners/list", input = Json, output = Json)]
pub async fn list_partners(query: PartnerListInput) -> Result<PartnerPage, AppError> {
    use crate::server::context;

    let viewer = context::operator()?;
    let state = context::state()?;
    let services = &state.services;
    let query = query.check()?;
    let page = services.partners.list(&query).await?;
    Ok(PartnerPage {
        now: services.now(),
        viewer,
        page,
    })
}

/// Returns partners to choose from, sorted by name.
#[server(prefix = "/rpc", endpoint = "partners/choices", input = Json, output = Json)]
pub async fn choose_partners(query: ChoiceInput) -> Result<PartnerChoices, AppError> {
    use crate::server::context;

    context::operator()?;
    let query = query.check()?;
    context::state()?.services.partners.choices(&query).await
}

/// Creates a partner.
#[server(prefix = "/rpc", endpoint = "partners/create", input = Json, output = Json)]
pub async fn create_partner(input: PartnerInput) -> Result<Partner, AppError> {
    use crate::server::context;

    let audit_context = context::admin()?;
    let command = input.check()?;
    context::state()?
        .services
        .partners
        .create(&audit_context, command)
        .await
}

/// Changes a partner; deactivating it stops all its keys.
#[server(prefix = "/rpc", endpoint = "partners/update", input = Json, output = Json)]
pub async fn update_partner(
    partner_id: Uuid,
    input: PartnerUpdateInput,
) -> Result<Partner, AppError> {
    use crate::server::context;

    let audit_context = context::admin()?;
    let command = input.check()?;
    context::state()?
        .services
        .partners
        .update(&audit_context, partner_id, command)
        .await
}
