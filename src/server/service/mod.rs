//! Use cases, one service per aggregate. REST, the console and the command line all end here, so
//! that their rules can't diverge. Services open the transactions; each change writes its audit
//! event in the same transaction.

pub mod assets;
pub mod audit;
mod bulk;
mod chain;
pub mod delivery_targets;
mod denied_actions;
mod described_events;
mod event_sentence;
mod idempotency;
pub mod import;
mod issuing;
mod key_details;
pub mod keys;
pub mod mfa;
mod mfa_codes;
pub mod minting;
pub mod notifications;
pub mod operators;
mod overview;
mod paging;
pub mod partners;
pub mod policy;
mod qr;
mod revocation;
mod rotation;
#[cfg(feature = "sample")]
pub mod sample;
pub mod sessions;
mod sign_in;
mod sign_in_attempts;
pub mod webhooks;

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::sync::Notify;

use self::assets::AssetService;
use self::audit::AuditService;
use self::delivery_targets::DeliveryTargets;
use self::denied_actions::DeniedActions;
use self::keys::KeyService;
use self::mfa::MfaService;
use self::notifications::NotificationService;
use self::operators::OperatorService;
use self::partners::PartnerService;
use self::policy::PolicyService;
use self::sessions::SessionService;
use super::clock::{Clock, Entropy};
use super::crypto::pepper::Peppers;
use super::crypto::pool::HashPool;
use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::{AppError, AppResult};
use crate::server::store::schema;

/// The services over one database. Cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub keys: KeyService,
    pub partners: PartnerService,
    pub operators: OperatorService,
    pub sessions: SessionService,
    pub mfa: MfaService,
    pub audit: AuditService,
    pub notifications: NotificationService,
    pub assets: AssetService,
    pub policy: PolicyService,
    core: Arc<Core>,
    key_hashing: HashPool,
    password_hashing: HashPool,
}

/// Everything that services are built from.
#[derive(Clone)]
pub struct Dependencies {
    pub pool: PgPool,
    pub clock: Arc<dyn Clock>,
    /// Random bytes for ids, secrets and salts.
    pub entropy: Arc<dyn Entropy>,
    /// Threads that hash keys' secrets.
    pub key_hashing: HashPool,
    /// Threads that hash passwords, apart from those for keys: a flood of sign-ins must not slow
    /// partners down.
    pub password_hashing: HashPool,
    /// Peppers of secrets; `None` where no secret is generated or sealed.
    pub peppers: Option<Arc<Peppers>>,
    pub issuing: IssuingPolicy,
    pub delivery_targets: DeliveryTargets,
}

/// Resources that all services share; private to them.
struct Core {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    peppers: Option<Arc<Peppers>>,
    /// Signals that notifications may be waiting in the outbox.
    outbox: Notify,
}

impl Core {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    fn peppers(&self) -> AppResult<&Arc<Peppers>> {
        self.peppers.as_ref().ok_or_else(|| {
            tracing::error!("a secret can't be generated, sealed or signed without a pepper");
            AppError::Internal
        })
    }
}

impl Services {
    pub fn new(dependencies: Dependencies) -> Self {
        let Dependencies {
            pool,
            clock,
            entropy,
            key_hashing,
            password_hashing,
            peppers,
            issuing,
            delivery_targets,
        } = dependencies;
        let core = Arc::new(Core {
            pool,
            clock,
            entropy,
            peppers,
            outbox: Notify::new(),
        });
        let denied_actions = Arc::new(DeniedActions::default());
        let audit = AuditService::new(Arc::clone(&core), Arc::clone(&denied_actions));
        let sessions =
            SessionService::new(Arc::clone(&core), password_hashing.clone(), denied_actions);
        Self {
            keys: KeyService::new(
                Arc::clone(&core),
                key_hashing.clone(),
                issuing,
                audit.clone(),
            ),
            partners: PartnerService::new(Arc::clone(&core)),
            operators: OperatorService::new(
                Arc::clone(&core),
                password_hashing.clone(),
                sessions.clone(),
            ),
            mfa: MfaService::new(Arc::clone(&core), sessions.clone()),
            sessions,
            audit,
            notifications: NotificationService::new(Arc::clone(&core), delivery_targets),
            assets: AssetService::new(Arc::clone(&core)),
            policy: PolicyService::new(Arc::clone(&core)),
            core,
            key_hashing,
            password_hashing,
        }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.core.now()
    }

    /// True if the database answers and its schema is current.
    pub async fn is_ready(&self) -> AppResult<bool> {
        let mut connection = self.core.pool.acquire().await?;
        schema::is_current(&mut connection).await
    }

    /// The database's pool, for what is no use case: key verification, usage counts, migration and
    /// metrics.
    pub fn pool(&self) -> &PgPool {
        &self.core.pool
    }

    /// The clock, which key verification shares.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.clock
    }

    /// The source of random bytes, which key verification and request ids share.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.core.entropy
    }

    /// The threads that hash keys' secrets, which key verification shares.
    pub fn key_hashing(&self) -> &HashPool {
        &self.key_hashing
    }

    /// The threads that hash passwords, for metrics.
    pub fn password_hashing(&self) -> &HashPool {
        &self.password_hashing
    }
}

/// Format of new keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuingPolicy {
    /// Prefix of their ids.
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

/// The actor of a change and their client, as the audit event names them.
#[derive(Clone, Debug)]
pub struct AuditContext {
    pub actor: Actor,
    pub ip: Option<IpAddr>,
    pub request_id: Option<String>,
}

impl AuditContext {
    /// Changes that the server makes by itself.
    pub fn server() -> Self {
        ClientInfo::default().acting_as(Actor::new(ActorKind::System, "myproof-registry"))
    }
}

/// The origin of a request whose actor is not known yet.
#[derive(Clone, Debug, Default)]
pub struct ClientInfo {
    pub ip: Option<IpAddr>,
    pub request_id: Option<String>,
}

impl ClientInfo {
    /// The audit context of what this actor does from here.
    pub fn acting_as(self, actor: Actor) -> AuditContext {
        AuditContext {
            actor,
            ip: self.ip,
            request_id: self.request_id,
        }
    }
}
