//! What runs beside the requests. Each job ends when the server stops.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::courier::Courier;
use super::db::error::describe;
use super::services::Registry;
use super::verify::{Guard, listener};

/// Pause between two writes of last uses: at most one statement a second.
const USAGE_PAUSE: Duration = Duration::from_secs(1);
const SWEEP_PAUSE: Duration = Duration::from_secs(600);
/// How often the end of the history is signed.
const CHECKPOINT_PAUSE: Duration = Duration::from_secs(3_600);

/// How often what operators were refused goes into the history.
const REFUSALS_PAUSE: Duration = Duration::from_secs(60);

/// How often the outbox is looked into, whether or not it rang: another process may have filled it.
const OUTBOX_PAUSE: Duration = Duration::from_secs(5);
/// The outbox rings before the commit: by then it is there.
const COMMIT_PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked which keys end soon or are due.
const CALENDAR_PAUSE: Duration = Duration::from_secs(600);

/// Tells the jobs to end; they notice at once.
pub type Stopping = watch::Receiver<bool>;

async fn stopped(stopping: &mut Stopping) {
    // A dropped sender means that the server is gone: stop too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Writes last uses in batches, and what is left at the end.
#[must_use]
pub fn spawn_usage_flush(
    guard: Arc<Guard>,
    registry: Registry,
    mut stopping: Stopping,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let flush = || async {
            let flushed = guard.usage().flush(&registry.pool).await;
            flushed.unwrap_or_else(|error| {
                tracing::warn!(
                    cause = describe(&error),
                    "last uses could not be written; they wait"
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

/// Hears of changes until the server stops.
#[must_use]
pub fn spawn_listener(guard: Arc<Guard>, pool: PgPool, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::select! {
            () = listener::listen(&guard, &pool) => {}
            () = stopped(&mut stopping) => {}
        }
        guard.link().cut();
        guard.heard().end();
        pool.close().await;
    })
}

/// Writes a key's very first acceptance at once; what can't be written waits for the next batch.
#[must_use]
pub fn spawn_first_uses(
    guard: Arc<Guard>,
    registry: Registry,
    mut stopping: Stopping,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = guard.usage().first_arrived() => {}
                () = stopped(&mut stopping) => break,
            }
            if let Err(error) = guard.usage().flush_first(&registry.pool).await {
                tracing::warn!(
                    cause = describe(&error),
                    "first uses could not be written; they wait"
                );
            }
        }
    })
}

/// Deletes sessions that have timed out, attempts to sign in that count no more, and answers that are
/// given again no longer.
#[must_use]
pub fn spawn_session_sweep(registry: Registry, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match registry.sweep_sessions().await {
                Ok(0) => {}
                Ok(swept) => tracing::info!(swept, "deleted sessions that had timed out"),
                Err(error) => tracing::warn!(%error, "timed-out sessions could not be deleted"),
            }
            if let Err(error) = registry.sweep_sign_in_attempts().await {
                tracing::warn!(%error, "old attempts to sign in could not be deleted");
            }
            if let Err(error) = registry.sweep_notices().await {
                tracing::warn!(%error, "old notices could not be deleted");
            }
            if let Err(error) = registry.sweep_idempotency_keys().await {
                tracing::warn!(%error, "old idempotency keys could not be deleted");
            }
            tokio::select! {
                () = tokio::time::sleep(SWEEP_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}

/// Signs the end of the history, at the start and every hour. The log has it too: where logs are kept
/// elsewhere, so is the checkpoint.
#[must_use]
pub fn spawn_checkpoints(registry: Registry, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match registry.checkpoint().await {
                Ok(None) => {}
                Ok(Some(checkpoint)) => tracing::info!(
                    seq = checkpoint.seq,
                    hash = checkpoint.hash,
                    at = %checkpoint.at,
                    fingerprint = checkpoint.fingerprint,
                    signature = checkpoint.signature,
                    "signed the end of the history"
                ),
                Err(error) => tracing::warn!(%error, "the end of the history could not be signed"),
            }
            tokio::select! {
                () = tokio::time::sleep(CHECKPOINT_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}

/// Writes what operators were refused into the history, once a minute and at the end.
#[must_use]
pub fn spawn_refusals(registry: Registry, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let stop = tokio::select! {
                () = tokio::time::sleep(REFUSALS_PAUSE) => false,
                () = stopped(&mut stopping) => true,
            };
            if let Err(error) = registry.write_refusals().await {
                tracing::warn!(%error, "refused operators could not be written into the history; they wait");
            }
            if stop {
                break;
            }
        }
    })
}

/// Takes notices out. What is under way at the end is finished; what waits is tried by the next
/// process.
#[must_use]
pub fn spawn_courier(
    courier: Courier,
    registry: Registry,
    mut stopping: Stopping,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        match registry.reseal_factors().await {
            Ok(0) => {}
            Ok(unopened) => tracing::warn!(
                unopened,
                "operators have second factors that were sealed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED: their codes can't be checked; bring the pepper back, or take the factors away with `operator remove-factor`"
            ),
            Err(error) => tracing::warn!(%error, "second factors could not be sealed anew"),
        }
        match registry.uncovered_recovery_codes().await {
            Ok(0) => {}
            Ok(uncovered) => tracing::warn!(
                uncovered,
                "recovery codes were made under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED: they open nothing; have operators make new ones under Settings"
            ),
            Err(error) => tracing::warn!(%error, "recovery codes could not be counted"),
        }
        match registry.reseal_webhooks().await {
            Ok(0) => {}
            Ok(unopened) => tracing::warn!(
                unopened,
                "webhooks have secrets that were sealed under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED: nothing is sent to them"
            ),
            Err(error) => {
                tracing::warn!(%error, "the secrets of webhooks could not be sealed anew")
            }
        }
        loop {
            match courier.round().await {
                Ok(true) if !*stopping.borrow() => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "notices could not be taken out; they wait"),
            }
            tokio::select! {
                () = registry.outbox.notified() => tokio::time::sleep(COMMIT_PAUSE).await,
                () = tokio::time::sleep(OUTBOX_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}

/// Looks which keys end soon, and which are due for rotation.
#[must_use]
pub fn spawn_notices_of_the_clock(registry: Registry, mut stopping: Stopping) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            if let Err(error) = registry.notice_the_clock().await {
                tracing::warn!(%error, "keys that end soon could not be looked for");
            }
            tokio::select! {
                () = tokio::time::sleep(CALENDAR_PAUSE) => {}
                () = stopped(&mut stopping) => break,
            }
        }
    })
}
