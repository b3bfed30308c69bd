//! Rotation: a successor takes a key's place, in one transaction.
//!
//! No crash leaves the partner with neither key, or with two unless a grace was asked for; of
//! several rotations of one key at once exactly one succeeds: the row's lock orders them, and the
//! schema allows one successor.

use serde_json::json;

use super::audit::{self, Subject};
use super::keys::{require_active, successor_begins};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::key::KeyView;
use crate::domain::rotation::{RotateKey, RotatedKey, retires_at};
use crate::server::db::key_changes::{self, NewKeyRow};
use crate::server::db::{keys, partners};

impl Registry {
    /// Rotates a key.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`]; [`Conflict::AlreadyRotated`], before [`Conflict::KeyInactive`],
    /// before [`Conflict::PartnerInactive`]; [`AppError::Invalid`] for an end before the
    /// successor's begin; or the database's.
    pub async fn rotate_key(
        &self,
        origin: &Origin,
        key_id: &str,
        command: RotateKey,
    ) -> AppResult<RotatedKey> {
        // Refused before it costs a run of Argon2; asked again below, under the locks.
        let old = self.key(key_id).await?;
        let mut connection = self.pool.acquire().await?;
        let partner = partners::find(&mut connection, old.partner_id, self.now()).await?;
        drop(connection);
        may_rotate(&old, partner.map(|partner| partner.active))?;

        let minted = self.mint().await?;
        let mut transaction = self.pool.begin().await?;
        let row = keys::lock(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let partner_active = partners::share(&mut transaction, old.partner_id).await?;
        let now = self.now();
        let old = row.view(now)?;
        may_rotate(&old, partner_active)?;

        let not_before = successor_begins(now, old.not_before);
        let not_after = command.not_after.or(old.not_after);
        if not_after.is_some_and(|not_after| not_after <= not_before) {
            return Err(AppError::field(
                "notAfter",
                "must lie after the successor's notBefore",
            ));
        }
        let created_by = origin.actor.to_string();
        let row = NewKeyRow {
            partner_id: old.partner_id,
            name: old.name.as_deref(),
            environment: old.environment,
            scopes: &old.scopes,
            rate_per_minute: old.rate_per_minute,
            not_before,
            not_after,
            rotated_from: Some(&old.key_id),
            created_at: now,
            created_by: &created_by,
        };
        let minted = self.insert_minted(&mut transaction, minted, &row).await?;
        let retires_at = retires_at(now, command.grace, old.not_after);
        let revoked_at = (retires_at <= now).then_some(now);
        key_changes::retire(&mut transaction, &old.key_id, retires_at, revoked_at).await?;
        let subject = Subject {
            key_id: Some(&old.key_id),
            partner_id: Some(old.partner_id),
            details: json!({
                "replacedBy": minted.key_id,
                "graceSeconds": command.grace.num_seconds(),
                "retiresAt": retires_at,
                "notAfter": not_after,
            }),
            ..Subject::default()
        };
        audit::record(self, &mut transaction, origin, Action::KeyRotated, subject).await?;
        transaction.commit().await?;
        Ok(RotatedKey {
            key_id: minted.key_id,
            token: minted.token.to_string(),
            replaces: old.key_id,
            retires_at,
        })
    }
}

fn may_rotate(old: &KeyView, partner_active: Option<bool>) -> AppResult<()> {
    if let Some(successor) = &old.replaced_by {
        return Err(Conflict::AlreadyRotated {
            replaced_by: successor.as_str().to_owned(),
        }
        .into());
    }
    if !old.status.is_live() {
        return Err(Conflict::KeyInactive.into());
    }
    require_active(partner_active)
}
