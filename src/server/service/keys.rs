//! API keys: issue, list, show, change.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::audit::{self, AuditService, Subject};
use super::notifications::record_and_notify;
use super::paging::page_of;
use super::partners::require_active;
use super::{AuditContext, Core, IssuingPolicy, policy};

use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::key::{IssuedKey, KeyStatus, KeyView};
use crate::domain::key_input::{IssueKey, UpdateKey};
use crate::domain::key_list::KeyQuery;
use crate::domain::page::Page;
use crate::domain::patch::Patch;
use crate::domain::token::KeyId;
use crate::server::crypto::pool::HashPool;
use crate::server::store::key_changes::{self, NewKeyRow};
use crate::server::store::{key_list, keys, partners};

/// API keys.
#[derive(Clone)]
pub struct KeyService {
    pub(super) core: Arc<Core>,
    pub(super) hashing: HashPool,
    pub(super) issuing: IssuingPolicy,
    pub(super) audit: AuditService,
}

impl KeyService {
    pub(super) fn new(
        core: Arc<Core>,
        hashing: HashPool,
        issuing: IssuingPolicy,
        audit: AuditService,
    ) -> Self {
        Self {
            core,
            hashing,
            issuing,
            audit,
        }
    }

    /// Issues a key.
    pub async fn issue(&self, context: &AuditContext, command: IssueKey) -> AppResult<IssuedKey> {
        // Reject before hashing with Argon2; checked again below under a lock.
        let mut connection = self.core.pool.acquire().await?;
        require_active(partners::is_active(&mut connection, command.partner_id).await?)?;
        let start = command.not_before.max(self.core.now());
        policy::require_end(&mut connection, start, command.not_after).await?;
        drop(connection);

        let generated = self.generate().await?;
        let mut transaction = self.core.pool.begin().await?;
        require_active(partners::lock_shared(&mut transaction, command.partner_id).await?)?;
        let created_at = self.core.now();
        let created_by = context.actor.to_string();
        let row = NewKeyRow {
            partner_id: command.partner_id,
            name: command.name.as_deref(),
            environment: command.environment,
            scopes: &command.scopes,
            rate_per_minute: command.rate_per_minute,
            not_before: command.not_before,
            not_after: command.not_after,
            rotated_from: None,
            created_at,
            created_by: &created_by,
        };
        let generated = self
            .insert_generated(&mut transaction, generated, &row)
            .await?;
        let subject = Subject::key(
            &generated.key_id,
            command.partner_id,
            json!({
                "name": command.name,
                "scopes": command.scopes,
                "environment": command.environment,
                "ratePerMinute": command.rate_per_minute,
                "notBefore": command.not_before,
                "notAfter": command.not_after,
            }),
        );
        record_and_notify(
            &self.core,
            &mut transaction,
            context,
            Action::KeyIssued,
            subject,
        )
        .await?;
        transaction.commit().await?;
        Ok(IssuedKey {
            key_id: generated.key_id,
            token: generated.token,
            partner_id: command.partner_id,
            scopes: command.scopes,
            environment: command.environment,
            rate_per_minute: command.rate_per_minute,
            not_before: command.not_before,
            not_after: command.not_after,
        })
    }

    /// Returns one page of keys in the requested order.
    pub async fn list(&self, query: &KeyQuery) -> AppResult<Page<KeyView>> {
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        let mut query = query.clone();
        loop {
            let rows = key_list::list(&mut connection, &query, now).await?;
            let rows: Vec<_> = rows
                .into_iter()
                .map(|(position, row)| Ok((position, row.view(now)?)))
                .collect::<sqlx::Result<_>>()?;
            let page = page_of(rows, &mut query.page, |(position, _)| position.clone());
            if let Some(page) = page {
                return Ok(page.map(|(_, key)| key));
            }
        }
    }

    pub async fn get(&self, key_id: &str) -> AppResult<KeyView> {
        let mut connection = self.core.pool.acquire().await?;
        let row = keys::find(&mut connection, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        Ok(row.view(self.core.now())?)
    }

    /// Returns the current status of those keys that exist, by id.
    pub async fn statuses(&self, ids: &[KeyId]) -> AppResult<HashMap<String, KeyStatus>> {
        let mut connection = self.core.pool.acquire().await?;
        Ok(keys::lifetimes(&mut connection, ids)
            .await?
            .into_iter()
            .map(|(key_id, life)| (key_id, KeyStatus::at(self.core.now(), &life)))
            .collect())
    }

    /// Changes a key that is neither revoked nor expired.
    ///
    /// An end that lengthens the key's life must be allowed by the policy.
    pub async fn update(
        &self,
        context: &AuditContext,
        key_id: &str,
        command: UpdateKey,
    ) -> AppResult<KeyView> {
        let mut transaction = self.core.pool.begin().await?;
        let row = keys::lock_for_update(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let before = row.view(self.core.now())?;
        if !before.status.is_live() {
            return Err(Conflict::KeyInactive.into());
        }
        if let Patch::Set(not_after) = command.not_after
            && not_after <= before.not_before
        {
            return Err(AppError::field(
                "notAfter",
                "must lie after the key's notBefore",
            ));
        }
        let name = command.name.apply(before.name.clone());
        let environment = command.environment.unwrap_or(before.environment);
        let rate_per_minute = command.rate_per_minute.unwrap_or(before.rate_per_minute);
        let not_after = command.not_after.apply(before.not_after);
        if lengthens(before.not_after, not_after) {
            let start = before.not_before.max(before.created_at);
            policy::require_end(&mut transaction, start, not_after).await?;
        }
        let details = audit::changes([
            ("name", json!(before.name), json!(name)),
            ("environment", json!(before.environment), json!(environment)),
            (
                "ratePerMinute",
                json!(before.rate_per_minute),
                json!(rate_per_minute),
            ),
            ("notAfter", json!(before.not_after), json!(not_after)),
        ]);
        if details.is_empty() {
            return Ok(before);
        }
        key_changes::update(
            &mut transaction,
            &before.key_id,
            name.as_deref(),
            environment,
            rate_per_minute,
            not_after,
        )
        .await?;
        let after = keys::find(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let after = after.view(self.core.now())?;
        let subject = Subject::key(&after.key_id, after.partner_id, details.into());
        audit::record(
            &self.core,
            &mut transaction,
            context,
            Action::KeyUpdated,
            subject,
        )
        .await?;
        transaction.commit().await?;
        Ok(after)
    }
}

/// True if the second end is later than the first; `None` is no end.
fn lengthens(before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) -> bool {
    match (before, after) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
    }
}
