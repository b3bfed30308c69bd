//! Background jobs. Each ends when the server stops.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::auth::{Guard, listener};
use super::delivery::DeliveryWorker;
use super::service::Services;
use super::service::audit::AuditService;
use super::service::notifications::NotificationService;
use super::store::error::describe;

/// Pause between two writes of last uses.
const USAGE_PAUSE: Duration = Duration::from_secs(1);
const SWEEP_PAUSE: Duration = Duration::from_secs(600);
/// Interval of checkpoints.
const CHECKPOINT_PAUSE: Duration = Duration::from_secs(3_600);

/// Interval at which denied actions are written into the audit log.
const DENIED_ACTIONS_PAUSE: Duration = Duration::from_secs(60);

/// Interval at which the outbox is polled for notifications of other processes.
const OUTBOX_PAUSE: Duration = Duration::from_secs(5);
/// Notifications are signalled before the commit; this waits for it.
const COMMIT_PAUSE: Duration = Duration::from_millis(100);
/// Interval at which keys that expire soon or are due for rotation are looked for.
const SCHEDULE_PAUSE: Duration = Duration::from_secs(600);

/// Becomes true when the jobs are to end.
pub type Stopping = watch::Receiver<bool>;

async fn stopped(stopping: &mut Stopping) {
    // A dropped sender means that the server has gone: stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Writes last uses in batches, and the rest at the end.
pub fn spawn_usage_flush(
    guard: Arc<Guard>,
    pool: PgPool,
    mut stopping: Stopping,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let flush = || async {
            let flushed = guard.usage().flush(&pool).await;
            flushed.unwrap_or_else(|error| {
                tracing::warn!(
                    cause = describe(&error),
                    "failed to write last uses; retrying with the next batch"
                );
                false
            })
        };
        loop {
            tokio::select! {
                () = guard.usage().arrived() => { flush().await; }
                () = stopped(&mut stopping) => break,
            }
            tokio::select! {
                () = tokio::time::sleep(USAGE_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
        while flush().await {}
    })
}

/// Listens for changes of keys.
pub fn spawn_listener(guard: Arc<Guard>, pool: PgPool, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::select! {
            () = listener::listen(&guard, &pool) => {}
            () = stopped(&mut stopping) => {}
        }
        guard.listener_health().disconnected();
        guard.changes().close();
        pool.close().await;
    })
}

/// Writes the first use of each key immediately; those that can't be written wait for the next batch.
pub fn spawn_first_uses(guard: Arc<Guard>, pool: PgPool, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = guard.usage().first_arrived() => {}
                () = stopped(&mut stopping) => break,
            }
            if let Err(error) = guard.usage().flush_first(&pool).await {
                tracing::warn!(
                    cause = describe(&error),
                    "failed to write first uses; retrying with the next batch"
                );
            }
        }
    })
}

/// Deletes timed-out sessions, expired sign-in attempts, old notifications and expired idempotency keys.
pub fn spawn_sweep(services: Services, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match services.sessions.sweep().await {
                Ok(0) => {}
                Ok(swept) => tracing::info!(swept, "deleted timed-out sessions"),
                Err(error) => tracing::warn!(%error, "failed to delete timed-out sessions"),
            }
            if let Err(error) = services.sessions.sweep_attempts().await {
                tracing::warn!(%error, "failed to delete old sign-in attempts");
            }
            if let Err(error) = services.notifications.sweep().await {
                tracing::warn!(%error, "failed to delete old notifications");
            }
            if let Err(error) = services.assets.sweep_idempotency_keys().await {
                tracing::warn!(%error, "failed to delete expired idempotency keys");
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}

/// Signs the head of the audit chain at the start and every hour. The checkpoint is logged too, so that
/// it is kept wherever logs are kept.
pub fn spawn_checkpoints(audit: AuditService, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match audit.checkpoint().await {
                Ok(None) => {}
                Ok(Some(checkpoint)) => tracing::info!(
                    seq = checkpoint.seq,
                    hash = checkpoint.hash,
                    at = %checkpoint.at,
                    fingerprint = checkpoint.fingerprint,
                    signature = checkpoint.signature,
                    "signed the head of the audit log"
                ),
                Err(error) => tracing::warn!(%error, "failed to sign the head of the audit log"),
            }
            tokio::select! {
                () = tokio::time::sleep(CHECKPOINT_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}

/// Writes denied actions into the audit log, once a minute and at the end.
pub fn spawn_denied_actions(audit: AuditService, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let stop = tokio::select! {
                () = tokio::time::sleep(DENIED_ACTIONS_PAUSE) => false,
                () = stopped(&mut stopping) => true,
            };
            if let Err(error) = audit.write_denied_actions().await {
                tracing::warn!(%error, "failed to write denied actions into the audit log; retrying");
            }
            if stop {
                break;
            }
        }
    })
}

/// Delivers notifications. Attempts in flight are finished at the end; the rest waits for the next process.
pub fn spawn_deliveries(
    worker: DeliveryWorker,
    services: Services,
    mut stopping: Stopping,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        reseal_secrets(&services).await;
        loop {
            match worker.run_once().await {
                Ok(true) if !*stopping.borrow() => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "failed to claim notifications; retrying"),
            }
            tokio::select! {
                () = services.notifications.enqueued() => tokio::time::sleep(COMMIT_PAUSE).await,
                () = tokio::time::sleep(OUTBOX_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}

/// Reseals secrets under the current pepper, and logs those under an unknown pepper.
async fn reseal_secrets(services: &Services) {
    match services.mfa.reseal().await {
        Ok(0) => {}
        Ok(unopened) => tracing::warn!(
            unopened,
            "second factors are sealed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED and cannot be verified; restore the pepper, or run `operator remove-factor`"
        ),
        Err(error) => tracing::warn!(%error, "failed to reseal second factors"),
    }
    match services.mfa.count_uncovered_recovery_codes().await {
        Ok(0) => {}
        Ok(uncovered) => tracing::warn!(
            uncovered,
            "recovery codes were hashed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED and are invalid; operators must generate new ones under Settings"
        ),
        Err(error) => tracing::warn!(%error, "failed to count recovery codes"),
    }
    match services.notifications.reseal_webhooks().await {
        Ok(0) => {}
        Ok(unopened) => tracing::warn!(
            unopened,
            "webhook secrets are sealed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED; these webhooks receive nothing"
        ),
        Err(error) => {
            tracing::warn!(%error, "failed to reseal webhook secrets")
        }
    }
}

/// Enqueues notifications of keys that expire soon or are due for rotation.
pub fn spawn_scheduled_notifications(
    notifications: NotificationService,
    mut stopping: Stopping,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            if let Err(error) = notifications.enqueue_scheduled().await {
                tracing::warn!(%error, "failed to look for keys that expire soon");
            }
            tokio::select! {
                () = tokio::time::sleep(SCHEDULE_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}
