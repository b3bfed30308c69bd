//! The history, as the console reads it.

use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::console::rpc::Json;
use crate::domain::error::AppError;
use crate::domain::list::EventListInput;
use crate::domain::page::Page;
use crate::domain::telling::ToldEvent;

/// A page of the history with the server's time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The server's time.
    pub now: DateTime<Utc>,
    /// The events.
    pub page: Page<ToldEvent>,
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
    let services = &state.services;
    let query = query.check()?;
    let page = services.audit.list_described(&query).await?;
    let now = services.now();
    Ok(EventPage { now, page })
}
