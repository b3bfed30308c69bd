//! Recording a proof asset, once per partner and content, and once per idempotency key.

use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::AuditContext;
use super::assets::AssetService;
use super::audit::{self, Subject};
use super::idempotency::IdempotentRequest;
use crate::domain::asset::{Asset, AssetStatus};
use crate::domain::asset_input::MintAsset;
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict};
use crate::domain::token::KeyId;
use crate::server::store::asset_events::EventKind;
use crate::server::store::assets;

/// Route that scopes the idempotency keys.
const MINT_ROUTE: &str = "POST /api/proof-assets";

/// The caller that records an asset.
#[derive(Clone, Copy, Debug)]
pub struct Minter<'a> {
    /// The partner that will own the asset.
    pub partner_id: Uuid,
    /// The key that the caller used.
    pub key_id: &'a KeyId,
    /// Repeated requests with the same key get the first answer.
    pub idempotency_key: Option<&'a str>,
}

impl AssetService {
    /// Records an asset, or returns the earlier answer under the same idempotency key.
    pub async fn mint(
        &self,
        context: &AuditContext,
        minter: &Minter<'_>,
        command: MintAsset,
    ) -> AppResult<Asset> {
        let mut transaction = self.core.pool.begin().await?;
        let outcome = self
            .mint_in(&mut transaction, context, minter, command)
            .await;
        // Await the end of the transaction in both cases: a client that repeats its request
        // immediately must not meet the lock of the request that was just answered.
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
        context: &AuditContext,
        minter: &Minter<'_>,
        command: MintAsset,
    ) -> AppResult<Asset> {
        let partner_id = minter.partner_id;
        let request = minter
            .idempotency_key
            .map(|key| IdempotentRequest::new(partner_id, MINT_ROUTE, key, &command))
            .transpose()?;
        if let Some(request) = &request
            && let Some(asset) = request.begin(&self.core, connection).await?
        {
            return Ok(asset);
        }
        let now = self.core.now();
        let asset = Asset {
            asset_id: self.core.entropy.uuid(),
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
            let before = assets::find_minted(connection, partner_id, &asset.content_hash).await?;
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
        self.log(connection, context, &asset, EventKind::Minted, &details)
            .await?;
        if let Some(request) = &request {
            request.finish(&self.core, connection, &asset).await?;
        }
        let subject = Subject::asset(asset.asset_id, partner_id, details);
        audit::record(
            &self.core,
            connection,
            context,
            Action::AssetMinted,
            subject,
        )
        .await?;
        Ok(asset)
    }
}
