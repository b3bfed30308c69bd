//! Listens for changes on a connection of its own and outdates the guard's cached rows.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::{sleep, timeout};

use super::Guard;
use crate::server::store::changes::{self, Change};
use crate::server::store::error::describe;

const HEARTBEAT_INTERVAL: Duration = Duration::from_millis(250);
/// Longer than a heartbeat is valid: on a machine that is only busy no notification is lost, and a
/// reconnect, after which every row is re-read, would make it busier.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_millis(1500);
const MIN_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Listens until dropped; reconnects with exponential backoff.
pub async fn listen(guard: &Guard, pool: &PgPool) {
    let mut backoff = MIN_BACKOFF;
    loop {
        let sent = Instant::now();
        match changes::listen(pool).await {
            Ok(mut listener) => {
                // Rows read before may have changed while nothing was listening.
                guard.versions().everything_changed();
                guard.changes().notify();
                guard.listener_health().heartbeat(sent);
                tracing::info!("listening for changes");
                backoff = MIN_BACKOFF;
                let cause = receive(guard, &mut listener).await;
                guard.listener_health().disconnected();
                tracing::warn!(
                    cause,
                    "listener connection lost: every request reads its row until it is back"
                );
            }
            Err(error) => {
                tracing::warn!(cause = describe(&error), "can't listen for changes");
            }
        }
        sleep(backoff).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// Applies notifications until the connection is lost. Returns the cause.
async fn receive(guard: &Guard, listener: &mut PgListener) -> String {
    let mut last_heartbeat = Instant::now();
    loop {
        let wait = HEARTBEAT_INTERVAL.saturating_sub(last_heartbeat.elapsed());
        match timeout(wait, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => apply(guard, &notification),
            Ok(Ok(None)) => return "closed by the database".to_owned(),
            Ok(Err(error)) => return describe(&error),
            Err(_) => {}
        }
        if last_heartbeat.elapsed() >= HEARTBEAT_INTERVAL {
            let sent = Instant::now();
            match timeout(HEARTBEAT_TIMEOUT, changes::ping(listener)).await {
                Ok(Ok(())) => {
                    // Notifications that arrived with the response are applied before it counts.
                    while let Some(notification) = listener.next_buffered() {
                        apply(guard, &notification);
                    }
                    guard.listener_health().heartbeat(sent);
                }
                Ok(Err(error)) => return describe(&error),
                Err(_) => return "heartbeat timed out".to_owned(),
            }
            last_heartbeat = sent;
        }
    }
}

fn apply(guard: &Guard, notification: &PgNotification) {
    match Change::parse(notification.channel(), notification.payload()) {
        Change::Shown => guard.changes().notify(),
        Change::Key(key_id) => guard.versions().key_changed(&key_id),
        Change::Partner(partner_id) => guard.versions().partner_changed(partner_id),
        Change::Everything => guard.versions().everything_changed(),
    }
}
