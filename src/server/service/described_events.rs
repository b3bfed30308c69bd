//! The audit log as sentences for people: one page, or an export of everything.

use std::collections::HashMap;

use futures::stream::{self, Stream};
use sqlx::PgConnection;

use super::audit::AuditService;
use super::event_sentence::describe;
use crate::domain::audit::Event;
use crate::domain::error::AppResult;
use crate::domain::event_description::DescribedEvent;
use crate::domain::list::EventQuery;
use crate::domain::page::{Cursor, Page};
use crate::server::store::partners;

/// Events that an export reads in one query.
const BATCH_SIZE: i64 = 500;

impl AuditService {
    /// Returns one page of the audit log with descriptions.
    pub async fn list_described(&self, query: &EventQuery) -> AppResult<Page<DescribedEvent>> {
        let page = self.list(query).await?;
        let mut connection = self.core.pool.acquire().await?;
        Ok(Page {
            items: describe_all(&mut connection, page.items).await?,
            next_cursor: page.next_cursor,
            previous_cursor: page.previous_cursor,
        })
    }

    /// Streams all events of a query in batches, newest first; events added meanwhile are not included.
    /// Holds no connection between batches, however slowly the stream is read.
    pub fn export(
        &self,
        mut query: EventQuery,
    ) -> impl Stream<Item = AppResult<Vec<DescribedEvent>>> + Send + 'static {
        query.page.limit = BATCH_SIZE;
        stream::try_unfold((self.clone(), Some(query)), |(audit, query)| async move {
            let Some(mut query) = query else {
                return Ok(None);
            };
            let page = audit.list_described(&query).await?;
            let next = page.next_cursor.as_deref().and_then(Cursor::decode);
            let rest = next.map(|next| {
                query.page.from = Some(next);
                query
            });
            Ok(Some((page.items, (audit, rest))))
        })
    }
}

async fn describe_all(
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
