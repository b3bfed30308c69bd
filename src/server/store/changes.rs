//! Notification channels on which the database announces changes: see `announce_changes` in
//! `migrations/0001_partners_and_keys.sql`.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use uuid::Uuid;

use std::time::Duration;

const CHANNEL: &str = "myproof_registry";
/// Channel for changes that affect no decision about a request.
pub(super) const SHOWN: &str = "myproof_registry_shown";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// An announced change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Key(String),
    Partner(Uuid),
    /// Something that only consoles show.
    Shown,
    /// Anything: the payload is unknown, or too many rows changed to list them.
    Everything,
}

impl Change {
    /// Parses a notification.
    pub fn parse(channel: &str, payload: &str) -> Self {
        if channel == SHOWN {
            Self::Shown
        } else {
            Self::parse_payload(payload)
        }
    }

    /// Parses a payload of the first channel. Unknown payloads mean everything, so that a newer schema's
    /// notifications are never ignored.
    fn parse_payload(payload: &str) -> Self {
        match payload.split_at_checked(2) {
            Some(("k:", key_id)) if !key_id.is_empty() => Self::Key(key_id.to_owned()),
            Some(("p:", id)) => Uuid::try_parse(id).map_or(Self::Everything, Self::Partner),
            _ => Self::Everything,
        }
    }
}

/// Creates a pool with one connection for listening, separate from the requests'.
pub fn listening_pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_lazy_with(options.application_name("myproof-registry-listener"))
}

/// Connects and subscribes to both channels.
pub async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    // A lost connection must be reported, not replaced: notifications sent in the meantime are lost.
    listener.eager_reconnect(false);
    listener.listen_all([CHANNEL, SHOWN]).await?;
    Ok(listener)
}

/// Checks that the listener's connection is alive.
pub async fn ping(listener: &mut PgListener) -> sqlx::Result<()> {
    sqlx::query("select 1").execute(listener).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_payload_means_everything() {
        assert_eq!(Change::parse(SHOWN, ""), Change::Shown);
        assert_eq!(Change::parse(CHANNEL, "*"), Change::Everything);
        assert_eq!(
            Change::parse_payload("k:mpk_1"),
            Change::Key("mpk_1".into())
        );
        let id = Uuid::from_u128(5);
        assert_eq!(
            Change::parse_payload(&format!("p:{id}")),
            Change::Partner(id)
        );
        for payload in ["*", "", "k:", "p:", "p:7", "x:1", "é"] {
            assert_eq!(
                Change::parse_payload(payload),
                Change::Everything,
                "{payload}"
            );
        }
    }
}
