//! The channels on which the database announces what has changed: see `announce_changes` in
//! `migrations/0001_partners_and_keys.sql`.

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use uuid::Uuid;

use std::time::Duration;

const CHANNEL: &str = "myproof_registry";
/// The channel of what decides about no request.
pub(super) const SHOWN: &str = "myproof_registry_shown";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A key's row.
    Key(String),
    /// A partner's row.
    Partner(Uuid),
    /// Something that is shown.
    Shown,
    /// Anything: what was said is not understood, or too much to be named.
    Everything,
}

impl Change {
    /// What a notification on this channel says.
    #[must_use]
    pub fn of(channel: &str, payload: &str) -> Self {
        if channel == SHOWN {
            Self::Shown
        } else {
            Self::parse(payload)
        }
    }

    /// Reads what is said on the first channel. What is not understood stands for everything, so that a newer schema's
    /// words are never ignored.
    fn parse(payload: &str) -> Self {
        match payload.split_at_checked(2) {
            Some(("k:", key_id)) if !key_id.is_empty() => Self::Key(key_id.to_owned()),
            Some(("p:", id)) => Uuid::try_parse(id).map_or(Self::Everything, Self::Partner),
            _ => Self::Everything,
        }
    }
}

/// A pool of one connection for listening, apart from the requests'.
#[must_use]
pub fn listening_pool(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_lazy_with(options.application_name("myproof-registry-listener"))
}

/// Connects and listens.
///
/// # Errors
/// The database's.
pub async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    // A connection that was lost is to be told, not replaced: what was said meanwhile is lost too.
    listener.eager_reconnect(false);
    listener.listen_all([CHANNEL, SHOWN]).await?;
    Ok(listener)
}

/// Asks for a sign of life over the listener's connection.
///
/// # Errors
/// The database's.
pub async fn ping(listener: &mut PgListener) -> sqlx::Result<()> {
    sqlx::query("select 1").execute(listener).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_stands_for_everything() {
        assert_eq!(Change::of(SHOWN, ""), Change::Shown);
        assert_eq!(Change::of(CHANNEL, "*"), Change::Everything);
        assert_eq!(Change::parse("k:mpk_1"), Change::Key("mpk_1".into()));
        let id = Uuid::from_u128(5);
        assert_eq!(Change::parse(&format!("p:{id}")), Change::Partner(id));
        for payload in ["*", "", "k:", "p:", "p:7", "x:1", "é"] {
            assert_eq!(Change::parse(payload), Change::Everything, "{payload}");
        }
    }
}
