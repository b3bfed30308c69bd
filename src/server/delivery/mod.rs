//! Delivery of notifications to webhooks over HTTP and to contacts by e-mail. At least once: a process that
//! dies between sending and recording the result sends again, with the same id.

mod email_message;
mod mail;
mod resolver;
mod web;

use futures::stream::{self, StreamExt};

use self::mail::Mail;
use self::web::Web;
use super::config::notifications::NotificationConfig;
use super::service::notifications::{Ended, NotificationService, Outcome};
use super::store::deliveries::DueRow;
use crate::domain::error::AppResult;

/// Deliveries that are claimed in one statement.
const BATCH_SIZE: i64 = 32;
/// Concurrent attempts.
const CONCURRENCY: usize = 16;

/// Delivers due notifications.
pub struct DeliveryWorker {
    notifications: NotificationService,
    web: Web,
    mail: Option<Mail>,
}

impl DeliveryWorker {
    /// An error is one line that says what is wrong with the configuration.
    pub fn new(
        notifications: NotificationService,
        config: &NotificationConfig,
    ) -> Result<Self, String> {
        Ok(Self {
            web: Web::new(notifications.targets())?,
            mail: config.mail.as_ref().map(Mail::new).transpose()?,
            notifications,
        })
    }

    /// Processes the outbox and attempts the due deliveries. Returns true if more may be due.
    pub async fn run_once(&self) -> AppResult<bool> {
        self.notifications
            .create_deliveries(self.mail.is_some())
            .await?;
        let due = self.notifications.claim_deliveries(BATCH_SIZE).await?;
        let more = i64::try_from(due.len()).is_ok_and(|taken| taken == BATCH_SIZE);
        let mut attempts = stream::iter(due)
            .map(|due| async move {
                let outcome = self.attempt(&due).await;
                self.notifications.record_attempt(&due, &outcome).await
            })
            .buffer_unordered(CONCURRENCY);
        let mut written = Ok(());
        while let Some(outcome) = attempts.next().await {
            written = written.and(outcome);
        }
        written.map(|()| more)
    }

    async fn attempt(&self, due: &DueRow) -> Outcome {
        let now = self.notifications.now();
        let outcome = match (&due.email, &self.mail) {
            (Some(email), Some(mail)) => mail.send(due, email, now).await,
            (Some(_), None) => not_sent("mail is not configured on this server"),
            (None, _) => self.call(due, now).await,
        };
        if outcome.ended != Ended::Arrived {
            tracing::info!(
                delivery_id = %due.delivery_id,
                kind = due.kind,
                attempts = due.attempts,
                code = outcome.code,
                cause = outcome.error,
                "notification not delivered"
            );
        }
        outcome
    }

    async fn call(&self, due: &DueRow, now: chrono::DateTime<chrono::Utc>) -> Outcome {
        let (Some(webhook_id), Some(url), Some(sealed), Some(fingerprint)) = (
            due.webhook_id,
            &due.url,
            &due.sealed_secret,
            &due.pepper_fingerprint,
        ) else {
            return not_sent("the webhook is gone");
        };
        let secret = self
            .notifications
            .webhook_secret(webhook_id, sealed.clone(), fingerprint);
        let Some(secret) = secret else {
            return not_sent("its secret was sealed under a pepper that is not known here");
        };
        match self.notifications.targets().check(url) {
            Ok(url) => self.web.send(due, url, &secret, now).await,
            Err(_) => not_sent("its address is not allowed"),
        }
    }
}

/// Result of an attempt that failed before anything was sent.
fn not_sent(error: &'static str) -> Outcome {
    Outcome {
        ended: Ended::NotNow,
        code: None,
        error: Some(error),
        millis: 0,
    }
}

fn millis(since: std::time::Instant) -> i32 {
    i32::try_from(since.elapsed().as_millis()).unwrap_or(i32::MAX)
}
