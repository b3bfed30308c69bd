//! The history as a partner may read it.

use uuid::Uuid;

use super::Registry;
use crate::domain::audit::Event;
use crate::domain::error::AppResult;
use crate::domain::list::EventQuery;
use crate::domain::page::Page;
use crate::server::store::partner_audit;

impl Registry {
    /// One page of the history as this partner may see it: its own events, in which staff and
    /// other partners' keys appear as `operator`.
    ///
    /// # Errors
    /// [`crate::domain::error::AppError::Unavailable`] where the database can't be reached.
    pub async fn list_events_of_partner(
        &self,
        partner_id: Uuid,
        query: &EventQuery,
    ) -> AppResult<Page<Event>> {
        let mut connection = self.pool.acquire().await?;
        let mut query = query.clone();
        let mut events = partner_audit::list(&mut connection, partner_id, &query).await?;
        if let Some(first) = query.page.first_page_instead(events.len()) {
            query.page = first;
            events = partner_audit::list(&mut connection, partner_id, &query).await?;
        }
        Ok(Page::from_rows(events, &query.page, |event| {
            (event.at, event.event_id.to_string())
        }))
    }
}
