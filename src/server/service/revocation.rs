//! Revoking keys, undoing revocations, and changing running grace periods.

use serde_json::json;
use sqlx::PgConnection;

use super::audit::{self, Subject};
use super::keys::KeyService;
use super::notifications::record_and_notify;
use super::partners::require_active;
use super::rotation::require_room;
use super::{AuditContext, Core};
use crate::domain::audit::Action;
use crate::domain::error::{AppResult, Conflict, Missing};
use crate::domain::grace::grace_end;
use crate::domain::key::{KeyStatus, KeyView, Lifetime, RevocationReason, RevokedKey};
use crate::domain::key_input::RevokeKey;
use crate::server::store::{key_changes, keys, partners};

impl KeyService {
    /// Ends a retiring key's grace so many seconds from now, but never after its notAfter; 0 ends it
    /// immediately. A grace that waits for the successor's first use starts now.
    pub async fn change_grace(
        &self,
        context: &AuditContext,
        key_id: &str,
        seconds: i32,
    ) -> AppResult<KeyView> {
        let mut transaction = self.core.pool.begin().await?;
        let row = keys::lock_for_update(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let now = self.core.now();
        let before = row.view(now)?;
        if before.status != KeyStatus::Retiring {
            return Err(Conflict::NotRetiring.into());
        }
        let retires_at = grace_end(now, seconds, before.not_after);
        key_changes::change_grace(&mut transaction, &before.key_id, retires_at, now).await?;
        let subject = Subject::key(
            &before.key_id,
            before.partner_id,
            json!({ "retiresAt": { "from": before.retires_at, "to": retires_at } }),
        );
        let action = Action::KeyGraceChanged;
        audit::record(&self.core, &mut transaction, context, action, subject).await?;
        let after = keys::find(&mut transaction, key_id).await?;
        let after = after.ok_or(Missing::KeyNotFound)?.view(now)?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Revokes a key. Revoking a revoked key changes nothing, except that
    /// [`RevocationReason::KeyCompromise`] replaces a weaker reason.
    pub async fn revoke(
        &self,
        context: &AuditContext,
        key_id: &str,
        command: RevokeKey,
    ) -> AppResult<RevokedKey> {
        let mut transaction = self.core.pool.begin().await?;
        let row = keys::lock_for_update(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let now = self.core.now();
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
            record_revocation(&self.core, &mut transaction, context, &key, &command).await?;
        }
        transaction.commit().await?;
        Ok(RevokedKey {
            key_id: key.key_id,
            status: KeyStatus::Revoked,
            revoked_at,
        })
    }

    /// Undoes a revocation. The key's window and grace are what they were; the note goes into the audit
    /// log.
    ///
    /// # Errors
    /// In this order: [`Missing::KeyNotFound`]; [`Conflict::NotRevoked`];
    /// [`Conflict::RevokedForGood`], after 60 minutes and for reasons that can't be undone;
    /// [`Conflict::KeyInactive`] if its window or grace has ended; [`Conflict::PartnerInactive`];
    /// [`Conflict::LineageFull`].
    pub async fn restore(
        &self,
        context: &AuditContext,
        key_id: &str,
        note: Option<String>,
    ) -> AppResult<KeyView> {
        let mut transaction = self.core.pool.begin().await?;
        let row = keys::lock_for_update(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let now = self.core.now();
        let unrevoked = Lifetime {
            revoked_at: None,
            ..row.lifetime()
        };
        let before = row.view(now)?;
        if before.status != KeyStatus::Revoked {
            return Err(Conflict::NotRevoked.into());
        }
        if !before.can_be_restored(now) {
            return Err(Conflict::RevokedForGood.into());
        }
        if !KeyStatus::at(now, &unrevoked).is_live() {
            return Err(Conflict::KeyInactive.into());
        }
        require_active(partners::lock_shared(&mut transaction, before.partner_id).await?)?;
        require_room(&mut transaction, &before.key_id, now, 1).await?;
        key_changes::restore(&mut transaction, &before.key_id).await?;
        let subject = Subject::key(
            &before.key_id,
            before.partner_id,
            json!({
                "revokedAt": before.revoked_at,
                "reason": before.revoked_reason,
                "note": note,
            }),
        );
        record_and_notify(
            &self.core,
            &mut transaction,
            context,
            Action::KeyRestored,
            subject,
        )
        .await?;
        let after = keys::find(&mut transaction, key_id).await?;
        let after = after.ok_or(Missing::KeyNotFound)?.view(now)?;
        transaction.commit().await?;
        Ok(after)
    }
}

/// Records a revocation of a key that was `key` before. Partners are not notified if only the reason
/// has changed.
pub(super) async fn record_revocation(
    core: &Core,
    connection: &mut PgConnection,
    context: &AuditContext,
    key: &KeyView,
    command: &RevokeKey,
) -> AppResult<()> {
    let subject = Subject::key(
        &key.key_id,
        key.partner_id,
        json!({
            "reason": command.reason,
            "note": command.note,
            "previousReason": key.revoked_reason,
        }),
    );
    let action = Action::KeyRevoked;
    if key.revoked_reason.is_some() {
        return audit::record(core, connection, context, action, subject).await;
    }
    record_and_notify(core, connection, context, action, subject).await
}

/// True if a revocation for this reason changes the key.
pub(super) fn outweighs(reason: RevocationReason, key: &KeyView) -> bool {
    key.status != KeyStatus::Revoked
        || (reason == RevocationReason::KeyCompromise && key.revoked_reason != Some(reason))
}
