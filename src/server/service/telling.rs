//! The history in words, for people: a page of it, or all of it.

use std::collections::HashMap;

use futures::stream::{self, Stream};
use sqlx::PgConnection;

use super::Registry;
use super::event_sentence::describe;
use crate::domain::audit::Event;
use crate::domain::error::AppResult;
use crate::domain::event_description::DescribedEvent;
use crate::domain::list::EventQuery;
use crate::domain::page::{Cursor, Page};
use crate::server::store::partners;

/// Events that an export reads at once.
const AT_ONCE: i64 = 500;

impl Registry {
    /// One page of the history in words.
    ///
    /// # Errors
    /// [`crate::domain::error::AppError::Unavailable`] where the database can't be reached.
    pub async fn tell_events(&self, query: &EventQuery) -> AppResult<Page<DescribedEvent>> {
        let page = self.list_events(query).await?;
        let mut connection = self.pool.acquire().await?;
        Ok(Page {
            items: tell_all(&mut connection, page.items).await?,
            next_cursor: page.next_cursor,
            previous_cursor: page.previous_cursor,
        })
    }

    /// Everything that a query finds, newest first, some hundred events at a time. What is added
    /// meanwhile is not in it. No connection is held between the parts, however slowly they are
    /// taken.
    pub fn export_events(
        &self,
        mut query: EventQuery,
    ) -> impl Stream<Item = AppResult<Vec<DescribedEvent>>> + Send + 'static {
        query.page.limit = AT_ONCE;
        stream::try_unfold(
            (self.clone(), Some(query)),
            |(registry, query)| async move {
                let Some(mut query) = query else {
                    return Ok(None);
                };
                let page = registry.tell_events(&query).await?;
                let next = page.next_cursor.as_deref().and_then(Cursor::decode);
                let rest = next.map(|next| {
                    query.page.from = Some(next);
                    query
                });
                Ok(Some((page.items, (registry, rest))))
            },
        )
    }
}

async fn tell_all(
    connection: &mut PgConnection,
    events: Vec<Event>,
) -> AppResult<Vec<DescribedEvent>> {
    let mut partner_ids: Vec<_> = events.iter().filter_map(|event| event.partner_id).collect();
    partner_ids.sort_unstable();
    partner_ids.dedup();
    let names = partners::names(connection, &partner_ids).await?;
    let names: HashMap<_, _> = names.into_iter().collect();
    Ok(events
        .into_iter()
        .map(|event| {
            let name = event.partner_id.and_then(|id| names.get(&id).cloned());
            describe(event, name)
        })
        .collect())
}
