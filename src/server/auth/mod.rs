//! Key verification: from the presented token to the key it belongs to, or to the reason for refusing it.
//!
//! Order of checks: format, row, check tag, Argon2id, then revoked, partner inactive, not yet valid,
//! expired, rate. Scopes come last, where the route is known. A wrong secret fails on the check tag,
//! without Argon2id; a key refused for its state needs only the tag.
//!
//! A token verified before is recognised by its MAC under a random key of this process and decided
//! from the cached row: no query, no Argon2id, no allocation. Cached rows are trusted while the
//! listener is live ([`listener_health`]) and no change has been announced since ([`versions`]);
//! otherwise every request reads its row, and an earlier verification holds for the same stored hash.

mod cache;
pub mod change_broadcast;
pub mod decision;
pub mod entry;
mod holder_auth;
mod key_runtime_state;
pub mod legacy;
pub mod listener;
pub mod listener_health;
mod negative_cache;
pub mod rate;
mod rows;
mod single_flight;
pub mod usage;
mod verify;
mod verify_secret;
mod versions;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hmac::{Hmac, KeyInit};
use sha2::Sha256;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::cache::Cache;
use self::change_broadcast::ChangeBroadcast;
use self::decision::DecisionCounters;
pub use self::decision::{Admitted, Decision, Refused};
pub use self::entry::Caller;
use self::entry::{HashDigest, TokenMac};
use self::legacy::LegacyLimiter;
use self::listener_health::ListenerHealth;
use self::negative_cache::NegativeCache;
use self::rows::Loaded;
use self::single_flight::SingleFlight;
use self::usage::UsageLog;
use self::versions::Versions;
use super::clock::{Clock, Entropy};
use super::crypto::pepper::Peppers;
use super::crypto::pool::HashPool;

const MAX_CACHED_KEYS: usize = 262_144;
/// Concurrent row reads for requests: fewer than the pool has connections, so that a flood of
/// unknown ids leaves some to the operators.
const MAX_READS: usize = 8;

/// Verifies tokens.
pub struct Guard {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    peppers: Arc<Peppers>,
    hashing: HashPool,
    /// Keyed once; each token clones this state.
    mac: Hmac<Sha256>,
    cache: Cache,
    unknown_ids: NegativeCache,
    versions: Versions,
    listener_health: ListenerHealth,
    reads: Semaphore,
    reads_waiting: AtomicUsize,
    loading: SingleFlight<Box<str>, Loaded>,
    /// `None` for a wrong secret.
    verifying: SingleFlight<TokenMac, Option<HashDigest>>,
    legacy: LegacyLimiter,
    usage: UsageLog,
    decisions: DecisionCounters,
    changes: ChangeBroadcast,
}

impl Guard {
    /// `hashing` is shared with issuing; `outage_grace` is how long keys verified by this process
    /// may be accepted while the database is unavailable.
    pub fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        peppers: Arc<Peppers>,
        hashing: HashPool,
        outage_grace: Duration,
    ) -> Self {
        let key: Zeroizing<[u8; 64]> = Zeroizing::new(entropy.bytes());
        Self {
            usage: UsageLog::new(Arc::clone(&clock)),
            pool,
            clock,
            entropy,
            peppers,
            hashing,
            mac: Hmac::<Sha256>::new(&(*key).into()),
            cache: Cache::new(MAX_CACHED_KEYS),
            unknown_ids: NegativeCache::default(),
            versions: Versions::default(),
            listener_health: ListenerHealth::new(outage_grace),
            reads: Semaphore::new(MAX_READS),
            reads_waiting: AtomicUsize::new(0),
            loading: SingleFlight::default(),
            verifying: SingleFlight::default(),
            legacy: LegacyLimiter::default(),
            decisions: DecisionCounters::default(),
            changes: ChangeBroadcast::default(),
        }
    }

    pub fn changes(&self) -> &ChangeBroadcast {
        &self.changes
    }

    /// Uses waiting to be written.
    pub fn usage(&self) -> &UsageLog {
        &self.usage
    }

    pub fn decisions(&self) -> &DecisionCounters {
        &self.decisions
    }

    pub fn cached_keys(&self) -> u64 {
        self.cache.len() as u64
    }

    pub fn listener_health(&self) -> &ListenerHealth {
        &self.listener_health
    }

    fn versions(&self) -> &Versions {
        &self.versions
    }
}
