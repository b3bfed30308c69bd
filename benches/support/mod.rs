//! A registry for benchmarks: a database of its own, keys, a guard whose listener runs.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use myproof_registry::app::AssetPaths;
use myproof_registry::domain::audit::{Actor, ActorKind};
use myproof_registry::domain::key_input::IssueInput;
use myproof_registry::domain::partner::NewPartner;
use myproof_registry::server::crypto::pepper::Peppers;
use myproof_registry::server::db::{changes, schema};
use myproof_registry::server::services::{IssuingPolicy, Origin};
use myproof_registry::server::state::{AppState, Site};
use myproof_registry::server::{jobs, run};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;

const PEPPER: &str = "a pepper for benchmarks 0123456789";
/// Keys that are hashed at once: no more than the pool's queue takes.
const AT_ONCE: usize = 32;

/// What a benchmark works on.
pub struct Bench {
    /// The router's state.
    pub state: AppState,
    /// Tokens that no rate slows.
    pub tokens: Vec<String>,
    /// Ends the jobs when dropped.
    _stop: watch::Sender<bool>,
}

impl Bench {
    /// A registry with so many keys in the database `name`, which is made anew.
    pub async fn new(name: &str, keys: usize) -> Self {
        let url = std::env::var("DATABASE_URL").expect("run it with `make bench`");
        let server: PgConnectOptions = url.parse().unwrap();
        let admin = PgPool::connect_with(server.clone()).await.unwrap();
        for statement in ["drop database if exists", "create database"] {
            // The names are the benchmarks' own.
            let statement = sqlx::AssertSqlSafe(format!("{statement} {name}"));
            sqlx::query(statement).execute(&admin).await.unwrap();
        }
        let options = server.database(name);
        let pool = run::pool(options.clone());
        schema::migrate(&pool).await.unwrap();
        let peppers = Arc::new(Peppers::new(PEPPER, &[]));
        let policy = IssuingPolicy::default();
        let registry = run::registry(pool.clone(), Some(Arc::clone(&peppers)), policy);
        let origin = Origin {
            actor: Actor::new(ActorKind::Cli, "bench"),
            ip: None,
            request_id: None,
        };
        let partner = NewPartner {
            name: "Bench".to_owned(),
            contact_email: None,
        };
        let partner = registry.create_partner(&origin, partner).await.unwrap();
        let issue = async || {
            let input = IssueInput {
                partner_id: Some(partner.partner_id.to_string()),
                scopes: Some(vec!["assets:read".to_owned()]),
                ..IssueInput::default()
            };
            let command = input.check(registry.now()).unwrap();
            registry.issue_key(&origin, command).await.unwrap().token
        };
        let mut tokens = Vec::new();
        while tokens.len() < keys {
            let batch = AT_ONCE.min(keys - tokens.len());
            tokens.extend(join_all((0..batch).map(|_| issue())).await);
        }
        sqlx::query("update api_keys set rate_per_minute = 2147483647")
            .execute(&pool)
            .await
            .unwrap();
        let site = Site {
            public_origin: "https://registry.example".to_owned(),
            secure_cookies: true,
            trusted_proxies: vec![],
            assets: AssetPaths {
                css: String::new(),
                js: String::new(),
                wasm: String::new(),
            },
        };
        let leptos = leptos::config::LeptosOptions::builder()
            .output_name("bench")
            .site_root("public")
            .build();
        let state = run::state(registry.clone(), peppers, site, leptos, Duration::ZERO);
        let (stop, stopping) = watch::channel(false);
        let guard = &state.guard;
        let listening = changes::listening_pool(options);
        let _listener = jobs::spawn_listener(Arc::clone(guard), listening, stopping.clone());
        let _flush = jobs::spawn_usage_flush(Arc::clone(guard), registry, stopping);
        while !guard.link().is_live() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self {
            state,
            tokens,
            _stop: stop,
        }
    }

    /// Presents each token once, so that all are warm.
    pub async fn warm_up(&self) {
        for tokens in self.tokens.chunks(AT_ONCE) {
            let checks = tokens
                .iter()
                .map(|token| self.state.guard.check(token, None));
            for checked in join_all(checks).await {
                checked.unwrap();
            }
        }
    }
}
