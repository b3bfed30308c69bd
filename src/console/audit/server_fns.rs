//! Server functions of the audit log.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::event_description::DescribedEvent;
use crate::domain::list::EventListInput;
use crate::domain::page::Page;

/// A page of the audit log with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    pub now: DateTime<Utc>,
    pub page: Page<DescribedEvent>,
}

/// Returns one page of the audit log.
#[server(prefix = "/rpc", endpoint = "audit/list", input = Json, output = Json)]
pub async fn list_events(query: EventListInput) -> Result<EventPage, AppError> {
    use crate::server::context;

    context::operator()?;
    let state = context::state()?;
    let services = &state.services;
    let query = query.check()?;
    let page = services.audit.list_described(&query).await?;
    let now = services.now();
    Ok(EventPage { now, page })
}
