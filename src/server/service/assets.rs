//! Proof assets: list, show, change the status, hand on, check.
//!
//! A change locks the asset first, then the receiving partner, then the end of the history: two
//! changes can't wait for each other.

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::keys::require_active;
use super::{Origin, Registry};
use crate::domain::asset::{AccessScope, Asset, AssetQuery, AssetStatus};
use crate::domain::asset_input::ChangeStatus;
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::page::Page;
use crate::server::store::asset_events::{self, AssetEvent, EventKind};
use crate::server::store::{assets, partners};

impl Registry {
    /// One page of assets, newest first.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] where the database can't be reached.
    pub async fn list_assets(
        &self,
        reach: AccessScope,
        query: &AssetQuery,
    ) -> AppResult<Page<Asset>> {
        let mut connection = self.pool.acquire().await?;
        let mut query = query.clone();
        let mut found = assets::list(&mut connection, reach.owner(), &query).await?;
        if let Some(first) = query.page.first_page_instead(found.len()) {
            query.page = first;
            found = assets::list(&mut connection, reach.owner(), &query).await?;
        }
        Ok(Page::from_rows(found, &query.page, |asset| {
            (asset.created_at, asset.asset_id.to_string())
        }))
    }

    /// One asset.
    ///
    /// # Errors
    /// [`Missing::AssetNotFound`], or the database's.
    pub async fn asset(&self, reach: AccessScope, asset_id: Uuid) -> AppResult<Asset> {
        let mut connection = self.pool.acquire().await?;
        let asset = assets::find(&mut connection, asset_id, reach.owner()).await?;
        asset.ok_or_else(|| Missing::AssetNotFound.into())
    }

    /// Changes an asset's status; to the one that it has changes nothing.
    ///
    /// # Errors
    /// [`Missing::AssetNotFound`], [`Conflict::AssetRetired`], or the database's.
    pub async fn change_asset_status(
        &self,
        origin: &Origin,
        reach: AccessScope,
        asset_id: Uuid,
        command: ChangeStatus,
    ) -> AppResult<Asset> {
        let mut transaction = self.pool.begin().await?;
        let before = assets::lock(&mut transaction, asset_id, reach.owner())
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
            updated_at: self.now(),
            ..before
        };
        assets::update(&mut transaction, &after).await?;
        let kind = EventKind::StatusChanged;
        self.note(&mut transaction, origin, &after, kind, &details)
            .await?;
        let subject = about(&after, after.partner_id, details);
        let action = Action::AssetStatusChanged;
        audit::record(self, &mut transaction, origin, action, subject).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Hands an asset to another, active partner.
    ///
    /// # Errors
    /// [`Missing::AssetNotFound`]; [`AppError::Invalid`] for its owner as the receiver;
    /// [`Missing::PartnerNotFound`]; [`Conflict::AssetRetired`], before
    /// [`Conflict::PartnerInactive`]; or the database's.
    pub async fn transfer_asset(
        &self,
        origin: &Origin,
        reach: AccessScope,
        asset_id: Uuid,
        to_partner_id: Uuid,
    ) -> AppResult<Asset> {
        let mut transaction = self.pool.begin().await?;
        let before = assets::lock(&mut transaction, asset_id, reach.owner())
            .await?
            .ok_or(Missing::AssetNotFound)?;
        let giver = before.partner_id;
        if to_partner_id == giver {
            return Err(AppError::field(
                "toPartnerId",
                "must be another partner than the one that owns the asset",
            ));
        }
        let receiver = partners::share(&mut transaction, to_partner_id).await?;
        if receiver.is_some() && before.status == AssetStatus::Retired {
            return Err(Conflict::AssetRetired.into());
        }
        require_active(receiver)?;
        let after = Asset {
            partner_id: to_partner_id,
            updated_at: self.now(),
            ..before
        };
        assets::update(&mut transaction, &after).await?;
        let details = json!({ "fromPartnerId": giver, "toPartnerId": to_partner_id });
        let kind = EventKind::Transferred;
        self.note(&mut transaction, origin, &after, kind, &details)
            .await?;
        // Each of the two finds it in its own history.
        for (action, partner_id) in [
            (Action::AssetTransferred, giver),
            (Action::AssetReceived, to_partner_id),
        ] {
            let subject = about(&after, partner_id, details.clone());
            audit::record(self, &mut transaction, origin, action, subject).await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    /// Whether a hash is the asset's, and the asset. The check is noted in the asset's own history.
    ///
    /// # Errors
    /// [`Missing::AssetNotFound`], or the database's.
    pub async fn reverify_asset(
        &self,
        origin: &Origin,
        reach: AccessScope,
        asset_id: Uuid,
        content_hash: &str,
    ) -> AppResult<(bool, Asset)> {
        let mut transaction = self.pool.begin().await?;
        let asset = assets::find(&mut transaction, asset_id, reach.owner())
            .await?
            .ok_or(Missing::AssetNotFound)?;
        let matches = asset.content_hash == content_hash;
        let details = json!({ "match": matches, "contentHash": content_hash });
        let kind = EventKind::Reverified;
        self.note(&mut transaction, origin, &asset, kind, &details)
            .await?;
        transaction.commit().await?;
        Ok((matches, asset))
    }

    /// Adds to an asset's own history.
    pub(super) async fn note(
        &self,
        connection: &mut PgConnection,
        origin: &Origin,
        asset: &Asset,
        kind: EventKind,
        details: &Value,
    ) -> AppResult<()> {
        let event = AssetEvent {
            event_id: self.entropy.uuid(),
            asset_id: asset.asset_id,
            at: self.now(),
            kind,
            actor: &origin.actor.to_string(),
            request_id: origin.request_id.as_deref(),
            details,
        };
        Ok(asset_events::append(connection, &event).await?)
    }
}

/// The subject of an event in the history of one partner.
pub(super) fn about(asset: &Asset, partner_id: Uuid, details: Value) -> Subject<'static> {
    Subject {
        partner_id: Some(partner_id),
        asset_id: Some(asset.asset_id),
        details,
        ..Subject::default()
    }
}
