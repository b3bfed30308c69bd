//! Notices: into the outbox, out of it to webhooks and addresses, and how the telling went.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audit::{self, Subject};
use super::{Origin, Registry};
use crate::domain::audit::Action;
use crate::domain::error::{AppError, AppResult, Missing};
use crate::domain::notification::{Delivery, DeliveryStatus, NotificationKind};
use crate::domain::page::Page;
use crate::domain::webhook::{DeliveryQuery, UpdateWebhook};
use crate::server::store::deliveries::{self, Attempt, DueRow};
use crate::server::store::notices;

/// How long a notice is tried.
pub const PATIENCE: TimeDelta = TimeDelta::hours(24);
/// How long the log is kept.
const KEPT: TimeDelta = TimeDelta::days(90);
/// How long a process has for an attempt that it has taken up.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Notices that are handed out at once.
const AT_ONCE: i64 = 500;
/// Pauses between the attempts, in seconds; the last one is repeated while patience lasts (Standard
/// Webhooks, "Deliverability and reliability").
const PAUSES: [i64; 8] = [5, 60, 300, 1_800, 7_200, 18_000, 28_800, 28_800];

/// What waits in the outbox, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Notices that wait to be handed out.
    pub notices: u64,
    /// Seconds since the oldest of them was written.
    pub notices_lag: u64,
    /// Deliveries that have not succeeded and are not given up.
    pub deliveries: u64,
    /// Seconds since the one that is due for longest was due.
    pub deliveries_lag: u64,
}

impl Registry {
    /// What waits in the outbox.
    ///
    /// # Errors
    /// The database's.
    pub async fn backlog(&self) -> AppResult<Backlog> {
        let mut connection = self.pool.acquire().await?;
        let counted = notices::backlog(&mut connection, self.now()).await?;
        // What is due in the future is late by less than nothing.
        let [notices, notices_lag, deliveries, deliveries_lag] =
            counted.map(|count| u64::try_from(count).unwrap_or(0));
        Ok(Backlog {
            notices,
            notices_lag,
            deliveries,
            deliveries_lag,
        })
    }
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub ended: Ended,
    /// What answered: a status of HTTP or a reply code of SMTP.
    pub code: Option<i32>,
    /// What kept it from being answered, in words; nothing of an answer's text.
    pub error: Option<&'static str>,
    /// How long it took, in milliseconds.
    pub millis: i32,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It arrived.
    Arrived,
    /// It didn't; another attempt may help.
    NotNow,
    /// It didn't, and no attempt will help.
    Never,
    /// The receiver is gone for good: its webhook is switched off.
    Gone,
}

/// Puts what an event tells the partner into the outbox, in the event's transaction.
pub(super) async fn tell(
    registry: &Registry,
    connection: &mut PgConnection,
    action: Action,
    subject: &Subject<'_>,
) -> AppResult<()> {
    let (Some((kind, members)), Some(partner_id), Some(key_id)) = (
        NotificationKind::of(action),
        subject.partner_id,
        subject.key_id,
    ) else {
        return Ok(());
    };
    // A revocation that only changes its reason was told already.
    if kind == NotificationKind::Revoked && !subject.details["previousReason"].is_null() {
        return Ok(());
    }
    let data: Map<String, Value> = members
        .iter()
        .map(|name| ((*name).to_owned(), subject.details[*name].clone()))
        .collect();
    let now = registry.now();
    notices::insert(connection, kind, partner_id, key_id, now, &data.into()).await?;
    registry.outbox.notify_one();
    Ok(())
}

impl Registry {
    /// Hands waiting notices out, to the webhooks and, where mail can be sent, the contacts that there
    /// are.
    ///
    /// # Errors
    /// The database's.
    pub async fn hand_out_notices(&self, by_mail: bool) -> AppResult<()> {
        let mut connection = self.pool.acquire().await?;
        loop {
            let now = self.now();
            let taken = notices::hand_out(&mut connection, by_mail, now, PATIENCE, AT_ONCE).await?;
            if taken < AT_ONCE.unsigned_abs() {
                return Ok(());
            }
        }
    }

    /// Takes up to `most` deliveries whose time has come.
    ///
    /// # Errors
    /// The database's.
    pub async fn claim_deliveries(&self, most: i64) -> AppResult<Vec<DueRow>> {
        let now = self.now();
        let mut connection = self.pool.acquire().await?;
        Ok(deliveries::claim(&mut connection, now, now + LEASE, most).await?)
    }

