//! What can still be changed of a key's end: a grace that runs, a revocation made by mistake.

use serde_json::json;

use super::audit::{self, Subject};
use super::keys::require_active;
use super::rotation::require_room;
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppResult, Conflict, Missing};
use crate::domain::grace::grace_end;
use crate::domain::key::{KeyStatus, KeyView, Lifetime};
use crate::server::store::{key_changes, keys, partners};

impl Registry {
    /// Has a retiring key go on for so many seconds from now, but never past its notAfter; 0 ends it
    /// at once. A grace that waits for the successor's first use waits no longer.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`], [`Conflict::NotRetiring`], or the database's.
    pub async fn change_grace(
        &self,
        origin: &Origin,
        key_id: &str,
        seconds: i32,
    ) -> AppResult<KeyView> {
        let mut transaction = self.pool.begin().await?;
        let row = keys::lock(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let now = self.now();
        let before = row.view(now)?;
        if before.status != KeyStatus::Retiring {
            return Err(Conflict::NotRetiring.into());
        }
        let retires_at = grace_end(now, seconds, before.not_after);
        key_changes::change_grace(&mut transaction, &before.key_id, retires_at, now).await?;
        let subject = Subject {
            key_id: Some(&before.key_id),
            partner_id: Some(before.partner_id),
            details: json!({ "retiresAt": { "from": before.retires_at, "to": retires_at } }),
            ..Subject::default()
        };
        let action = Action::KeyGraceChanged;
        audit::record(self, &mut transaction, origin, action, subject).await?;
        let after = keys::find(&mut transaction, key_id).await?;
        let after = after.ok_or(Missing::KeyNotFound)?.view(now)?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Undoes a revocation. The key's window and grace stand as they were; the note goes into the
    /// history.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`]; [`Conflict::NotRevoked`]; [`Conflict::RevokedForGood`], after 60
    /// minutes and for reasons that can't be undone; [`Conflict::KeyInactive`] where its window or
    /// its grace has ended; [`Conflict::PartnerInactive`]; [`Conflict::LineageFull`]; or the
    /// database's.
    pub async fn restore_key(
        &self,
        origin: &Origin,
        key_id: &str,
        note: Option<String>,
    ) -> AppResult<KeyView> {
        let mut transaction = self.pool.begin().await?;
        let row = keys::lock(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let now = self.now();
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
        require_active(partners::share(&mut transaction, before.partner_id).await?)?;
        require_room(&mut transaction, &before.key_id, now, 1).await?;
        key_changes::restore(&mut transaction, &before.key_id).await?;
        let subject = Subject {
            key_id: Some(&before.key_id),
            partner_id: Some(before.partner_id),
            details: json!({
                "revokedAt": before.revoked_at,
                "reason": before.revoked_reason,
                "note": note,
            }),
            ..Subject::default()
        };
        audit::record(self, &mut transaction, origin, Action::KeyRestored, subject).await?;
        let after = keys::find(&mut transaction, key_id).await?;
        let after = after.ok_or(Missing::KeyNotFound)?.view(now)?;
        transaction.commit().await?;
        Ok(after)
    }
}
