//! Registry for benchmarks: a separate database, keys, and instances with running listeners.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures::future::join_all;
use myproof_registry::app::AssetPaths;
use myproof_registry::domain::audit::{Actor, ActorKind};
use myproof_registry::domain::key_input::IssueInput;
use myproof_registry::domain::partner::CreatePartner;
use myproof_registry::server::connections::{self, Limits};
use myproof_registry::server::crypto::pepper::Peppers;
use myproof_registry::server::jobs;
use myproof_registry::server::router::router_with;
use myproof_registry::server::service::{AuditContext, IssuingPolicy, Services};
use myproof_registry::server::startup;
use myproof_registry::server::state::{AppState, Site};
use myproof_registry::server::store::{changes, schema};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use uuid::Uuid;

const PEPPER: &str = "a pepper for benchmarks 0123456789";
/// Keys hashed concurrently, at most the queue length of the hashing pool.
pub const CONCURRENCY: usize = 32;

/// Environment of a benchmark.
pub struct Bench {
    pub instance: Instance,
    /// Tokens without an effective rate limit.
    pub tokens: Vec<String>,
    pub partner_id: Uuid,
    pub peppers: Arc<Peppers>,
    database: PgConnectOptions,
}

/// Whether an instance writes usage to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum UsageWrites {
    On,
    Off,
}

/// One instance of the registry.
pub struct Instance {
    pub state: AppState,
    /// Stops the jobs when dropped.
    _stop: watch::Sender<bool>,
}

impl Bench {
    /// Creates a registry with this number of keys in the database `name`, which is recreated.
    pub async fn new(name: &str, keys: usize) -> Self {
        let url = std::env::var("DATABASE_URL").expect("run it with `make bench`");
        let server: PgConnectOptions = url.parse().unwrap();
        let admin = PgPool::connect_with(server.clone()).await.unwrap();
        // Forced, since an aborted run may still be connected. The names are constants of the benchmarks.
        for statement in [
            format!("drop database if exists {name} with (force)"),
            format!("create database {name}"),
        ] {
            let statement = sqlx::AssertSqlSafe(statement);
            sqlx::query(statement).execute(&admin).await.unwrap();
        }
        let database = server.database(name);
        schema::migrate(&startup::pool(database.clone()))
            .await
            .unwrap();
        let peppers = Arc::new(Peppers::new(PEPPER, &[]));
        let instance =
            Instance::start(database.clone(), Arc::clone(&peppers), UsageWrites::On).await;
        let partner = CreatePartner {
            name: "Bench".to_owned(),
            contact_email: None,
            max_key_age_days: None,
        };
        let services = &instance.state.services;
        let partner = services
            .partners
            .create(&audit_context(), partner)
            .await
            .unwrap();
        let mut bench = Self {
            instance,
            tokens: Vec::new(),
            partner_id: partner.partner_id,
            peppers,
            database,
        };
        while bench.tokens.len() < keys {
            let batch = CONCURRENCY.min(keys - bench.tokens.len());
            let tokens = join_all((0..batch).map(|_| bench.issue("assets:read"))).await;
            bench.tokens.extend(tokens);
        }
        bench
            .sql("update api_keys set rate_per_minute = 2147483647")
            .await;
        bench
    }

    /// Issues a key and returns its token.
    pub async fn issue(&self, scope: &str) -> String {
        let services = &self.instance.state.services;
        let input = IssueInput {
            partner_id: Some(self.partner_id.to_string()),
            scopes: Some(vec![scope.to_owned()]),
            ..IssueInput::default()
        };
        let command = input.check(services.now()).unwrap();
        services
            .keys
            .issue(&audit_context(), command)
            .await
            .unwrap()
            .token
            .to_string()
    }

    /// Starts another instance on the same database.
    pub async fn start_instance(&self, usage: UsageWrites) -> Instance {
        Instance::start(self.database.clone(), Arc::clone(&self.peppers), usage).await
    }

    /// Executes an SQL statement.
    pub async fn sql(&self, statement: &'static str) {
        let pool = self.instance.state.services.pool();
        sqlx::query(statement).execute(pool).await.unwrap();
    }
}

impl Instance {
    async fn start(database: PgConnectOptions, peppers: Arc<Peppers>, usage: UsageWrites) -> Self {
        let pool = startup::pool(database.clone());
        let services = Services::new(startup::dependencies(
            pool.clone(),
            Some(Arc::clone(&peppers)),
            IssuingPolicy::default(),
        ));
        let site = Site {
            public_origin: "https://registry.example".to_owned(),
            secure_cookies: true,
            trusted_proxies: vec![],
            assets: AssetPaths::default(),
        };
        let leptos = leptos::config::LeptosOptions::builder()
            .output_name("bench")
            .site_root("public")
            .build();
        let state = startup::state(services, peppers, site, leptos, Duration::ZERO);
        let (stop, stopping) = watch::channel(false);
        let guard = &state.guard;
        let listener_pool = changes::listening_pool(database);
        let _listener = jobs::spawn_listener(Arc::clone(guard), listener_pool, stopping.clone());
        if usage == UsageWrites::On {
            let _flush = jobs::spawn_usage_flush(Arc::clone(guard), pool, stopping);
        }
        while !guard.listener_health().is_live() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { state, _stop: stop }
    }

    /// Verifies each token once, to fill the cache.
    pub async fn warm_up(&self, tokens: &[String]) {
        for tokens in tokens.chunks(CONCURRENCY) {
            let verifications = tokens
                .iter()
                .map(|token| self.state.guard.verify(token, None));
            for decision in join_all(verifications).await {
                decision.unwrap();
            }
        }
    }

    /// Serves the instance with additional routes on a free loopback port, and returns the address.
    pub async fn serve(&self, more: Router<AppState>) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router_with(self.state.clone(), more);
        tokio::spawn(connections::serve(
            listener,
            service,
            Limits::default(),
            std::future::pending(),
        ));
        address
    }
}

fn audit_context() -> AuditContext {
    AuditContext {
        actor: Actor::new(ActorKind::Cli, "bench"),
        ip: None,
        request_id: None,
    }
}
