//! What the product does. REST, the console and the command line all end here, so that their
//! rules can't drift apart. Services open the transactions; each change writes its audit event in
//! the same one.

pub mod assets;
pub mod audit;
mod bulk;
pub mod chain;
mod endings;
pub mod factors;
pub mod idempotency;
pub mod import;
pub mod issuing;
pub mod key_details;
pub mod keys;
pub mod minting;
pub mod notices;
pub mod operators;
pub mod overview;
pub mod partner_audit;
pub mod partners;
pub mod policy;
mod qr;
pub mod refusals;
pub mod rotation;
pub mod sample;
pub mod sessions;
pub mod sign_in_attempts;
pub mod targets;
pub mod telling;
pub mod webhooks;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;

use self::refusals::Refusals;
use self::targets::Targets;
use super::clock::{Clock, Entropy};
use super::crypto::pepper::Peppers;
use super::crypto::pool::HashPool;
use crate::domain::audit::{Actor, ActorKind};

/// The services with what they work on. Cheap to clone.
#[derive(Clone)]
pub struct Registry {
    /// The database.
    pub pool: PgPool,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Random bytes for ids, secrets and salts.
    pub entropy: Arc<dyn Entropy>,
    /// Where keys' secrets are hashed.
    pub key_hashing: HashPool,
    /// Where passwords are hashed, apart from keys: a flood of sign-ins slows no partner.
    pub password_hashing: HashPool,
    /// What new secrets are peppered with; `None` where only operators are managed.
    pub peppers: Option<Arc<Peppers>>,
    /// What new keys look like.
    pub issuing: IssuingPolicy,
    /// What operators were refused, until the history has it.
    pub refusals: Arc<Refusals>,
    /// Which addresses webhooks may name.
    pub targets: Arc<Targets>,
    /// Rung when there may be something in the outbox.
    pub outbox: Arc<Notify>,
}

impl Registry {
    /// What time it is.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// What new keys look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuingPolicy {
    /// What their ids begin with.
    pub id_prefix: String,
    /// Random bytes of a secret, 16 to 64.
    pub secret_bytes: usize,
}

impl Default for IssuingPolicy {
    fn default() -> Self {
        Self {
            id_prefix: "mpk_".to_owned(),
            secret_bytes: 32,
        }
    }
}

/// On whose behalf a service acts, and from where: what the audit event says of it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Who.
    pub actor: Actor,
    /// From which address.
    pub ip: Option<IpAddr>,
    /// Under which request.
    pub request_id: Option<String>,
}

impl Origin {
    /// The server itself.
    #[must_use]
    pub fn server() -> Self {
        Whence::default().of(Actor::new(ActorKind::System, "myproof-registry"))
    }
}

/// From where somebody acts, before it is known who they are.
#[derive(Clone, Debug, Default)]
pub struct Whence {
    /// From which address.
    pub ip: Option<IpAddr>,
    /// Under which request.
    pub request_id: Option<String>,
}

impl Whence {
    /// The origin of what this actor does from there.
    #[must_use]
    pub fn of(self, actor: Actor) -> Origin {
        Origin {
            actor,
            ip: self.ip,
            request_id: self.request_id,
        }
    }
}

impl Registry {
    /// Whether the database answers and its schema is current.
    ///
    /// # Errors
    /// [`crate::domain::error::AppError::Unavailable`] where the database can't be reached.
    pub async fn is_ready(&self) -> crate::domain::error::AppResult<bool> {
        let mut connection = self.pool.acquire().await?;
        super::db::schema::is_current(&mut connection).await
    }
}
