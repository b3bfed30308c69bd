//! Keys: issue, list, show, change, revoke.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::json;
use sqlx::PgConnection;

use super::audit::{self, Subject};
use super::{Origin, Registry, policy};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::key::{IssuedKey, KeyStatus, KeyView, RevocationReason, RevokedKey};
use crate::domain::key_input::{IssueKey, RevokeKey, UpdateKey};
use crate::domain::key_list::KeyQuery;
use crate::domain::page::{Page, Position};
use crate::domain::patch::Patch;
use crate::domain::token::KeyId;
use crate::server::db::key_changes::{self, NewKeyRow};
use crate::server::db::{key_list, keys, partners};

impl Registry {
    /// Issues a key.
    ///
    /// # Errors
    /// [`Missing::PartnerNotFound`], [`Conflict::PartnerInactive`], [`AppError::Invalid`] for an end
    /// beyond what the policy allows, or the database's.
    pub async fn issue_key(&self, origin: &Origin, command: IssueKey) -> AppResult<IssuedKey> {
        // Refused before it costs a run of Argon2; asked again below, under a lock.
        let mut connection = self.pool.acquire().await?;
        let partner = partners::find(&mut connection, command.partner_id, self.now()).await?;
        require_active(partner.map(|partner| partner.active))?;
        let start = command.not_before.max(self.now());
        policy::require_end(&mut connection, start, command.not_after).await?;
        drop(connection);

        let minted = self.mint().await?;
        let mut transaction = self.pool.begin().await?;
        require_active(partners::share(&mut transaction, command.partner_id).await?)?;
        let created_at = self.now();
        let created_by = origin.actor.to_string();
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
        let minted = self.insert_minted(&mut transaction, minted, &row).await?;
        let subject = Subject {
            key_id: Some(&minted.key_id),
            partner_id: Some(command.partner_id),
            details: json!({
                "name": command.name,
                "scopes": command.scopes,
                "environment": command.environment,
                "ratePerMinute": command.rate_per_minute,
                "notBefore": command.not_before,
                "notAfter": command.not_after,
            }),
            ..Subject::default()
        };
        audit::record(self, &mut transaction, origin, Action::KeyIssued, subject).await?;
        transaction.commit().await?;
        Ok(IssuedKey {
            key_id: minted.key_id,
            token: minted.token,
            partner_id: command.partner_id,
            scopes: command.scopes,
            environment: command.environment,
            rate_per_minute: command.rate_per_minute,
            not_before: command.not_before,
            not_after: command.not_after,
        })
    }

    /// One page of keys, in the order that is asked for.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the database can't be reached.
    pub async fn list_keys(&self, query: &KeyQuery) -> AppResult<Page<KeyView>> {
        let now = self.now();
        let mut connection = self.pool.acquire().await?;
        let mut query = query.clone();
        let mut rows = key_list::list(&mut connection, &query, now).await?;
        if let Some(first) = query.page.first_page_instead(rows.len()) {
            query.page = first;
            rows = key_list::list(&mut connection, &query, now).await?;
        }
        let rows: Vec<(Position, KeyView)> = rows
            .into_iter()
            .map(|(position, row)| Ok((position, row.view(now)?)))
            .collect::<sqlx::Result<_>>()?;
        let page = Page::from_sorted_rows(rows, &query.page, |(position, _)| position.clone());
        Ok(page.map(|(_, key)| key))
    }

    /// One key.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`], or the database's.
    pub async fn key(&self, key_id: &str) -> AppResult<KeyView> {
        let mut connection = self.pool.acquire().await?;
        let row = keys::find(&mut connection, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        Ok(row.view(self.now())?)
    }

    /// What these keys are right now, by id, as far as there are such keys.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the database can't be reached.
    pub async fn key_statuses(&self, ids: &[KeyId]) -> AppResult<HashMap<String, KeyStatus>> {
        let mut connection = self.pool.acquire().await?;
        Ok(keys::lifetimes(&mut connection, ids)
            .await?
            .into_iter()
            .map(|(key_id, life)| (key_id, KeyStatus::at(self.now(), &life)))
            .collect())
    }

    /// Changes a key that is neither revoked nor expired.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`], [`Conflict::KeyInactive`], [`AppError::Invalid`] for an end
    /// before the key's begin or, where it lengthens the key's life, beyond what the policy allows;
    /// or the database's.
    pub async fn update_key(
        &self,
        origin: &Origin,
        key_id: &str,
        command: UpdateKey,
    ) -> AppResult<KeyView> {
        let mut transaction = self.pool.begin().await?;
        let row = keys::lock(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let before = row.view(self.now())?;
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
        let after = after.view(self.now())?;
        let subject = Subject {
            key_id: Some(&after.key_id),
            partner_id: Some(after.partner_id),
            details: details.into(),
            ..Subject::default()
        };
        audit::record(self, &mut transaction, origin, Action::KeyUpdated, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Revokes a key at once. Revoking a revoked key changes nothing, except that
    /// [`RevocationReason::KeyCompromise`] replaces a weaker reason.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`], or the database's.
    pub async fn revoke_key(
        &self,
        origin: &Origin,
        key_id: &str,
        command: RevokeKey,
    ) -> AppResult<RevokedKey> {
        let mut transaction = self.pool.begin().await?;
        let row = keys::lock(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let now = self.now();
        let key = row.view(now)?;
        let revoked_at = key.revoked_at.unwrap_or(now);
        if outweighs(command.reason, &key) {
            key_changes::revoke(
                &mut transaction,
                &key.key_id,
                revoked_at,
                command.reason,
                command.note.as_deref(),
            )
            .await?;
            record_revocation(self, &mut transaction, origin, &key, &command).await?;
        }
        transaction.commit().await?;
        Ok(RevokedKey {
            key_id: key.key_id,
            status: KeyStatus::Revoked,
            revoked_at,
        })
    }
}

/// Writes into the history that a key is revoked, which was this before.
pub(super) async fn record_revocation(
    registry: &Registry,
    connection: &mut PgConnection,
    origin: &Origin,
    key: &KeyView,
    command: &RevokeKey,
) -> AppResult<()> {
    let subject = Subject {
        key_id: Some(&key.key_id),
        partner_id: Some(key.partner_id),
        details: json!({
            "reason": command.reason,
            "note": command.note,
            "previousReason": key.revoked_reason,
        }),
        ..Subject::default()
    };
    audit::record(registry, connection, origin, Action::KeyRevoked, subject).await
}

/// Whether the second end lies after the first; a key without an end never ends.
fn lengthens(before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) -> bool {
    match (before, after) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
    }
}

/// Whether a revocation for this reason changes the key.
pub(super) fn outweighs(reason: RevocationReason, key: &KeyView) -> bool {
    key.status != KeyStatus::Revoked
        || (reason == RevocationReason::KeyCompromise && key.revoked_reason != Some(reason))
}

/// Refuses a partner that does not exist or is deactivated.
pub(super) fn require_active(partner_active: Option<bool>) -> AppResult<()> {
    match partner_active {
        Some(true) => Ok(()),
        Some(false) => Err(Conflict::PartnerInactive.into()),
        None => Err(Missing::PartnerNotFound.into()),
    }
}

/// When a successor's window begins: with the old key's, but not in the past.
pub(super) fn successor_begins(now: DateTime<Utc>, old_not_before: DateTime<Utc>) -> DateTime<Utc> {
    now.max(old_not_before)
}
