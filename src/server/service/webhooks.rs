//! Webhooks: made, listed, changed, deleted; and their secrets.

use data_encoding::BASE64;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Conflict, Missing};
use crate::domain::secret::Secret;
use crate::domain::webhook::{CreateWebhook, MAX_WEBHOOKS, NewWebhook, UpdateWebhook, Webhook};
use crate::server::crypto::seal::{self, Sealed};
use crate::server::store::partners;
use crate::server::store::webhooks::{self, SealedRow};

/// What a secret begins with (Standard Webhooks, "Signature scheme").
const SECRET_PREFIX: &str = "whsec_";

impl Registry {
    /// Makes a webhook. What its host's name stands for is looked at with every attempt.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for an address that may not be called, [`Missing::PartnerNotFound`], [`Conflict::TooManyWebhooks`], or the database's.
    pub async fn create_webhook(
        &self,
        origin: &Origin,
        partner_id: Uuid,
        command: CreateWebhook,
    ) -> AppResult<NewWebhook> {
        self.check_target(&command.url)?;
        let now = self.now();
        let webhook = Webhook {
            webhook_id: self.entropy.uuid(),
            partner_id,
            url: command.url,
            kinds: command.kinds,
            active: true,
            created_at: now,
            updated_at: now,
        };
        let secret: Zeroizing<[u8; 32]> = Zeroizing::new(self.entropy.bytes());
        let sealed = self.seal_secret(webhook.webhook_id, &secret[..])?;
        let mut transaction = self.pool.begin().await?;
        // The lock orders those who count.
        partners::lock(&mut transaction, partner_id)
            .await?
            .ok_or(Missing::PartnerNotFound)?;
        let there_are = webhooks::list(&mut transaction, partner_id).await?.len();
        if there_are as i64 >= MAX_WEBHOOKS {
            return Err(Conflict::TooManyWebhooks.into());
        }
        webhooks::insert(
            &mut transaction,
            &webhook,
            &sealed.bytes,
            &sealed.fingerprint,
        )
        .await?;
        self.record_webhook(&mut transaction, origin, Action::WebhookCreated, &webhook)
            .await?;
        transaction.commit().await?;
        let encoded = Zeroizing::new(BASE64.encode(&secret[..]));
        let told = Secret::from([SECRET_PREFIX, encoded.as_str()].concat());
        Ok(NewWebhook {
            webhook,
            secret: told,
        })
    }

    /// A partner's webhooks, oldest first.
    ///
    /// # Errors
    /// [`Missing::PartnerNotFound`], or the database's.
    pub async fn list_webhooks(&self, partner_id: Uuid) -> AppResult<Vec<Webhook>> {
        self.partner(partner_id).await?;
        let mut connection = self.pool.acquire().await?;
        Ok(webhooks::list(&mut connection, partner_id).await?)
    }

    /// Changes a webhook.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for an address that may not be called, [`Missing::WebhookNotFound`], or the
    /// database's.
    pub async fn update_webhook(
        &self,
        origin: &Origin,
        webhook_id: Uuid,
        command: UpdateWebhook,
    ) -> AppResult<Webhook> {
        if let Some(url) = &command.url {
            self.check_target(url)?;
        }
        let mut transaction = self.pool.begin().await?;
        let before = webhooks::lock(&mut transaction, webhook_id)
            .await?
            .ok_or(Missing::WebhookNotFound)?;
        let mut after = Webhook {
            url: command.url.unwrap_or_else(|| before.url.clone()),
            kinds: command.kinds.unwrap_or_else(|| before.kinds.clone()),
            active: command.active.unwrap_or(before.active),
            ..before.clone()
        };
        if after != before {
            after.updated_at = self.now();
            webhooks::update(&mut transaction, &after).await?;
            self.record_webhook(&mut transaction, origin, Action::WebhookUpdated, &after)
                .await?;
        }
        transaction.commit().await?;
        Ok(after)
    }

    /// Deletes a webhook with its delivery log.
    ///
    /// # Errors
    /// [`Missing::WebhookNotFound`], or the database's.
    pub async fn delete_webhook(&self, origin: &Origin, webhook_id: Uuid) -> AppResult<()> {
        let mut transaction = self.pool.begin().await?;
        let webhook = webhooks::lock(&mut transaction, webhook_id)
            .await?
            .ok_or(Missing::WebhookNotFound)?;
        webhooks::delete(&mut transaction, webhook_id).await?;
        self.record_webhook(&mut transaction, origin, Action::WebhookDeleted, &webhook)
            .await?;
        Ok(transaction.commit().await?)
    }

    /// The bytes of a webhook's secret; `None` where no known pepper opens it.
    #[must_use]
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
        seal::open(self.peppers.as_deref()?, &sealed, webhook_id.as_bytes())
    }

    /// Seals the secrets that another pepper sealed under the current one; how many could not be
    /// opened.
    ///
    /// # Errors
    /// The database's.
    pub async fn reseal_webhooks(&self) -> AppResult<usize> {
        let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
        let mut connection = self.pool.acquire().await?;
        let current = peppers.current().fingerprint();
        let mut unopened = 0;
        for row in webhooks::sealed_otherwise(&mut connection, &current).await? {
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
        let peppers = self.peppers.as_deref().ok_or(AppError::Internal)?;
        let nonce = self.entropy.bytes();
        seal::seal(peppers.current(), nonce, webhook_id.as_bytes(), secret)
    }

    /// The whole address may be a secret of its own, so the history names the host alone.
    async fn record_webhook(
        &self,
        connection: &mut PgConnection,
        origin: &Origin,
        action: Action,
        webhook: &Webhook,
    ) -> AppResult<()> {
        let subject = Subject {
            partner_id: Some(webhook.partner_id),
            details: json!({
                "webhookId": webhook.webhook_id,
                "host": host(&webhook.url),
                "kinds": webhook.kinds,
                "active": webhook.active,
            }),
            ..Subject::default()
        };
        audit::record(self, connection, origin, action, subject).await
    }
}

/// The host of an address, with its port.
#[must_use]
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}
