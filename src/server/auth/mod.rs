//! The guard: from the token that was presented to the key that it is, or the reason why not.
//!
//! A key is judged in one order: format, row, tag, Argon2id, then revoked, partner inactive, not
//! yet valid, expired, rate; scopes come after, where the route is known. A wrong secret fails on
//! the check tag, without Argon2; a key that its state refuses needs only the tag.
//!
//! A token that passed here before is recognised by its MAC under a random key of this process, and
//! judged by what is remembered of its row: no query, no Argon2, no allocation. What is remembered
//! holds while the listener would have heard of a change ([`link`], [`marks`]); otherwise every
//! request reads its row, and a proof goes on to hold for the very same stored hash.

mod absent;
mod cache;
pub mod entry;
mod flight;
pub mod heard;
mod holder;
pub mod legacy;
pub mod link;
pub mod listener;
mod live;
mod marks;
mod prove;
pub mod rate;
mod rows;
pub mod usage;
pub mod verdicts;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use self::absent::Absent;
use self::cache::Cache;
pub use self::entry::Caller;
use self::entry::{Entry, HashMark, TokenMac};
use self::flight::Flights;
use self::heard::Heard;
use self::legacy::LegacyLimiter;
use self::link::Link;
use self::marks::Marks;
use self::rate::RateState;
use self::rows::Loaded;
use self::usage::UsageLog;
use self::verdicts::Verdicts;
use super::clock::{Clock, Entropy};
use super::crypto::pepper::Peppers;
use super::crypto::pool::HashPool;
use super::crypto::same_bytes;
use super::store::guard_rows::GuardRow;
use crate::domain::error::{AppError, AuthReason};
use crate::domain::token::{PresentedToken, SecretForm};
use crate::domain::usage::Outcome;

/// Keys that are remembered at most.
const MAX_KEYS: usize = 262_144;
/// Rows that are read for requests at once: fewer than the pool has connections, so that a flood of
/// unknown ids leaves some to the operators.
const MOST_READS: usize = 8;
/// How often a key that changes while it is judged is judged anew.
const MOST_TURNS: usize = 5;
/// Longer than any token can be.
const MOST_TOKEN_BYTES: usize = 256;

/// A key that was accepted, and what it may still do.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Who is calling.
    pub caller: Caller,
    /// What the rate's headers tell.
    pub rate: RateState,
}

/// A request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub error: AppError,
    /// What the rate's headers tell, where it came to the rate.
    pub rate: Option<RateState>,
}

impl<E: Into<AppError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            rate: None,
        }
    }
}

/// Judges tokens.
pub struct Guard {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    peppers: Arc<Peppers>,
    hashing: HashPool,
    /// Keyed once: a copy of its state is all that a token costs.
    mac: Hmac<Sha256>,
    cache: Cache,
    absent: Absent,
    marks: Marks,
    link: Link,
    reads: Semaphore,
    reads_waiting: AtomicUsize,
    loading: Flights<Box<str>, Loaded>,
    proving: Flights<TokenMac, Option<HashMark>>,
    legacy: LegacyLimiter,
    usage: UsageLog,
    verdicts: Verdicts,
    heard: Heard,
}

