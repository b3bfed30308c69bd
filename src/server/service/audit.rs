//! The audit log: appending to its hash chain, and reading it.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::denied_actions::DeniedActions;
use super::paging::{newest_first, page_of};
use super::{AuditContext, Core};
use crate::domain::audit::{Action, Event};
use crate::domain::error::{AppError, AppResult};
use crate::domain::list::EventQuery;
use crate::domain::page::{Page, Position};
use crate::domain::token::KeyId;
use crate::server::store::audit::{self, Head, Link};
use crate::server::store::partner_audit;

/// Format of the canonical bytes: UTF-8 JSON of [`Canonical`], fields in this order, objects inside
/// `details` sorted by key.
const VERSION: i16 = 1;

/// The audit log.
#[derive(Clone)]
pub struct AuditService {
    pub(super) core: Arc<Core>,
    denied_actions: Arc<DeniedActions>,
}

/// The object of an audit event.
#[derive(Clone, Debug)]
pub(super) struct Subject<'a> {
    pub(super) key_id: Option<&'a KeyId>,
    /// The partner, or the key's partner.
    pub(super) partner_id: Option<Uuid>,
    asset_id: Option<Uuid>,
    /// What changed, by field; never a secret.
    pub(super) details: Value,
}

impl<'a> Subject<'a> {
    /// The actor alone, as in a sign-in.
    pub(super) fn none() -> Self {
        Self::of(json!({}))
    }

    /// Neither a key, a partner nor an asset: an operator or the policy, named in the details.
    pub(super) fn of(details: Value) -> Self {
        Self {
            key_id: None,
            partner_id: None,
            asset_id: None,
            details,
        }
    }

    pub(super) fn partner(partner_id: Uuid, details: Value) -> Self {
        Self {
            partner_id: Some(partner_id),
            ..Self::of(details)
        }
    }

    pub(super) fn key(key_id: &'a KeyId, partner_id: Uuid, details: Value) -> Self {
        Self {
            key_id: Some(key_id),
            ..Self::partner(partner_id, details)
        }
    }

    pub(super) fn asset(asset_id: Uuid, partner_id: Uuid, details: Value) -> Self {
        Self {
            asset_id: Some(asset_id),
            ..Self::partner(partner_id, details)
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Canonical<'a> {
    version: i16,
    seq: i64,
    #[serde(flatten)]
    event: &'a Event,
}

/// Appends an event to the chain. Call it last in a transaction: it locks the head of the chain, which
/// serialises all writers, until the commit.
pub(super) async fn record(
    core: &Core,
    connection: &mut PgConnection,
    context: &AuditContext,
    action: Action,
    subject: Subject<'_>,
) -> AppResult<()> {
    let head = audit::lock_head(connection).await?;
    let event = Event {
        event_id: core.entropy.uuid(),
        at: core.now(),
        actor: context.actor.clone(),
        action,
        key_id: subject.key_id.cloned(),
        partner_id: subject.partner_id,
        asset_id: subject.asset_id,
        ip: context.ip.map(|ip| ip.to_string()),
        request_id: context.request_id.clone(),
        details: subject.details,
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

/// Canonical bytes of the event after `head`, and its hash.
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

impl AuditService {
    pub(super) fn new(core: Arc<Core>, denied_actions: Arc<DeniedActions>) -> Self {
        Self {
            core,
            denied_actions,
        }
    }

    /// Returns one page of the audit log.
    pub async fn list(&self, query: &EventQuery) -> AppResult<Page<Event>> {
        let mut connection = self.core.pool.acquire().await?;
        let mut query = query.clone();
        loop {
            let rows = audit::list(&mut connection, &query).await?;
            let page = page_of(rows, &mut query.page, position);
            if let Some(page) = page {
                return Ok(page);
            }
        }
    }

    /// Returns one page of the audit log as this partner may see it: its own events, in which staff
    /// and other partners' keys appear as `operator`.
    pub async fn list_of_partner(
        &self,
        partner_id: Uuid,
        query: &EventQuery,
    ) -> AppResult<Page<Event>> {
        let mut connection = self.core.pool.acquire().await?;
        let mut query = query.clone();
        loop {
            let rows = partner_audit::list(&mut connection, partner_id, &query).await?;
            let page = page_of(rows, &mut query.page, position);
            if let Some(page) = page {
                return Ok(page);
            }
        }
    }

    /// Counts an action that the operator's role did not allow. `function` is the path that was
    /// called.
    pub fn count_denied(&self, context: &AuditContext, function: String) {
        self.denied_actions
            .count_denied(self.core.now(), context, function);
    }

    /// Writes the counted failures into the audit log. Counts that can't be written stay for the next
    /// attempt.
    pub async fn write_denied_actions(&self) -> AppResult<()> {
        self.denied_actions.write(&self.core).await
    }
}

fn position(event: &Event) -> Position {
    newest_first(event.at, event.event_id)
}

/// The fields that differ, in the format of an event's details: `{"field": {"from": …, "to": …}}`.
pub(super) fn changes<const N: usize>(
    fields: [(&str, Value, Value); N],
) -> serde_json::Map<String, Value> {
    fields
        .into_iter()
        .filter(|(_, from, to)| from != to)
        .map(|(field, from, to)| (field.to_owned(), json!({ "from": from, "to": to })))
        .collect()
}
