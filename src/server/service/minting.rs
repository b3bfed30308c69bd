//! Recording a proof asset, once per partner and content, and once per idempotency key.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::assets::about;
use super::idempotency::Attempt;
use super::{Origin, Registry, audit};
use crate::domain::asset::{Asset, AssetStatus};
use crate::domain::asset_input::MintAsset;
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict};
use crate::domain::token::KeyId;
use crate::server::store::asset_events::EventKind;
use crate::server::store::assets;

/// What idempotency keys of a mint belong to.
const MINT_ROUTE: &str = "POST /api/proof-assets";

/// Who records an asset.
#[derive(Clone, Copy, Debug)]
pub struct Minter<'a> {
    /// The partner that will own it.
    pub partner_id: Uuid,
    /// Its key.
    pub key_id: &'a KeyId,
    /// The client's word for this one request: a repeated one under it gets the first one's answer.
    pub idempotency_key: Option<&'a str>,
}

impl Registry {
    /// Records an asset, or answers as before under the same idempotency key.
    ///
    /// # Errors
    /// [`Conflict::IdempotencyInProgress`], [`Conflict::IdempotencyMismatch`],
    /// [`Conflict::AlreadyMinted`], or the database's.
    pub async fn mint_asset(
        &self,
        origin: &Origin,
        minter: &Minter<'_>,
        command: MintAsset,
    ) -> AppResult<Asset> {
        let mut transaction = self.pool.begin().await?;
        let outcome = self
            .mint_in(&mut transaction, origin, minter, command)
            .await;
        // Waited for either way: a client that repeats its request at once must not meet the lock
        // of the one that it has the answer of.
        match outcome {
            Ok(asset) => {
                transaction.commit().await?;
                Ok(asset)
            }
            Err(error) => {
                transaction.rollback().await?;
                Err(error)
            }
        }
    }

    async fn mint_in(
        &self,
        connection: &mut PgConnection,
        origin: &Origin,
        minter: &Minter<'_>,
        command: MintAsset,
    ) -> AppResult<Asset> {
        let partner_id = minter.partner_id;
        let attempt = minter
            .idempotency_key
            .map(|key| Attempt::new(partner_id, MINT_ROUTE, key, &command))
            .transpose()?;
        if let Some(attempt) = &attempt
            && let Some(asset) = attempt.begin(self, connection).await?
        {
            return Ok(asset);
        }
        let now = self.now();
        let asset = Asset {
            asset_id: self.entropy.uuid(),
            partner_id,
            content_hash: command.content_hash,
            title: command.title,
            external_ref: command.external_ref,
            metadata: command.metadata,
            status: AssetStatus::Active,
            minted_by: minter.key_id.clone(),
            created_at: now,
            updated_at: now,
        };
        if !assets::insert(connection, &asset).await? {
            let before = assets::minted(connection, partner_id, &asset.content_hash).await?;
            let asset_id = before.ok_or_else(|| {
                tracing::error!("a content was minted already, but no asset holds it");
                AppError::Internal
            })?;
            return Err(Conflict::AlreadyMinted { asset_id }.into());
        }
        let details = json!({
            "contentHash": asset.content_hash,
            "title": asset.title,
            "externalRef": asset.external_ref,
        });
        self.note(connection, origin, &asset, EventKind::Minted, &details)
            .await?;
        if let Some(attempt) = &attempt {
            attempt.finish(self, connection, &asset).await?;
        }
        let subject = about(&asset, partner_id, details);
        audit::record(self, connection, origin, Action::AssetMinted, subject).await?;
        Ok(asset)
    }
}
