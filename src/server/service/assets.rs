//! Proof assets: list, show, change status, transfer, reverify.
//!
//! A change locks the asset first, then the receiving partner, then the head of the audit chain, so
//! that two changes can't deadlock.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::paging::{newest_first, page_of};
use super::partners::require_active;
use super::{AuditContext, Core};
use crate::domain::asset::{AccessScope, Asset, AssetQuery, AssetStatus};
use crate::domain::asset_input::ChangeStatus;
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::page::Page;
use crate::server::store::asset_events::{self, AssetEvent, EventKind};
use crate::server::store::{assets, partners};

/// Proof assets.
#[derive(Clone)]
pub struct AssetService {
    pub(super) core: Arc<Core>,
}

impl AssetService {
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Returns one page of assets, newest first.
    pub async fn list(&self, reach: AccessScope, query: &AssetQuery) -> AppResult<Page<Asset>> {
        let mut connection = self.core.pool.acquire().await?;
        let mut query = query.clone();
        loop {
            let rows = assets::list(&mut connection, reach.owner(), &query).await?;
            let page = page_of(rows, &mut query.page, |asset| {
                newest_first(asset.created_at, asset.asset_id)
            });
            if let Some(page) = page {
                return Ok(page);
            }
        }
    }

    pub async fn get(&self, reach: AccessScope, asset_id: Uuid) -> AppResult<Asset> {
        let mut connection = self.core.pool.acquire().await?;
        let asset = assets::find(&mut connection, asset_id, reach.owner()).await?;
        asset.ok_or_else(|| Missing::AssetNotFound.into())
    }

    /// Changes an asset's status. Setting the status that it has changes nothing.
    pub async fn change_status(
        &self,
        context: &AuditContext,
        reach: AccessScope,
        asset_id: Uuid,
        command: ChangeStatus,
    ) -> AppResult<Asset> {
        let mut transaction = self.core.pool.begin().await?;
        let before = assets::lock_for_update(&mut transaction, asset_id, reach.owner())
            .await?
            .ok_or(Missing::AssetNotFound)?;
        if command.status == before.status {
            return Ok(before);
        }
        if before.status == AssetStatus::Retired {
            return Err(Conflict::AssetRetired.into());
        }
        let details = json!({
            "status": { "from": before.status, "to": command.status },
            "reason": command.reason,
        });
        let after = Asset {
            status: command.status,
            updated_at: self.core.now(),
            ..before
        };
        assets::update(&mut transaction, &after).await?;
        let kind = EventKind::StatusChanged;
        self.log(&mut transaction, context, &after, kind, &details)
            .await?;
        let subject = Subject::asset(asset_id, after.partner_id, details);
        let action = Action::AssetStatusChanged;
        audit::record(&self.core, &mut transaction, context, action, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Transfers an asset to another, active partner.
    ///
    /// # Errors
    /// In this order: [`Missing::AssetNotFound`]; [`AppError::Invalid`] for its owner as the
    /// receiver; [`Missing::PartnerNotFound`]; [`Conflict::AssetRetired`];
    /// [`Conflict::PartnerInactive`].
    pub async fn transfer(
        &self,
        context: &AuditContext,
        reach: AccessScope,
        asset_id: Uuid,
        to_partner_id: Uuid,
    ) -> AppResult<Asset> {
        let mut transaction = self.core.pool.begin().await?;
        let before = assets::lock_for_update(&mut transaction, asset_id, reach.owner())
            .await?
            .ok_or(Missing::AssetNotFound)?;
        let giver = before.partner_id;
        if to_partner_id == giver {
            return Err(AppError::field(
                "toPartnerId",
                "must be another partner than the one that owns the asset",
            ));
        }
        let receiver = partners::lock_shared(&mut transaction, to_partner_id).await?;
        if receiver.is_some() && before.status == AssetStatus::Retired {
            return Err(Conflict::AssetRetired.into());
        }
        require_active(receiver)?;
        let after = Asset {
            partner_id: to_partner_id,
            updated_at: self.core.now(),
            ..before
        };
        assets::update(&mut transaction, &after).await?;
        let details = json!({ "fromPartnerId": giver, "toPartnerId": to_partner_id });
        let kind = EventKind::Transferred;
        self.log(&mut transaction, context, &after, kind, &details)
            .await?;
        // Each of the two partners finds the transfer in its own audit log.
        for (action, partner_id) in [
            (Action::AssetTransferred, giver),
            (Action::AssetReceived, to_partner_id),
        ] {
            let subject = Subject::asset(asset_id, partner_id, details.clone());
            audit::record(&self.core, &mut transaction, context, action, subject).await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    /// Returns whether a hash is the asset's, and the asset. The check goes into the asset's own
    /// event log.
    pub async fn reverify(
        &self,
        context: &AuditContext,
        reach: AccessScope,
        asset_id: Uuid,
        content_hash: &str,
    ) -> AppResult<(bool, Asset)> {
        let mut transaction = self.core.pool.begin().await?;
        let asset = assets::find(&mut transaction, asset_id, reach.owner())
            .await?
            .ok_or(Missing::AssetNotFound)?;
        let matches = asset.content_hash == content_hash;
        let details = json!({ "match": matches, "contentHash": content_hash });
        let kind = EventKind::Reverified;
        self.log(&mut transaction, context, &asset, kind, &details)
            .await?;
        transaction.commit().await?;
        Ok((matches, asset))
    }

    /// Adds to an asset's own event log.
    pub(super) async fn log(
        &self,
        connection: &mut PgConnection,
        context: &AuditContext,
        asset: &Asset,
        kind: EventKind,
        details: &Value,
    ) -> AppResult<()> {
        let event = AssetEvent {
            event_id: self.core.entropy.uuid(),
            asset_id: asset.asset_id,
            at: self.core.now(),
            kind,
            actor: &context.actor.to_string(),
            request_id: context.request_id.as_deref(),
            details,
        };
        Ok(asset_events::append(connection, &event).await?)
    }
}
