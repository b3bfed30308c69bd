//! Notifications to partners: the outbox, its deliveries to webhooks and e-mail addresses, and their log.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::delivery_targets::DeliveryTargets;
use super::paging::{newest_first, page_of};
use super::partners::require_exists;
use super::{AuditContext, Core};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::notification::{Delivery, DeliveryStatus, NotificationKind};
use crate::domain::page::Page;
use crate::domain::webhook::{DeliveryQuery, UpdateWebhook};
use crate::server::store::deliveries::{self, Attempt, DueRow};
use crate::server::store::notices;

/// Period in which a delivery is retried.
const RETRY_PERIOD: TimeDelta = TimeDelta::hours(24);
/// Age at which the delivery log is deleted.
const RETENTION: TimeDelta = TimeDelta::days(90);
/// Time that a process has for a claimed delivery.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Notifications that are turned into deliveries in one statement.
const BATCH_SIZE: i64 = 500;
/// Pauses between attempts in seconds; the last one repeats until [`RETRY_PERIOD`] ends (Standard
/// Webhooks, "Deliverability and reliability").
const PAUSES: [i64; 8] = [5, 60, 300, 1_800, 7_200, 18_000, 28_800, 28_800];

/// Size of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Notifications without deliveries yet.
    pub notices: u64,
    /// Seconds since the oldest of them was written.
    pub notices_lag: u64,
    /// Deliveries that are pending.
    pub deliveries: u64,
    /// Seconds since the longest overdue one was due.
    pub deliveries_lag: u64,
}

/// Result of a delivery attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub ended: Ended,
    /// HTTP status or SMTP reply code.
    pub code: Option<i32>,
    /// Reason of the failure; never text from the receiver.
    pub error: Option<&'static str>,
    /// Duration in milliseconds.
    pub millis: i32,
}

/// End of a delivery attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Arrived,
    /// Failed; another attempt may succeed.
    NotNow,
    /// Failed; no attempt will succeed.
    Never,
    /// The receiver has gone for good: its webhook is deactivated.
    Gone,
}

/// Webhooks and the outbox of notifications to partners.
#[derive(Clone)]
pub struct NotificationService {
    pub(super) core: Arc<Core>,
    pub(super) targets: Arc<DeliveryTargets>,
}

/// Appends an event about a key to the audit chain, and enqueues its notification to the key's partner.
/// Call it last in a transaction, as [`audit::record`].
pub(super) async fn record_and_notify(
    core: &Core,
    connection: &mut PgConnection,
    context: &AuditContext,
    action: Action,
    subject: Subject<'_>,
) -> AppResult<()> {
    if let (Some((kind, members)), Some(partner_id), Some(key_id)) = (
        NotificationKind::of(action),
        subject.partner_id,
        subject.key_id,
    ) {
        let data: Map<String, Value> = members
            .iter()
            .map(|name| ((*name).to_owned(), subject.details[*name].clone()))
            .collect();
        let now = core.now();
        notices::insert(connection, kind, partner_id, key_id, now, &data.into()).await?;
        core.outbox.notify_one();
    }
    audit::record(core, connection, context, action, subject).await
}

