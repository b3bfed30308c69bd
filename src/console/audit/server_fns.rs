//! Server functions of the audit log.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::list::EventListInput;
use crate::domain::page::Page;
use crate::domain::telling::ToldEvent;

/// A page of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    pub now: DateTime<Utc>,
    pub page: Page<ToldEvent>,
}

/// Lists one page of events.
#[server(prefix = "/rpc", endpoint = "audit/list", input = Json, output = Json)]
pub async fn list_events(query: EventListInput) -> Result<EventPage, AppError> {
    use crate::server::context;

    context::operator()?;
    let state = context::state()?;
    let registry = &state.registry;
    let query = query.check().map_err(context::told)?;
    let page = registry.tell_events(&query).await.map_err(context::told)?;
    let now = registry.now();
    Ok(EventPage { now, page })
}
