//! Webhooks and their secrets.

use data_encoding::BASE64;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::AuditContext;
use super::audit::{self, Subject};
use super::notifications::NotificationService;
use super::partners::require_exists;
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::secret::Secret;
use crate::domain::webhook::{CreateWebhook, MAX_WEBHOOKS, NewWebhook, UpdateWebhook, Webhook};
use crate::server::crypto::seal::{self, Sealed};
use crate::server::store::partners;
use crate::server::store::webhooks::{self, SealedRow};

/// Prefix of a secret (Standard Webhooks, "Signature scheme").
const SECRET_PREFIX: &str = "whsec_";

impl NotificationService {
    /// Creates a webhook. The addresses of its host name are checked at each attempt, not here.
    pub async fn create_webhook(
        &self,
        context: &AuditContext,
        partner_id: Uuid,
        command: CreateWebhook,
    ) -> AppResult<NewWebhook> {
        self.check_target(&command.url)?;
        let now = self.core.now();
        let webhook = Webhook {
            webhook_id: self.core.entropy.uuid(),
            partner_id,
            url: command.url,
            kinds: command.kinds,
            active: true,
            created_at: now,
            updated_at: now,
        };
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.core.entropy.bytes());
        let sealed = self.seal_secret(webhook.webhook_id, &secret[..])?;
        let mut transaction = self.core.pool.begin().await?;
        // Serialise concurrent creations, so that the count below holds.
        partners::lock_for_update(&mut transaction, partner_id)
            .await?
            .ok_or(Missing::PartnerNotFound)?;
        let count = webhooks::list(&mut transaction, partner_id).await?.len();
        if count as i64 >= MAX_WEBHOOKS {
            return Err(Conflict::TooManyWebhooks.into());
        }
        webhooks::insert(
            &mut transaction,
            &webhook,
            &sealed.bytes,
            &sealed.fingerprint,
        )
        .await?;
        self.record_webhook(&mut transaction, context, Action::WebhookCreated, &webhook)
            .await?;
        transaction.commit().await?;
        let encoded = Zeroizing::new(BASE64.encode(&secret[..]));
        let secret = Secret::from([SECRET_PREFIX, encoded.as_str()].concat());
        Ok(NewWebhook { webhook, secret })
    }

    /// Returns a partner's webhooks, oldest first.
    pub async fn list_webhooks(&self, partner_id: Uuid) -> AppResult<Vec<Webhook>> {
        let mut connection = self.core.pool.acquire().await?;
        require_exists(&mut connection, partner_id).await?;
        Ok(webhooks::list(&mut connection, partner_id).await?)
    }

    pub async fn update_webhook(
        &self,
        context: &AuditContext,
        webhook_id: Uuid,
        command: UpdateWebhook,
    ) -> AppResult<Webhook> {
        if let Some(url) = &command.url {
            self.check_target(url)?;
        }
        let mut transaction = self.core.pool.begin().await?;
        let before = webhooks::lock_for_update(&mut transaction, webhook_id)
            .await?
            .ok_or(Missing::WebhookNotFound)?;
        let mut after = Webhook {
            url: command.url.unwrap_or_else(|| before.url.clone()),
            kinds: command.kinds.unwrap_or_else(|| before.kinds.clone()),
            active: command.active.unwrap_or(before.active),
            ..before.clone()
        };
        if after != before {
            after.updated_at = self.core.now();
            webhooks::update(&mut transaction, &after).await?;
            self.record_webhook(&mut transaction, context, Action::WebhookUpdated, &after)
                .await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    /// Deletes a webhook with its delivery log.
    pub async fn delete_webhook(&self, context: &AuditContext, webhook_id: Uuid) -> AppResult<()> {
        let mut transaction = self.core.pool.begin().await?;
        let webhook = webhooks::lock_for_update(&mut transaction, webhook_id)
            .await?
            .ok_or(Missing::WebhookNotFound)?;
        webhooks::delete(&mut transaction, webhook_id).await?;
        self.record_webhook(&mut transaction, context, Action::WebhookDeleted, &webhook)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// Opens a webhook's sealed secret; `None` if no known pepper opens it.
    pub fn webhook_secret(
        &self,
        webhook_id: Uuid,
        bytes: Vec<u8>,
        fingerprint: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let sealed = Sealed {
            bytes,
            fingerprint: fingerprint.try_into().ok()?,
        };
        seal::open(
            self.core.peppers.as_deref()?,
            &sealed,
            webhook_id.as_bytes(),
        )
    }

    /// Reseals all secrets under the current pepper, and returns how many could not be opened.
    pub async fn reseal_webhooks(&self) -> AppResult<usize> {
        let peppers = self.core.peppers()?;
        let mut connection = self.core.pool.acquire().await?;
        let current = peppers.current().fingerprint();
        let mut unopened = 0;
        for row in webhooks::sealed_with_other_pepper(&mut connection, &current).await? {
            let SealedRow {
                webhook_id,
                sealed_secret,
                pepper_fingerprint,
            } = &row;
            let secret =
                self.webhook_secret(*webhook_id, sealed_secret.clone(), pepper_fingerprint);
            let Some(secret) = secret else {
                unopened += 1;
                continue;
            };
            let sealed = self.seal_secret(*webhook_id, &secret)?;
            webhooks::reseal(&mut connection, &row, &sealed.bytes, &sealed.fingerprint).await?;
        }
        Ok(unopened)
    }

    fn check_target(&self, url: &str) -> AppResult<()> {
        let checked = self.targets.check(url);
        checked
            .map(|_| ())
            .map_err(|why| AppError::field("url", why))
    }

    fn seal_secret(&self, webhook_id: Uuid, secret: &[u8]) -> AppResult<Sealed> {
        let peppers = self.core.peppers()?;
        let nonce = self.core.entropy.bytes();
        seal::seal(peppers.current(), nonce, webhook_id.as_bytes(), secret)
    }

    /// The URL may contain a secret, so the audit log names only the host.
    async fn record_webhook(
        &self,
        connection: &mut PgConnection,
        context: &AuditContext,
        action: Action,
        webhook: &Webhook,
    ) -> AppResult<()> {
        let subject = Subject::partner(
            webhook.partner_id,
            json!({
                "webhookId": webhook.webhook_id,
                "host": host(&webhook.url),
                "kinds": webhook.kinds,
                "active": webhook.active,
            }),
        );
        audit::record(&self.core, connection, context, action, subject).await
    }
}

/// Host and port of a URL.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}
