//! Bulk actions: new secrets are hashed first, then all keys are changed in one transaction.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use futures::channel::mpsc;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use sqlx::PgConnection;

use super::AuditContext;
use super::issuing::GeneratedKey;
use super::keys::KeyService;
use super::revocation::{outweighs, record_revocation};
use super::rotation::Rotation;
use crate::domain::bulk::{
    BulkAction, BulkPreview, MAX_KEYS, ManyRevoked, ManyRotated, Progress, RotationContext,
    SkipReason, SkippedKey,
};
use crate::domain::bulk_input::{RevokeMany, RotateMany, Selection};
use crate::domain::error::AppResult;
use crate::domain::key::{KeyStatus, KeyView, RevokedKey};
use crate::domain::token::KeyId;
use crate::server::store::{bulk, key_changes};

/// Secrets of one request that are hashed or queued at the same time. The pool bounds what runs.
const CONCURRENCY: usize = 16;

/// The selected keys.
struct Selected {
    /// Keys to which the action applies.
    fit: Vec<KeyView>,
    left_out: Vec<SkippedKey>,
    /// True if the selection matches more keys than one request takes.
    more: bool,
}

impl KeyService {
    /// Returns what a bulk action would do, without changing anything.
    pub async fn preview_bulk(
        &self,
        action: BulkAction,
        selection: &Selection,
    ) -> AppResult<BulkPreview> {
        let mut connection = self.core.pool.acquire().await?;
        let now = self.core.now();
        let selected = select(&mut connection, action, selection, now).await?;
        let in_use = selected.fit.iter().filter(|key| key.is_in_use(now)).count();
        Ok(BulkPreview {
            in_use,
            keys: selected.fit,
            left_out: selected.left_out,
            more: selected.more,
        })
    }

    /// Rotates all selected keys that can be rotated, or none on an error. `progress` receives the number
    /// of hashed secrets and the total.
    pub async fn rotate_many(
        &self,
        context: &AuditContext,
        command: RotateMany,
        progress: impl Fn(usize, usize) + Send,
    ) -> AppResult<ManyRotated> {
        let action = BulkAction::Rotate;
        let mut connection = self.core.pool.acquire().await?;
        let planned = select(&mut connection, action, &command.selection, self.core.now()).await?;
        drop(connection);
        let mut generated = self.generate_many(planned.fit.len(), progress).await?;

        let ids = ids(&planned.fit);
        let mut transaction = self.core.pool.begin().await?;
        bulk::lock_for_update(&mut transaction, &ids).await?;
        let now = self.core.now();
        // Read again under the locks: keys that were changed meanwhile are left out.
        let selection = Selection::Listed(ids);
        let mut found = select(&mut transaction, action, &selection, now).await?;
        let mut rotated = Vec::with_capacity(found.fit.len());
        let mut events = Vec::with_capacity(found.fit.len());
        for (old, secret) in found.fit.iter().zip(generated.drain(..)) {
            let rotation = Rotation {
                old,
                command: &command.rotation,
                now,
            };
            let (key, event) = self
                .create_successor(&mut transaction, context, secret, rotation)
                .await?;
            rotated.push(key);
            events.push(event);
        }
        // Write audit events last: each takes the chain-head lock, which serialises all writers.
        for event in events {
            event.record(&self.core, &mut transaction, context).await?;
        }
        transaction.commit().await?;
        found.left_out.extend(planned.left_out);
        Ok(ManyRotated {
            rotated,
            left_out: found.left_out,
            more: planned.more,
        })
    }

