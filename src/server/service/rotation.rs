//! Rotation: a successor replaces a key, in one transaction.
//!
//! No crash leaves the partner without a key, or with two unless a grace was requested. Of several
//! concurrent rotations of a key exactly one succeeds: the row lock orders them, and the schema
//! allows one successor.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::Subject;
use super::issuing::GeneratedKey;
use super::keys::KeyService;
use super::notifications::record_and_notify;
use super::partners::require_active;
use super::{AuditContext, Core, policy};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::grace::GraceStart;
use crate::domain::key::KeyView;
use crate::domain::rotation::{MAX_LIVE_KEYS, RotateKey, RotatedKey};
use crate::domain::token::KeyId;
use crate::server::store::key_changes::{self, NewKeyRow, Retirement};
use crate::server::store::{keys, partners};

impl KeyService {
    /// Rotates a key.
    ///
    /// An end that the successor inherits need not be allowed by the policy: rotation must always be
    /// possible.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`]; [`Conflict::AlreadyRotated`], before [`Conflict::KeyInactive`],
    /// before [`Conflict::PartnerInactive`]; [`AppError::Invalid`] for an end before the successor's
    /// start or beyond what the policy allows; [`Conflict::LineageFull`] if the old key would stay
    /// live beside its successor and a predecessor.
    pub async fn rotate(
        &self,
        context: &AuditContext,
        key_id: &str,
        command: RotateKey,
    ) -> AppResult<RotatedKey> {
        // Reject before hashing with Argon2; checked again below under the locks.
        let mut connection = self.core.pool.acquire().await?;
        let row = keys::find(&mut connection, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let old = row.view(self.core.now())?;
        let partner_active = partners::is_active(&mut connection, old.partner_id).await?;
        drop(connection);
        may_rotate(&old, partner_active)?;

        let generated = self.generate().await?;
        let mut transaction = self.core.pool.begin().await?;
        let row = keys::lock_for_update(&mut transaction, key_id)
            .await?
            .ok_or(Missing::KeyNotFound)?;
        let partner_active = partners::lock_shared(&mut transaction, old.partner_id).await?;
        let now = self.core.now();
        let old = row.view(now)?;
        may_rotate(&old, partner_active)?;

        // The successor's window begins with the old key's, but not in the past.
        let not_before = now.max(old.not_before);
        let not_after = command.not_after.or(old.not_after);
        if not_after.is_some_and(|not_after| not_after <= not_before) {
            return Err(AppError::field(
                "notAfter",
                "must lie after the successor's notBefore",
            ));
        }
        if command.not_after.is_some() {
            policy::require_end(&mut transaction, not_before, not_after).await?;
        }
        let overlaps = command.retires_at(now, old.not_after) > now;
        let wanted = usize::from(overlaps) + 1;
        require_room(&mut transaction, &old.key_id, now, wanted).await?;
        let rotation = Rotation {
            old: &old,
            command: &command,
            now,
        };
        let (rotated, event) = self
            .create_successor(&mut transaction, context, generated, rotation)
            .await?;
        event.record(&self.core, &mut transaction, context).await?;
        transaction.commit().await?;
        Ok(rotated)
    }

    /// Creates the successor of a key that the transaction has locked and that may be rotated. Record the
    /// returned event last in the transaction.
    pub(super) async fn create_successor(
        &self,
        connection: &mut PgConnection,
        context: &AuditContext,
        generated: GeneratedKey,
        rotation: Rotation<'_>,
    ) -> AppResult<(RotatedKey, RotationEvent)> {
        let Rotation { old, command, now } = rotation;
        let not_after = command.not_after.or(old.not_after);
        let retires_at = command.retires_at(now, old.not_after);
        let immediately = retires_at <= now;
        let created_by = context.actor.to_string();
        let row = NewKeyRow {
            partner_id: old.partner_id,
            name: old.name.as_deref(),
            environment: old.environment,
            scopes: &old.scopes,
            rate_per_minute: old.rate_per_minute,
            not_before: now.max(old.not_before),
            not_after,
            rotated_from: Some(&old.key_id),
            created_at: now,
            created_by: &created_by,
        };
        let generated = self.insert_generated(connection, generated, &row).await?;
        let retirement = Retirement {
            retires_at,
            immediate: immediately,
            grace: (command.grace, command.starts),
            grace_started_at: (command.starts == GraceStart::Now || immediately).then_some(now),
        };
        key_changes::retire(connection, &old.key_id, retirement).await?;
        let event = RotationEvent {
            key_id: old.key_id.clone(),
            partner_id: old.partner_id,
            details: json!({
                "replacedBy": generated.key_id,
                "graceSeconds": command.grace,
                "graceStarts": command.starts,
                "retiresAt": retires_at,
                "notAfter": not_after,
            }),
        };
        let rotated = RotatedKey {
            key_id: generated.key_id,
            token: generated.token,
            replaces: old.key_id.clone(),
            retires_at,
            grace_starts: command.starts,
        };
        Ok((rotated, event))
    }
}

/// Rotation of a locked key.
#[derive(Clone, Copy)]
pub(super) struct Rotation<'a> {
    pub(super) old: &'a KeyView,
    pub(super) command: &'a RotateKey,
    pub(super) now: DateTime<Utc>,
}

/// Audit event of a rotation.
pub(super) struct RotationEvent {
    key_id: KeyId,
    partner_id: Uuid,
    details: Value,
}

impl RotationEvent {
    pub(super) async fn record(
        self,
        core: &Core,
        connection: &mut PgConnection,
        context: &AuditContext,
    ) -> AppResult<()> {
        let subject = Subject::key(&self.key_id, self.partner_id, self.details);
        record_and_notify(core, connection, context, Action::KeyRotated, subject).await
    }
}

/// Rejects a change after which too many keys of the lineage would be live: `wanted` of them, the named
/// one included, besides the others.
pub(super) async fn require_room(
    connection: &mut PgConnection,
    key_id: &KeyId,
    now: DateTime<Utc>,
    wanted: usize,
) -> AppResult<()> {
    let live_keys = keys::other_live(connection, key_id, now).await?;
    if live_keys.len() + wanted > MAX_LIVE_KEYS {
        return Err(Conflict::LineageFull { live_keys }.into());
    }
    Ok(())
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
