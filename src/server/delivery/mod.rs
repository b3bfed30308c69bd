//! Takes notices to where they go: webhooks over HTTP, contacts by mail. At least once: a process that
//! dies between sending and writing that down sends again, under the same id.

mod letter;
mod mail;
mod resolver;
mod web;

use futures::stream::{self, StreamExt};

use self::mail::Mail;
use self::web::Web;
use super::config::notices::NoticeConfig;
use super::service::Registry;
use super::service::notices::{Ended, Outcome};
use super::store::deliveries::DueRow;
use crate::domain::error::AppResult;

/// Deliveries that are taken up at once.
const AT_ONCE: i64 = 32;
/// Attempts that run beside each other.
const BESIDE: usize = 16;

/// What takes notices out.
pub struct Courier {
    registry: Registry,
    web: Web,
    mail: Option<Mail>,
}

impl Courier {
    /// A courier for this configuration. The registry says which targets webhooks may have.
    ///
    /// # Errors
    /// What is wrong with the configuration, in one line.
    pub fn new(registry: Registry, config: &NoticeConfig) -> Result<Self, String> {
        Ok(Self {
            web: Web::new(&registry.targets)?,
            mail: config.mail.as_ref().map(Mail::new).transpose()?,
            registry,
        })
    }

    /// Hands out what waits in the outbox and tries what is due. Whether there may be more that is due
    /// already.
    ///
    /// # Errors
    /// The database's.
    pub async fn round(&self) -> AppResult<bool> {
        self.registry.hand_out_notices(self.mail.is_some()).await?;
        let due = self.registry.claim_deliveries(AT_ONCE).await?;
        let more = i64::try_from(due.len()).is_ok_and(|taken| taken == AT_ONCE);
        let mut attempts = stream::iter(due)
            .map(|due| async move {
                let outcome = self.attempt(&due).await;
                self.registry.record_attempt(&due, &outcome).await
            })
            .buffer_unordered(BESIDE);
        let mut written = Ok(());
        while let Some(outcome) = attempts.next().await {
            written = written.and(outcome);
        }
        written.map(|()| more)
    }

    async fn attempt(&self, due: &DueRow) -> Outcome {
        let now = self.registry.now();
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
                "a notice did not arrive"
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
            .registry
            .webhook_secret(webhook_id, sealed.clone(), fingerprint);
        let Some(secret) = secret else {
            return not_sent("its secret was sealed under a pepper that is not known here");
        };
        match self.registry.targets.check(url) {
            Ok(url) => self.web.send(due, url, &secret, now).await,
            Err(_) => not_sent("its address is not allowed"),
        }
    }
}

/// An attempt that came to nothing before anything was sent.
fn not_sent(error: &'static str) -> Outcome {
    Outcome {
        ended: Ended::NotNow,
        code: None,
        error: Some(error),
        millis: 0,
    }
}

/// Whole milliseconds since a moment.
fn millis(since: std::time::Instant) -> i32 {
    i32::try_from(since.elapsed().as_millis()).unwrap_or(i32::MAX)
}