impl Guard {
    /// A guard over this database. `hashing` is shared with issuing; `outage` is how long keys that
    /// were proven here may be accepted while the database can't be reached.
    #[must_use]
    pub fn new(
        pool: PgPool,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        peppers: Arc<Peppers>,
        hashing: HashPool,
        outage: Duration,
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
            cache: Cache::new(MAX_KEYS),
            absent: Absent::default(),
            marks: Marks::default(),
            link: Link::new(outage),
            reads: Semaphore::new(MOST_READS),
            reads_waiting: AtomicUsize::new(0),
            loading: Flights::default(),
            proving: Flights::default(),
            legacy: LegacyLimiter::default(),
            verdicts: Verdicts::default(),
            heard: Heard::default(),
        }
    }

    /// What the listener has heard, for whoever shows keys.
    #[must_use]
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// The uses that wait to be written.
    #[must_use]
    pub fn usage(&self) -> &UsageLog {
        &self.usage
    }

    /// What was said of the tokens so far.
    #[must_use]
    pub fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Keys that are remembered.
    #[must_use]
    pub fn cached_keys(&self) -> u64 {
        self.cache.len() as u64
    }

    /// The state of the listener's connection.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Judges a presented token; `client` is the address it came from. The use is counted.
    ///
    /// # Errors
    /// [`AppError::Unauthorized`] with the reason; [`AppError::RateLimited`] where the key's rate is
    /// used up, or for too many guesses at a legacy key; [`AppError::Unavailable`] where the row
    /// can't be read or a bounded queue is full.
    pub async fn check(&self, token: &str, client: Option<IpAddr>) -> Result<Admitted, Refused> {
        self.verdicts.count(self.judge(token, client).await)
    }

    async fn judge(&self, token: &str, client: Option<IpAddr>) -> Result<Admitted, Refused> {
        let mac = self.mac_of(token)?;
        if let Some(entry) = self.recognise(token, &mac) {
            return self.admit(entry, client);
        }
        let token = Presented::read(token, mac)?;
        // What passed Argon2id in this request, so that a row that changed meanwhile is judged anew
        // without another run.
        let mut passed = None;
        for _ in 0..MOST_TURNS {
            self.refuse_by_memory(&token, client)?;
            let loaded = match self.load(token.form.key_id()).await {
                Ok(loaded) => loaded,
                Err(error) => return self.bridge(&token, client, error),
            };
            let Some(loaded) = loaded else {
                return Err(nobody(&token.form).into());
            };
            let (entry, row) = &*loaded;
            let secret_hex = self.refuse_by_tag(entry, &token, client)?;
            let must_prove = !entry.is_proven(&token.mac) && passed != Some(entry.hash_mark);
            if must_prove {
                passed = Some(self.prove(entry, row, &token, secret_hex, client).await?);
            }
            // Hashing took time, and so did the query: what changed meanwhile is judged anew. Where
            // nobody would have heard of it, a row that was read before hashing may have changed.
            let may_have_changed = if self.link.is_live() {
                !self.marks.is_current(&entry.mark)
            } else {
                must_prove
            };
            if may_have_changed {
                continue;
            }
            let entry = Arc::new(self.remembered(entry, row, &token.mac, passed));
            self.cache.put(Arc::clone(&entry));
            return self.admit(entry, client);
        }
        tracing::warn!(
            key_id = token.form.key_id(),
            "a key changes faster than it can be judged"
        );
        Err(AppError::UNAVAILABLE.into())
    }

    /// The same for what memory alone can judge; `None` where the database or Argon2id is needed.
    pub fn check_at_once(
        &self,
        token: &str,
        client: Option<IpAddr>,
    ) -> Option<Result<Admitted, Refused>> {
        self.judge_at_once(token, client)
            .map(|judged| self.verdicts.count(judged))
    }

    fn judge_at_once(
        &self,
        token: &str,
        client: Option<IpAddr>,
    ) -> Option<Result<Admitted, Refused>> {
        let mac = match self.mac_of(token) {
            Ok(mac) => mac,
            Err(refused) => return Some(Err(refused)),
        };
        if let Some(entry) = self.recognise(token, &mac) {
            return Some(self.admit(entry, client));
        }
        let judged =
            Presented::read(token, mac).and_then(|token| self.refuse_by_memory(&token, client));
        judged.err().map(Err)
    }

    /// The entry of a token that passed before, if what is remembered may be relied on.
    fn recognise(&self, token: &str, mac: &TokenMac) -> Option<Arc<Entry>> {
        let (key_id, _) = token.split_once('.')?;
        if !self.link.is_live() {
            return None;
        }
        let entry = self.cache.get(key_id)?;
        let holds = self.marks.is_current(&entry.mark) && entry.is_proven(mac);
        holds.then_some(entry)
    }

    /// Judges the state and the rate of a key whose secret is proven, and counts the use.
    fn admit(&self, entry: Arc<Entry>, client: Option<IpAddr>) -> Result<Admitted, Refused> {
        let now = self.clock.now();
        let count = |outcome| self.usage.record(&entry.live, outcome, now, client);
        if let Some(reason) = entry.refused_by_state(now) {
            return Err(self.refused(&entry, reason, client));
        }
        match entry.live.bucket.take(entry.rate_per_minute, now) {
            Ok(rate) => {
                count(Outcome::Accepted);
                let caller = Caller::new(entry);
                Ok(Admitted { caller, rate })
            }
            Err(limited) => {
                count(Outcome::RateLimited);
                Err(Refused {
                    error: AppError::RateLimited {
                        retry_after: limited.retry_after,
                    },
                    rate: Some(limited.state),
                })
            }
        }
    }

    /// Refuses what memory alone can refuse: unknown ids, wrong secrets, keys out of their window.
    fn refuse_by_memory(
        &self,
        token: &Presented<'_>,
        client: Option<IpAddr>,
    ) -> Result<(), Refused> {
        let key_id = token.form.key_id();
        if !self.link.is_live() {
            return Ok(());
        }
        if let Some(before) = self.absent.get(key_id)
            && self.marks.is_still_absent(&before)
        {
            return Err(nobody(&token.form).into());
        }
        if let Some(entry) = self.cache.get(key_id)
            && self.marks.is_current(&entry.mark)
        {
            self.refuse_by_tag(&entry, token, client)?;
        }
        Ok(())
    }

    /// Refuses a wrong secret by its tag, and a key whose state refuses it; else the hex text that
    /// is still to be proven.
    fn refuse_by_tag<'a>(
        &self,
        entry: &Entry,
        token: &Presented<'a>,
        client: Option<IpAddr>,
    ) -> Result<&'a str, Refused> {
        let secret_hex = self.secret_by_tag(entry, token, client)?;
        // Without a tag only Argon2 can tell: then nothing else is told before.
        if entry.tag.is_some()
            && let Some(reason) = entry.refused_by_state(self.clock.now())
        {
            return Err(self.refused(entry, reason, client));
        }
        Ok(secret_hex)
    }

    /// Refuses a wrong secret by its tag, whatever the key's state; else the hex text that is still
    /// to be proven.
    fn secret_by_tag<'a>(
        &self,
        entry: &Entry,
        token: &Presented<'a>,
        client: Option<IpAddr>,
    ) -> Result<&'a str, Refused> {
        let mismatch = || self.refused(entry, AuthReason::SecretMismatch, client);
        let secret_hex = token
            .form
            .secret_hex(entry.legacy)
            .map_err(|form| match form {
                SecretForm::BadFormat => refuse(AuthReason::BadFormat).into(),
                SecretForm::Mismatch => mismatch(),
            })?;
        let Some(tag) = entry.tag else {
            return Ok(secret_hex);
        };
        let mut candidates = self.peppers.candidates(entry.fingerprint);
        if candidates.any(|pepper| same_bytes(&pepper.check_tag(secret_hex), &tag)) {
            Ok(secret_hex)
        } else {
            Err(mismatch())
        }
    }

    /// Counts a refusal of a known key.
    fn refused(&self, entry: &Entry, reason: AuthReason, client: Option<IpAddr>) -> Refused {
        if let Some(outcome) = Outcome::of(reason) {
            self.usage
                .record(&entry.live, outcome, self.clock.now(), client);
        }
        refuse(reason).into()
    }

    /// What is remembered of a row from now on, with the proof that this request made.
    fn remembered(
        &self,
        entry: &Entry,
        row: &GuardRow,
        mac: &TokenMac,
        passed: Option<HashMark>,
    ) -> Entry {
        let again = Entry::new(row, Arc::clone(&entry.live), entry.mark, Some(entry));
        match passed {
            Some(hash_mark) => again.proven(*mac, hash_mark),
            None => again,
        }
    }

    /// Neither listener nor row can be reached: the operator's choice decides.
    fn bridge(
        &self,
        token: &Presented<'_>,
        client: Option<IpAddr>,
        error: AppError,
    ) -> Result<Admitted, Refused> {
        let known = self.cache.get(token.form.key_id()).filter(|entry| {
            self.link.is_bridged()
                && self.marks.is_current(&entry.mark)
                && entry.is_proven(&token.mac)
        });
        match (known, &error) {
            (Some(entry), AppError::Unavailable { .. }) => self.admit(entry, client),
            _ => Err(error.into()),
        }
    }

    /// The MAC by which a token is recognised; what is too long for a token has none.
    fn mac_of(&self, token: &str) -> Result<TokenMac, Refused> {
        if token.len() > MOST_TOKEN_BYTES {
            return Err(refuse(AuthReason::BadFormat).into());
        }
        let mut mac = self.mac.clone();
        mac.update(token.as_bytes());
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        Ok(std::array::from_fn(|index| mac[index]))
    }
}

/// A token with its MAC.
struct Presented<'a> {
    form: PresentedToken<'a>,
    mac: TokenMac,
}

impl<'a> Presented<'a> {
    fn read(token: &'a str, mac: TokenMac) -> Result<Self, Refused> {
        let form = PresentedToken::parse(token).ok_or_else(|| refuse(AuthReason::BadFormat))?;
        Ok(Self { form, mac })
    }
}

fn refuse(reason: AuthReason) -> AppError {
    AppError::Unauthorized { reason }
}

/// No key has the token's id.
fn nobody(form: &PresentedToken<'_>) -> AppError {
    refuse(if form.checksum_holds() {
        AuthReason::UnknownKey
    } else {
        AuthReason::BadFormat
    })
}
