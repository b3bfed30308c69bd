//! The history, as the console reads it.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::event_description::DescribedEvent;
use crate::domain::list::EventListInput;
use crate::domain::page::Page;

/// A page of the history with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The server's time.
    pub now: DateTime<Utc>,
    /// The events.
    pub page: Page<DescribedEvent>,
}

/// One page of the history.
///
/// # Errors
/// [`AppError::SignedOut`], [`AppError::Invalid`], or why it can't be read right now.
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
