//! Rotation: a successor takes a key's place, in one transaction.
//!
//! No crash leaves the partner with neither key, or with two unless a grace was asked for; of
//! several rotations of one key at once exactly one succeeds: the row's lock orders them, and the
//! schema allows one successor.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::issuing::Minted;
use super::keys::{require_active, successor_begins};
use super::policy;
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::grace::GraceStart;
use crate::domain::key::KeyView;
use crate::domain::rotation::{MAX_LIVE_KEYS, RotateKey, RotatedKey};
use crate::domain::token::KeyId;
use crate::server::store::key_changes::{self, NewKeyRow, Retirement};
use crate::server::store::{keys, partners};

impl Registry {
    /// Rotates a key.
    ///
    /// # Errors
    /// [`Missing::KeyNotFound`]; [`Conflict::AlreadyRotated`], before [`Conflict::KeyInactive`],
    /// before [`Conflict::PartnerInactive`]; [`Conflict::LineageFull`] where the old key would go on
    /// beside its successor and a predecessor; [`AppError::Invalid`] for an end before the
    /// successor's begin or, where the order names one, beyond what the policy allows; or the
    /// database's. An end that the successor inherits stands: whoever rotates must not be cut off.
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
        if command.not_after.is_some() {
            policy::require_end(&mut transaction, not_before.max(now), not_after).await?;
        }
        let goes_on = command.retires_at(now, old.not_after) > now;
        let wanted = usize::from(goes_on) + 1;
        require_room(&mut transaction, &old.key_id, now, wanted).await?;
        let (rotated, event) = self
            .succeed(&mut transaction, origin, &old, minted, &command, now)
            .await?;
        event.record(self, &mut transaction, origin).await?;
        transaction.commit().await?;
        Ok(rotated)
    }

    /// Puts a successor in the place of a key that the transaction has locked and that may be
    /// rotated. Its event is to be recorded last in the transaction.
    pub(super) async fn succeed(
        &self,
        connection: &mut PgConnection,
        origin: &Origin,
        old: &KeyView,
        minted: Minted,
        command: &RotateKey,
        now: DateTime<Utc>,
    ) -> AppResult<(RotatedKey, RotationEvent)> {
        let not_after = command.not_after.or(old.not_after);
        let retires_at = command.retires_at(now, old.not_after);
        let at_once = retires_at <= now;
        let created_by = origin.actor.to_string();
        let row = NewKeyRow {
            partner_id: old.partner_id,
            name: old.name.as_deref(),
            environment: old.environment,
            scopes: &old.scopes,
            rate_per_minute: old.rate_per_minute,
            not_before: successor_begins(now, old.not_before),
            not_after,
            rotated_from: Some(&old.key_id),
            created_at: now,
            created_by: &created_by,
        };
        let minted = self.insert_minted(connection, minted, &row).await?;
        let retirement = Retirement {
            retires_at,
            at_once,
            grace: (command.grace, command.starts),
            grace_started_at: (command.starts == GraceStart::Now || at_once).then_some(now),
        };
        key_changes::retire(connection, &old.key_id, retirement).await?;
        let event = RotationEvent {
            key_id: old.key_id.clone(),
            partner_id: old.partner_id,
            details: json!({
                "replacedBy": minted.key_id,
                "graceSeconds": command.grace,
                "graceStarts": command.starts,
                "retiresAt": retires_at,
                "notAfter": not_after,
            }),
        };
        let rotated = RotatedKey {
            key_id: minted.key_id,
            token: minted.token,
            replaces: old.key_id.clone(),
            retires_at,
            grace_starts: command.starts,
        };
        Ok((rotated, event))
    }
}

/// What the history is to say of a rotation.
pub(super) struct RotationEvent {
    key_id: KeyId,
    partner_id: Uuid,
    details: Value,
}

impl RotationEvent {
    pub(super) async fn record(
        self,
        registry: &Registry,
        connection: &mut PgConnection,
        origin: &Origin,
    ) -> AppResult<()> {
        let subject = Subject {
            key_id: Some(&self.key_id),
            partner_id: Some(self.partner_id),
            details: self.details,
            ..Subject::default()
        };
        audit::record(registry, connection, origin, Action::KeyRotated, subject).await
    }
}

/// Refuses to let more keys of one lineage live than may: `wanted` of them shall, the named one
/// included.
///
/// # Errors
/// [`Conflict::LineageFull`], or the database's.
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
