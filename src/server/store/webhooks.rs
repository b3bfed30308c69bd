//! Table `webhooks`.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use crate::domain::notification::NotificationKind;
use crate::domain::webhook::Webhook;

#[derive(FromRow)]
struct WebhookRow {
    webhook_id: Uuid,
    partner_id: Uuid,
    url: String,
    kinds: Vec<String>,
    active: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = sqlx::Error;

    fn try_from(row: WebhookRow) -> sqlx::Result<Self> {
        Ok(Self {
            webhook_id: row.webhook_id,
            partner_id: row.partner_id,
            url: row.url,
            kinds: row
                .kinds
                .iter()
                .map(|name| kind(name))
                .collect::<sqlx::Result<_>>()?,
            active: row.active,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// Parses a notification kind.
pub(super) fn kind(name: &str) -> sqlx::Result<NotificationKind> {
    name.parse()
        .map_err(|_| sqlx::Error::Decode(format!("unknown notification kind {name}").into()))
}

macro_rules! select_webhooks {
    ($tail:literal) => {
        concat!(
            "select webhook_id, partner_id, url, kinds, active, created_at, updated_at from webhooks ",
            $tail
        )
    };
}

/// A partner's webhooks, oldest first.
pub async fn list(connection: &mut PgConnection, partner_id: Uuid) -> sqlx::Result<Vec<Webhook>> {
    let rows: Vec<WebhookRow> = sqlx::query_as(select_webhooks!(
        "where partner_id = $1 order by created_at, webhook_id"
    ))
    .bind(partner_id)
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(Webhook::try_from).collect()
}

/// Locks a webhook until the transaction ends, and returns it.
pub async fn lock_for_update(
    connection: &mut PgConnection,
    webhook_id: Uuid,
) -> sqlx::Result<Option<Webhook>> {
    let row: Option<WebhookRow> =
        sqlx::query_as(select_webhooks!("where webhook_id = $1 for update"))
            .bind(webhook_id)
            .fetch_optional(connection)
            .await?;
    row.map(Webhook::try_from).transpose()
}

/// Inserts a webhook with its sealed secret.
pub async fn insert(
    connection: &mut PgConnection,
    webhook: &Webhook,
    sealed_secret: &[u8],
    pepper_fingerprint: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into webhooks (webhook_id, partner_id, url, kinds, sealed_secret, pepper_fingerprint, active,
                               created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(webhook.webhook_id)
    .bind(webhook.partner_id)
    .bind(&webhook.url)
    .bind(names(&webhook.kinds))
    .bind(sealed_secret)
    .bind(pepper_fingerprint)
    .bind(webhook.active)
    .bind(webhook.created_at)
    .bind(webhook.updated_at)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Updates a webhook's changeable columns.
pub async fn update(connection: &mut PgConnection, webhook: &Webhook) -> sqlx::Result<()> {
    sqlx::query(
        "update webhooks set url = $2, kinds = $3, active = $4, updated_at = $5 where webhook_id = $1",
    )
    .bind(webhook.webhook_id)
    .bind(&webhook.url)
    .bind(names(&webhook.kinds))
    .bind(webhook.active)
    .bind(webhook.updated_at)
    .execute(connection)
    .await
    .map(|_| ())
}

/// Deletes a webhook with its deliveries.
pub async fn delete(connection: &mut PgConnection, webhook_id: Uuid) -> sqlx::Result<()> {
    sqlx::query("delete from webhooks where webhook_id = $1")
        .bind(webhook_id)
        .execute(connection)
        .await
        .map(|_| ())
}

/// A webhook's secret as it is stored.
#[derive(FromRow)]
pub struct SealedRow {
    pub webhook_id: Uuid,
    pub sealed_secret: Vec<u8>,
    pub pepper_fingerprint: Vec<u8>,
}

/// Secrets that are sealed under a pepper other than this one.
pub async fn sealed_with_other_pepper(
    connection: &mut PgConnection,
    fingerprint: &[u8],
) -> sqlx::Result<Vec<SealedRow>> {
    sqlx::query_as(
        "select webhook_id, sealed_secret, pepper_fingerprint from webhooks where pepper_fingerprint <> $1",
    )
    .bind(fingerprint)
    .fetch_all(connection)
    .await
}

/// Replaces a sealed secret, unless it was changed in the meantime.
pub async fn reseal(
    connection: &mut PgConnection,
    before: &SealedRow,
    sealed_secret: &[u8],
    fingerprint: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "update webhooks set sealed_secret = $3, pepper_fingerprint = $4
          where webhook_id = $1 and sealed_secret = $2",
    )
    .bind(before.webhook_id)
    .bind(&before.sealed_secret)
    .bind(sealed_secret)
    .bind(fingerprint)
    .execute(connection)
    .await
    .map(|_| ())
}

fn names(kinds: &[NotificationKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.into_str()).collect()
}