impl NotificationService {
    pub(super) fn new(core: Arc<Core>, targets: DeliveryTargets) -> Self {
        Self {
            core,
            targets: Arc::new(targets),
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.core.now()
    }

    /// Addresses that webhooks may call.
    pub fn targets(&self) -> &Arc<DeliveryTargets> {
        &self.targets
    }

    /// Counts what waits in the outbox.
    pub async fn backlog(&self) -> AppResult<Backlog> {
        let mut connection = self.core.pool.acquire().await?;
        let counted = notices::backlog(&mut connection, self.core.now()).await?;
        // The lag of what is due in the future is negative.
        let [notices, notices_lag, deliveries, deliveries_lag] =
            counted.map(|count| u64::try_from(count).unwrap_or(0));
        Ok(Backlog {
            notices,
            notices_lag,
            deliveries,
            deliveries_lag,
        })
    }

    /// Waits until this process has enqueued a notification.
    pub async fn enqueued(&self) {
        self.core.outbox.notified().await;
    }

    /// Creates the deliveries of waiting notifications: to webhooks and, with `by_mail`, to contacts.
    pub async fn create_deliveries(&self, by_mail: bool) -> AppResult<()> {
        let mut connection = self.core.pool.acquire().await?;
        loop {
            let now = self.core.now();
            let taken =
                notices::create_deliveries(&mut connection, by_mail, now, RETRY_PERIOD, BATCH_SIZE)
                    .await?;
            if taken < BATCH_SIZE.unsigned_abs() {
                return Ok(());
            }
        }
    }

    /// Claims up to `most` due deliveries.
    pub async fn claim_deliveries(&self, most: i64) -> AppResult<Vec<DueRow>> {
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        Ok(deliveries::claim(&mut connection, now, now + LEASE, most).await?)
    }

    /// Records an attempt and schedules the next one.
    pub async fn record_attempt(&self, due: &DueRow, outcome: &Outcome) -> AppResult<()> {
        let now = self.core.now();
        let next = now + pause(due.attempts, self.core.entropy.bytes());
        let status = match outcome.ended {
            Ended::Arrived => DeliveryStatus::Delivered,
            Ended::NotNow if next <= due.give_up_at => DeliveryStatus::Pending,
            Ended::NotNow | Ended::Never | Ended::Gone => DeliveryStatus::Failed,
        };
        let attempt = Attempt {
            at: now,
            status,
            next_attempt_at: next,
            code: outcome.code,
            error: outcome.error,
            millis: outcome.millis,
        };
        let mut connection = self.core.pool.acquire().await?;
        deliveries::record(&mut connection, due.delivery_id, &attempt).await?;
        drop(connection);
        if let (Ended::Gone, Some(webhook_id)) = (outcome.ended, due.webhook_id) {
            let off = UpdateWebhook {
                url: None,
                kinds: None,
                active: Some(false),
            };
            let context = AuditContext::server();
            match self.update_webhook(&context, webhook_id, off).await {
                Ok(_) | Err(AppError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Enqueues the notifications that depend on time: keys that expire soon or are due for rotation.
    pub async fn enqueue_scheduled(&self) -> AppResult<()> {
        let now = self.core.now();
        let mut connection = self.core.pool.acquire().await?;
        let expiring = notices::insert_expiring(&mut connection, now).await?;
        let due = notices::insert_rotation_due(&mut connection, now).await?;
        if expiring + due > 0 {
            self.core.outbox.notify_one();
        }
        Ok(())
    }

    /// Deletes notifications older than the retention period and returns their number.
    pub async fn sweep(&self) -> AppResult<u64> {
        let mut connection = self.core.pool.acquire().await?;
        Ok(notices::sweep(&mut connection, self.core.now() - RETENTION).await?)
    }

    /// Returns one page of a partner's deliveries, newest first.
    pub async fn list_deliveries(
        &self,
        partner_id: Uuid,
        query: &DeliveryQuery,
    ) -> AppResult<Page<Delivery>> {
        let mut connection = self.core.pool.acquire().await?;
        require_exists(&mut connection, partner_id).await?;
        let mut query = query.clone();
        loop {
            let rows = deliveries::list(&mut connection, partner_id, &query).await?;
            let page = page_of(rows, &mut query.page, |delivery| {
                newest_first(delivery.created_at, delivery.delivery_id)
            });
            if let Some(page) = page {
                return Ok(page);
            }
        }
    }

    /// Restarts a delivery: it is attempted immediately and retried for another day.
    pub async fn resend(&self, context: &AuditContext, delivery_id: Uuid) -> AppResult<Delivery> {
        let now = self.core.now();
        let mut transaction = self.core.pool.begin().await?;
        let found =
            deliveries::restart(&mut transaction, delivery_id, now, now + RETRY_PERIOD).await?;
        let (partner_id, delivery) = found.ok_or(Missing::DeliveryNotFound)?;
        let subject = Subject::key(
            &delivery.key_id,
            partner_id,
            json!({ "deliveryId": delivery_id, "kind": delivery.kind }),
        );
        let action = Action::NotificationResent;
        audit::record(&self.core, &mut transaction, context, action, subject).await?;
        transaction.commit().await?;
        self.core.outbox.notify_one();
        Ok(delivery)
    }
}

/// Pause after so many attempts, with a random jitter of a tenth, so that receivers that failed together
/// are not called together.
fn pause(attempts: i32, chance: [u8; 1]) -> TimeDelta {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX);
    let seconds = PAUSES
        .get(place)
        .copied()
        .unwrap_or(PAUSES[PAUSES.len() - 1]);
    let milliseconds = seconds * 1_000;
    TimeDelta::milliseconds(milliseconds + milliseconds * (i64::from(chance[0]) - 128) / 1_280)
}

/// JSON payload of a webhook call.
pub fn payload(due: &DueRow) -> Value {
    let mut data = json!({ "keyId": due.key_id, "partnerId": due.partner_id });
    if let (Some(data), Some(more)) = (data.as_object_mut(), due.data.as_object()) {
        data.extend(more.clone());
    }
    json!({ "type": due.kind, "timestamp": rfc3339(due.at), "data": data })
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_at_growing_pauses_for_a_day() {
        let pauses: Vec<i64> = (1..=10).map(|n| pause(n, [128]).num_seconds()).collect();
        assert_eq!(
            pauses,
            [
                5, 60, 300, 1_800, 7_200, 18_000, 28_800, 28_800, 28_800, 28_800
            ]
        );
        let for_a_day: i64 = PAUSES[..7].iter().sum();
        assert!(for_a_day < RETRY_PERIOD.num_seconds());
        assert!(for_a_day + 2 * PAUSES[7] > RETRY_PERIOD.num_seconds());
        for chance in [0, 255] {
            let seconds = pause(2, [chance]).num_milliseconds();
            assert!((54_000..=66_000).contains(&seconds), "{seconds}");
        }
    }
}