    /// Writes what came of an attempt, and when the next one is.
    ///
    /// # Errors
    /// The database's.
    pub async fn record_attempt(&self, due: &DueRow, outcome: &Outcome) -> AppResult<()> {
        let now = self.now();
        let next = now + pause(due.attempts, self.entropy.bytes());
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
        let mut connection = self.pool.acquire().await?;
        deliveries::record(&mut connection, due.delivery_id, &attempt).await?;
        drop(connection);
        if let (Ended::Gone, Some(webhook_id)) = (outcome.ended, due.webhook_id) {
            let off = UpdateWebhook {
                url: None,
                kinds: None,
                active: Some(false),
            };
            let origin = Origin::server();
            match self.update_webhook(&origin, webhook_id, off).await {
                Ok(_) | Err(AppError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Puts into the outbox what only the clock tells: keys that end soon, and keys that are due.
    ///
    /// # Errors
    /// The database's.
    pub async fn notice_the_clock(&self) -> AppResult<()> {
        let now = self.now();
        let mut connection = self.pool.acquire().await?;
        let expiring = notices::insert_expiring(&mut connection, now).await?;
        let due = notices::insert_rotation_due(&mut connection, now).await?;
        if expiring + due > 0 {
            self.outbox.notify_one();
        }
        Ok(())
    }

    /// Deletes what the log keeps no longer; how many notices.
    ///
    /// # Errors
    /// The database's.
    pub async fn sweep_notices(&self) -> AppResult<u64> {
        let mut connection = self.pool.acquire().await?;
        Ok(notices::sweep(&mut connection, self.now() - KEPT).await?)
    }

    /// One page of a partner's deliveries, newest first.
    ///
    /// # Errors
    /// [`Missing::PartnerNotFound`], or the database's.
    pub async fn list_deliveries(
        &self,
        partner_id: Uuid,
        query: &DeliveryQuery,
    ) -> AppResult<Page<Delivery>> {
        self.partner(partner_id).await?;
        let mut connection = self.pool.acquire().await?;
        let mut query = query.clone();
        let mut rows = deliveries::list(&mut connection, partner_id, &query).await?;
        if let Some(first) = query.page.first_page_instead(rows.len()) {
            query.page = first;
            rows = deliveries::list(&mut connection, partner_id, &query).await?;
        }
        Ok(Page::from_rows(rows, &query.page, |delivery| {
            (delivery.created_at, delivery.delivery_id.to_string())
        }))
    }

    /// Has a delivery tried again, at once and then for another day.
    ///
    /// # Errors
    /// [`Missing::DeliveryNotFound`], or the database's.
    pub async fn send_again(&self, origin: &Origin, delivery_id: Uuid) -> AppResult<Delivery> {
        let now = self.now();
        let mut transaction = self.pool.begin().await?;
        let found = deliveries::restart(&mut transaction, delivery_id, now, now + PATIENCE).await?;
        let (partner_id, delivery) = found.ok_or(Missing::DeliveryNotFound)?;
        let subject = Subject {
            key_id: Some(&delivery.key_id),
            partner_id: Some(partner_id),
            details: json!({ "deliveryId": delivery_id, "kind": delivery.kind }),
            ..Subject::default()
        };
        let action = Action::NotificationResent;
        audit::record(self, &mut transaction, origin, action, subject).await?;
        transaction.commit().await?;
        self.outbox.notify_one();
        Ok(delivery)
    }
}

/// The pause after so many attempts, a tenth longer or shorter by chance: receivers that were all
/// gone at once are not all called at once.
fn pause(attempts: i32, chance: [u8; 1]) -> TimeDelta {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX);
    let seconds = PAUSES
        .get(place)
        .copied()
        .unwrap_or(PAUSES[PAUSES.len() - 1]);
    let milliseconds = seconds * 1_000;
    TimeDelta::milliseconds(milliseconds + milliseconds * (i64::from(chance[0]) - 128) / 1_280)
}

/// What a webhook is sent, JSON.
#[must_use]
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
        assert!(for_a_day < PATIENCE.num_seconds());
        assert!(for_a_day + 2 * PAUSES[7] > PATIENCE.num_seconds());
        for chance in [0, 255] {
            let seconds = pause(2, [chance]).num_milliseconds();
            assert!((54_000..=66_000).contains(&seconds), "{seconds}");
        }
    }
}
