//! The administrative history: appending to its hash chain, and reading it.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Origin, Registry, notices};
use crate::domain::audit::{Action, Event};
use crate::domain::error::{AppError, AppResult};
use crate::domain::list::EventQuery;
use crate::domain::page::Page;
use crate::domain::token::KeyId;
use crate::server::store::audit::{self, Head, Link};

/// How the canonical bytes of today's events are made: UTF-8 JSON of [`Canonical`], its fields in
/// their order, objects inside `details` by key.
const VERSION: i16 = 1;

/// What was done to what.
#[derive(Clone, Debug, Default)]
pub struct Subject<'a> {
    /// The key.
    pub key_id: Option<&'a KeyId>,
    /// The partner, or the key's partner.
    pub partner_id: Option<Uuid>,
    /// The proof asset.
    pub asset_id: Option<Uuid>,
    /// What changed, by field; never a secret.
    pub details: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Canonical<'a> {
    version: i16,
    seq: i64,
    #[serde(flatten)]
    event: &'a Event,
}

/// Appends an event to the chain, and puts what it tells its partner into the outbox. Call it last in a transaction: it locks the end of the chain
/// until the commit.
///
/// # Errors
/// The database's.
pub async fn record(
    registry: &Registry,
    connection: &mut PgConnection,
    origin: &Origin,
    action: Action,
    subject: Subject<'_>,
) -> AppResult<()> {
    notices::tell(registry, connection, action, &subject).await?;
    let head = audit::lock_head(connection).await?;
    let event = Event {
        event_id: registry.entropy.uuid(),
        at: registry.now(),
        actor: origin.actor.clone(),
        action,
        key_id: subject.key_id.cloned(),
        partner_id: subject.partner_id,
        asset_id: subject.asset_id,
        ip: origin.ip.map(|ip| ip.to_string()),
        request_id: origin.request_id.clone(),
        details: if subject.details.is_null() {
            Value::Object(Default::default())
        } else {
            subject.details
        },
    };
    let (canonical, hash) = link(&head, &event)?;
    let link = Link {
        seq: head.seq + 1,
        version: VERSION,
        canonical: &canonical,
        prev_hash: &head.hash,
        hash: &hash,
    };
    Ok(audit::append(connection, &event, &link).await?)
}

/// The canonical bytes of the event after `head`, and its hash.
fn link(head: &Head, event: &Event) -> AppResult<(Vec<u8>, [u8; 32])> {
    let canonical = serde_json::to_vec(&Canonical {
        version: VERSION,
        seq: head.seq + 1,
        event,
    })
    .map_err(|error| {
        tracing::error!(%error, "an audit event could not be written as JSON");
        AppError::Internal
    })?;
    let hash = Sha256::new()
        .chain_update(&head.hash)
        .chain_update(&canonical)
        .finalize()
        .into();
    Ok((canonical, hash))
}

impl Registry {
    /// One page of the history.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the database can't be reached.
    pub async fn list_events(&self, query: &EventQuery) -> AppResult<Page<Event>> {
        let mut connection = self.pool.acquire().await?;
        let mut query = query.clone();
        let mut events = audit::list(&mut connection, &query).await?;
        if let Some(first) = query.page.first_page_instead(events.len()) {
            query.page = first;
            events = audit::list(&mut connection, &query).await?;
        }
        Ok(Page::from_rows(events, &query.page, |event| {
            (event.at, event.event_id.to_string())
        }))
    }
}

/// The fields that differ, as an event's details tell them: `{"field": {"from": …, "to": …}}`.
pub(super) fn changes<const N: usize>(
    fields: [(&str, Value, Value); N],
) -> serde_json::Map<String, Value> {
    fields
        .into_iter()
        .filter(|(_, from, to)| from != to)
        .map(|(field, from, to)| (field.to_owned(), json!({ "from": from, "to": to })))
        .collect()
}