    /// Same as [`Self::rotate_many`], as a stream of progress. Dropping the stream before its end cancels
    /// the rotation.
    pub fn rotate_many_with_progress(
        self,
        context: AuditContext,
        command: RotateMany,
    ) -> impl Stream<Item = Progress> + Send + 'static {
        let (sender, receiver) = mpsc::unbounded();
        let outcome = async move {
            let progress = |done, of| {
                // Fails only if the receiver was dropped, in which case this future is dropped too.
                let _ = sender.unbounded_send(Progress::Hashed(done, of));
            };
            match self.rotate_many(&context, command, progress).await {
                Ok(rotated) => Progress::Done(rotated),
                Err(error) => Progress::Failed(error),
            }
        };
        stream::select(receiver, stream::once(outcome))
    }

    /// Revokes all selected keys, or none on an error. A revoked key stays as it is, unless the reason
    /// outweighs its reason.
    pub async fn revoke_many(
        &self,
        context: &AuditContext,
        command: RevokeMany,
    ) -> AppResult<ManyRevoked> {
        let RevokeMany {
            selection,
            revocation,
        } = command;
        let mut transaction = self.core.pool.begin().await?;
        let (keys, more) = read(
            &mut transaction,
            BulkAction::Revoke,
            &selection,
            self.core.now(),
        )
        .await?;
        bulk::lock_for_update(&mut transaction, &ids(&keys)).await?;
        let now = self.core.now();
        let listed = Selection::Listed(ids(&keys));
        let (keys, _) = read(&mut transaction, BulkAction::Revoke, &listed, now).await?;
        let mut left_out = missing(&selection, &keys);
        let (fit, revoked_already): (Vec<_>, Vec<_>) = keys
            .into_iter()
            .partition(|key| outweighs(revocation.reason, key));
        left_out.extend(revoked_already.iter().map(|key| SkippedKey {
            key_id: key.key_id.clone(),
            reason: SkipReason::AlreadyRevoked,
            replaced_by: key.replaced_by.clone(),
        }));
        let mut revoked = Vec::with_capacity(fit.len());
        for key in &fit {
            let revoked_at = key.revoked_at.unwrap_or(now);
            let note = revocation.note.as_deref();
            key_changes::revoke(
                &mut transaction,
                &key.key_id,
                revoked_at,
                revocation.reason,
                note,
            )
            .await?;
            revoked.push(RevokedKey {
                key_id: key.key_id.clone(),
                status: KeyStatus::Revoked,
                revoked_at,
            });
        }
        for key in &fit {
            record_revocation(&self.core, &mut transaction, context, key, &revocation).await?;
        }
        transaction.commit().await?;
        Ok(ManyRevoked {
            revoked,
            left_out,
            more,
        })
    }

    /// Generates so many keys. Call it before the transaction.
    async fn generate_many(
        &self,
        count: usize,
        progress: impl Fn(usize, usize) + Send,
    ) -> AppResult<Vec<GeneratedKey>> {
        let mut generated = Vec::with_capacity(count);
        progress(0, count);
        let mut hashing = stream::iter(0..count)
            .map(|_| self.generate_low_priority())
            .buffer_unordered(CONCURRENCY);
        while let Some(secret) = hashing.try_next().await? {
            generated.push(secret);
            progress(generated.len(), count);
        }
        Ok(generated)
    }
}

/// Reads the selected keys and separates those to which the action applies.
async fn select(
    connection: &mut PgConnection,
    action: BulkAction,
    selection: &Selection,
    now: DateTime<Utc>,
) -> AppResult<Selected> {
    let (keys, more) = read(connection, action, selection, now).await?;
    let mut left_out = missing(selection, &keys);
    let (crowded, active) = match action {
        BulkAction::Revoke => (HashSet::new(), HashSet::new()),
        BulkAction::Rotate => {
            let mut partners: Vec<_> = keys.iter().map(|key| key.partner_id).collect();
            partners.sort_unstable();
            partners.dedup();
            (
                bulk::with_live_sibling(connection, &ids(&keys), now).await?,
                bulk::lock_active_shared(connection, &partners).await?,
            )
        }
    };
    let mut fit = Vec::with_capacity(keys.len());
    for key in keys {
        let around = RotationContext {
            partner_active: active.contains(&key.partner_id),
            has_live_sibling: crowded.contains(key.key_id.as_str()),
        };
        match action.skip_reason(&key, around) {
            None => fit.push(key),
            Some(reason) => left_out.push(SkippedKey {
                key_id: key.key_id,
                reason,
                replaced_by: key.replaced_by,
            }),
        }
    }
    Ok(Selected {
        fit,
        left_out,
        more,
    })
}

/// Returns the selected keys, as many as one request takes, and whether there are more.
async fn read(
    connection: &mut PgConnection,
    action: BulkAction,
    selection: &Selection,
    now: DateTime<Utc>,
) -> AppResult<(Vec<KeyView>, bool)> {
    let rows = bulk::select(connection, selection, action, now).await?;
    let more = rows.len() > MAX_KEYS;
    let keys = rows
        .into_iter()
        .take(MAX_KEYS)
        .map(|row| row.view(now))
        .collect::<sqlx::Result<_>>()?;
    Ok((keys, more))
}

/// The listed keys that do not exist.
fn missing(selection: &Selection, found: &[KeyView]) -> Vec<SkippedKey> {
    let Selection::Listed(listed) = selection else {
        return Vec::new();
    };
    let found: HashSet<&str> = found.iter().map(|key| key.key_id.as_str()).collect();
    let unknown = listed.iter().filter(|id| !found.contains(id.as_str()));
    unknown
        .map(|id| SkippedKey {
            key_id: id.clone(),
            reason: SkipReason::KeyNotFound,
            replaced_by: None,
        })
        .collect()
}

fn ids(keys: &[KeyView]) -> Vec<KeyId> {
    keys.iter().map(|key| key.key_id.clone()).collect()
}
