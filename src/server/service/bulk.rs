//! Many keys in one order: hashed first, then changed in one transaction, all or none.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use futures::channel::mpsc;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use sqlx::PgConnection;

use super::issuing::Minted;
use super::keys::{outweighs, record_revocation};
use super::{Origin, Registry};
use crate::domain::bulk::{
    BulkAction, BulkPreview, MAX_KEYS, ManyRevoked, ManyRotated, Progress, RotationContext,
    SkipReason, SkippedKey,
};
use crate::domain::bulk_input::{RevokeMany, RotateMany, Selection};
use crate::domain::error::AppResult;
use crate::domain::key::{KeyStatus, KeyView, RevokedKey};
use crate::domain::token::KeyId;
use crate::server::store::{bulk, key_changes};

/// Secrets of one order that are hashed or wait for a thread at once. The pool bounds what runs.
const AT_ONCE: usize = 16;

/// The keys that were meant, as they are.
struct Sorted {
    fit: Vec<KeyView>,
    left_out: Vec<SkippedKey>,
    more: bool,
}

impl Registry {
    /// What an order would do. Nothing is changed.
    ///
    /// # Errors
    /// The database's.
    pub async fn preview_bulk(
        &self,
        action: BulkAction,
        selection: &Selection,
    ) -> AppResult<BulkPreview> {
        let mut connection = self.pool.acquire().await?;
        let now = self.now();
        let sorted = sort(&mut connection, action, selection, now).await?;
        let in_use = sorted.fit.iter().filter(|key| key.is_in_use(now)).count();
        Ok(BulkPreview {
            in_use,
            keys: sorted.fit,
            left_out: sorted.left_out,
            more: sorted.more,
        })
    }

    /// Rotates the keys that are meant and can be. `progress` is told how many secrets are hashed,
    /// and of how many.
    ///
    /// # Errors
    /// The database's, or [`crate::domain::error::AppError::Internal`] from hashing; then nothing
    /// was changed.
    pub async fn rotate_many(
        &self,
        origin: &Origin,
        order: RotateMany,
        progress: impl Fn(usize, usize) + Send,
    ) -> AppResult<ManyRotated> {
        let action = BulkAction::Rotate;
        let mut connection = self.pool.acquire().await?;
        let meant = sort(&mut connection, action, &order.selection, self.now()).await?;
        drop(connection);
        let mut minted = self.mint_many(meant.fit.len(), progress).await?;

        let ids = ids(&meant.fit);
        let mut transaction = self.pool.begin().await?;
        bulk::lock(&mut transaction, &ids).await?;
        let now = self.now();
        // Read again under the locks: what another order has changed meanwhile is left out.
        let selection = Selection::Listed(ids);
        let mut found = sort(&mut transaction, action, &selection, now).await?;
        let mut rotated = Vec::with_capacity(found.fit.len());
        let mut events = Vec::with_capacity(found.fit.len());
        for (old, secret) in found.fit.iter().zip(minted.drain(..)) {
            let (key, event) = self
                .succeed(&mut transaction, origin, old, secret, &order.rotation, now)
                .await?;
            rotated.push(key);
            events.push(event);
        }
        // The end of the chain is locked last, and by nobody longer than need be.
        for event in events {
            event.record(self, &mut transaction, origin).await?;
        }
        transaction.commit().await?;
        found.left_out.extend(meant.left_out);
        Ok(ManyRotated {
            rotated,
            left_out: found.left_out,
            more: meant.more,
        })
    }

    /// The same, told as it goes. Who drops the stream before its end stops the order, which then
    /// has changed nothing, unless it was at its very end.
    pub fn rotate_many_telling(
        self,
        origin: Origin,
        order: RotateMany,
    ) -> impl Stream<Item = Progress> + Send + 'static {
        let (tell, told) = mpsc::unbounded();
        let outcome = async move {
            let progress = |done, of| {
                // Refused only where nobody listens any more, and then this is being dropped too.
                let _ = tell.unbounded_send(Progress::Hashed(done, of));
            };
            match self.rotate_many(&origin, order, progress).await {
                Ok(rotated) => Progress::Done(rotated),
                Err(error) => Progress::Failed(error),
            }
        };
        stream::select(told, stream::once(outcome))
    }

    /// Revokes the keys that are meant. A revoked one stays as it is, unless the reason outweighs
    /// the one that it was revoked for.
    ///
    /// # Errors
    /// The database's; then nothing was changed.
    pub async fn revoke_many(&self, origin: &Origin, order: RevokeMany) -> AppResult<ManyRevoked> {
        let RevokeMany {
            selection,
            revocation,
        } = order;
        let mut transaction = self.pool.begin().await?;
        let (keys, more) =
            read(&mut transaction, BulkAction::Revoke, &selection, self.now()).await?;
        bulk::lock(&mut transaction, &ids(&keys)).await?;
        let now = self.now();
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
            record_revocation(self, &mut transaction, origin, key, &revocation).await?;
        }
        transaction.commit().await?;
        Ok(ManyRevoked {
            revoked,
            left_out,
            more,
        })
    }

    /// Makes so many secrets, before any transaction.
    async fn mint_many(
        &self,
        count: usize,
        progress: impl Fn(usize, usize) + Send,
    ) -> AppResult<Vec<Minted>> {
        let mut minted = Vec::with_capacity(count);
        progress(0, count);
        let mut hashing = stream::iter(0..count)
            .map(|_| self.mint_patiently())
            .buffer_unordered(AT_ONCE);
        while let Some(secret) = hashing.try_next().await? {
            minted.push(secret);
            progress(minted.len(), count);
        }
        Ok(minted)
    }
}

/// Reads the keys that are meant and sorts them by whether the action is carried out for them.
async fn sort(
    connection: &mut PgConnection,
    action: BulkAction,
    selection: &Selection,
    now: DateTime<Utc>,
) -> AppResult<Sorted> {
    let (keys, more) = read(connection, action, selection, now).await?;
    let mut left_out = missing(selection, &keys);
    let (crowded, active) = match action {
        BulkAction::Revoke => (HashSet::new(), HashSet::new()),
        BulkAction::Rotate => {
            let mut partners: Vec<_> = keys.iter().map(|key| key.partner_id).collect();
            partners.sort_unstable();
            partners.dedup();
            (
                bulk::crowded(connection, &ids(&keys), now).await?,
                bulk::share_active(connection, &partners).await?,
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
    Ok(Sorted {
        fit,
        left_out,
        more,
    })
}

/// The keys that are meant, as many as one order takes, and whether there are more.
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

/// The listed keys that there are none of.
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
