//! Partners, as the console lists and creates them.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use crate::domain::error::AppError;
use crate::domain::list::PartnerListInput;
use crate::domain::page::Page;
use crate::domain::partner::{Partner, PartnerInput};

/// One page of partners.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::Invalid`], or why they can't be read right now.
#[server(prefix = "/rpc", endpoint = "partners/list", input = Json)]
pub async fn list_partners(query: PartnerListInput) -> Result<Page<Partner>, AppError> {
    use crate::server::context;

    context::operator()?;
    let query = query.check().map_err(context::told)?;
    context::state()?
        .registry
        .list_partners(&query)
        .await
        .map_err(context::told)
}

/// Makes a partner.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::ReadOnlyRole`], or what the service refuses.
#[server(prefix = "/rpc", endpoint = "partners/create", input = Json)]
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
