//! Hears what changes, on a connection of its own, and tells the guard.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::{PgListener, PgNotification};
use tokio::time::{sleep, timeout};

use super::Guard;
use crate::server::store::changes::{self, Change};
use crate::server::store::error::describe;

/// Pause between two heartbeats, while nothing is heard.
const HEARTBEAT_EVERY: Duration = Duration::from_millis(250);
/// A heartbeat that takes longer has failed. One that is slow counts from when it was sent, so it may hold
/// for a moment or not at all; but on a machine that is only busy nothing was lost, and to connect anew,
/// and to read everything again, would make it busier.
const HEARTBEAT_PATIENCE: Duration = Duration::from_millis(1500);
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Listens for ever; reconnects with growing pauses. Dropped when the server stops.
pub async fn listen(guard: &Guard, pool: &PgPool) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let sent = Instant::now();
        match changes::listen(pool).await {
            Ok(mut listener) => {
                // What was read before may have changed while nobody listened.
                guard.marks().everything_changed();
                guard.heard().something();
                guard.link().heartbeat(sent);
                tracing::info!("listening for changes");
                pause = SHORTEST_PAUSE;
                let cause = hear(guard, &mut listener).await;
                guard.link().cut();
                tracing::warn!(
                    cause,
                    "the listener's connection was cut: every request is checked against its row until it is back"
                );
            }
            Err(error) => {
                tracing::warn!(cause = describe(&error), "can't listen for changes");
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Hears until the connection is cut; why it was.
async fn hear(guard: &Guard, listener: &mut PgListener) -> String {
    let mut last_heartbeat = Instant::now();
    loop {
        let wait = HEARTBEAT_EVERY.saturating_sub(last_heartbeat.elapsed());
        match timeout(wait, listener.try_recv()).await {
            Ok(Ok(Some(notification))) => apply(guard, &notification),
            Ok(Ok(None)) => return "closed by the database".to_owned(),
            Ok(Err(error)) => return describe(&error),
            Err(_) => {}
        }
        if last_heartbeat.elapsed() >= HEARTBEAT_EVERY {
            let sent = Instant::now();
            match timeout(HEARTBEAT_PATIENCE, changes::ping(listener)).await {
                Ok(Ok(())) => {
                    // What came in with the answer counts before the answer does.
                    while let Some(notification) = listener.next_buffered() {
                        apply(guard, &notification);
                    }
                    guard.link().heartbeat(sent);
                }
                Ok(Err(error)) => return describe(&error),
                Err(_) => return "no heartbeat in time".to_owned(),
            }
            last_heartbeat = sent;
        }
    }
}

fn apply(guard: &Guard, notification: &PgNotification) {
    match Change::of(notification.channel(), notification.payload()) {
        Change::Shown => guard.heard().something(),
        Change::Key(key_id) => guard.marks().key_changed(&key_id),
        Change::Partner(partner_id) => guard.marks().partner_changed(partner_id),
        Change::Everything => guard.marks().everything_changed(),
    }
}
