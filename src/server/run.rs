//! `serve`: from configuration to a server that listens, and its orderly end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use leptos::config::LeptosOptions;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::assets::{self, OUTPUT_NAME, PKG_DIR};
use super::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use super::config::notices::NoticeConfig;
use super::config::{self, AppEnv, PepperConfig, ServeConfig, Source, plain};
use super::connections::{self, Limits};
use super::courier::Courier;
use super::crypto::pepper::Peppers;
use super::crypto::pool::HashPool;
use super::db::{self, changes, error, guard_rows, schema};
use super::http::frame::Frame;
use super::http::{self, openapi};
use super::jobs;
use super::metrics::{self, traffic::Traffic};
use super::package::SiteFolder;
use super::router::router;
use super::services::targets::Targets;
use super::services::{IssuingPolicy, Registry};
use super::state::{AppState, Shared, Site};
use super::verify::Guard;

/// Connections to the database that one process opens at most.
const MAX_CONNECTIONS: u32 = 16;
/// How long requests in flight may go on after a signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Hash runs that may wait for a thread. At 20 ms a run on two threads the last waits about 1.3 s.
const KEY_HASH_QUEUE: usize = 128;
const PASSWORD_HASH_QUEUE: usize = 16;

/// Builds the services over a database.
#[must_use]
pub fn registry(pool: PgPool, peppers: Option<Arc<Peppers>>, issuing: IssuingPolicy) -> Registry {
    registry_with(
        pool,
        peppers,
        issuing,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
    )
}

/// The same with a clock and a source of randomness of one's own.
#[must_use]
pub fn registry_with(
    pool: PgPool,
    peppers: Option<Arc<Peppers>>,
    issuing: IssuingPolicy,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Registry {
    Registry {
        pool,
        clock,
        entropy,
        key_hashing: HashPool::new(config::cores(), KEY_HASH_QUEUE),
        password_hashing: HashPool::new(1, PASSWORD_HASH_QUEUE),
        peppers,
        issuing,
        refusals: Arc::default(),
        targets: Arc::default(),
        outbox: Arc::default(),
    }
}

/// The peppers of a configuration; its warnings go to the log.
#[must_use]
pub fn peppers(config: &PepperConfig) -> Arc<Peppers> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Arc::new(Peppers::new(&config.current, &config.retired))
}

/// A pool over the configured database.
#[must_use]
pub fn pool(options: PgConnectOptions) -> PgPool {
    db::lazy_pool(options, MAX_CONNECTIONS)
}

/// Builds the router's state around the services.
#[must_use]
pub fn state(
    registry: Registry,
    peppers: Arc<Peppers>,
    site: Site,
    leptos: LeptosOptions,
    outage: Duration,
) -> AppState {
    let guard = Guard::new(
        registry.pool.clone(),
        Arc::clone(&registry.clock),
        Arc::clone(&registry.entropy),
        peppers,
        registry.key_hashing.clone(),
        outage,
    );
    let documents = openapi::documents(&http::document(), &site.assets.css);
    AppState::new(Shared {
        registry,
        guard: Arc::new(guard),
        documents,
        site: Arc::new(site),
        leptos,
        traffic: Traffic::default(),
        leaving: AtomicBool::new(false),
    })
}

/// Serves until a signal to stop.
///
/// # Errors
/// What kept it from starting, in one line.
pub async fn serve(source: &Source, migrate: bool) -> Result<(), String> {
    let config = config::serve(source).map_err(|error| error.to_string())?;
    let database = config::database(source).map_err(|error| error.to_string())?;
    let peppers = peppers(&config::peppers(source).map_err(|error| error.to_string())?);
    let issuing = config::issuing(source).map_err(|error| error.to_string())?;
    let entropy: &dyn Entropy = &SystemEntropy;
    let site_folder = SiteFolder::find(config.site_root.clone(), entropy.bytes())?;
    let asset_paths = assets::find(site_folder.path())?;

    let notices = config::notices::notices(source).map_err(|error| error.to_string())?;
    if config.env == AppEnv::Production {
        warn_of_plain_connections(&database, &notices);
    }

    let listening = changes::listening_pool(database.clone());
    let hashing = config::hashing(source).map_err(|error| error.to_string())?;
    let mut registry = registry(pool(database), Some(Arc::clone(&peppers)), issuing);
    registry.key_hashing = HashPool::new(hashing, KEY_HASH_QUEUE);
    if !notices.allowed_networks.is_empty() {
        tracing::warn!("WEBHOOK_ALLOWED_NETWORKS lets webhooks call addresses that are not public");
    }
    registry.targets = Arc::new(Targets::new(notices.allowed_networks.clone()));
    let courier = Courier::new(registry.clone(), &notices)?;
    if migrate {
        self::migrate(&registry.pool).await?;
    }
    report_uncovered_keys(&registry, &peppers).await;

    let listener = listen("LEPTOS_SITE_ADDR", config.address).await?;
    let metrics = listen_for_metrics(&config).await?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let site = Site {
        public_origin: config
            .public_origin
            .clone()
            .unwrap_or_else(|| format!("http://{address}")),
        secure_cookies: config.env == AppEnv::Production,
        trusted_proxies: config.trusted_proxies.clone(),
        assets: asset_paths,
    };
    let public_origin = site.public_origin.clone();
    let state = state(
        registry.clone(),
        peppers,
        site,
        leptos_options(&site_folder, address),
        config.outage,
    );

    let (stop, stopping) = watch::channel(false);
    let background = [
        jobs::spawn_listener(Arc::clone(&state.guard), listening, stopping.clone()),
        jobs::spawn_usage_flush(Arc::clone(&state.guard), registry.clone(), stopping.clone()),
        jobs::spawn_first_uses(Arc::clone(&state.guard), registry.clone(), stopping.clone()),
        jobs::spawn_session_sweep(registry.clone(), stopping.clone()),
        jobs::spawn_checkpoints(registry.clone(), stopping.clone()),
        jobs::spawn_refusals(registry.clone(), stopping.clone()),
        jobs::spawn_courier(courier, registry.clone(), stopping.clone()),
        jobs::spawn_notices_of_the_clock(registry.clone(), stopping.clone()),
    ];
    if let Some(listener) = metrics {
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        tracing::info!(metrics = %address, "telling metrics");
        tokio::spawn(metrics::serve(listener, state.clone(), stopping.clone()));
    }
    spawn_stop(state.clone(), config.shutdown_delay, stop)?;
    tracing::info!(%address, public_origin, "listening");
    let outcome = answer(listener, router(state), stopping).await;
    for job in background {
        if let Err(error) = job.await {
            tracing::error!(
                panicked = error.is_panic(),
                "a background job did not end well"
            );
        }
    }
    registry.pool.close().await;
    tracing::info!("stopped");
    outcome
}

fn warn_of_plain_connections(database: &PgConnectOptions, notices: &NoticeConfig) {
    if plain::database_is_exposed(database) {
        tracing::warn!(
            "DATABASE_URL goes over a network without checking whom it meets there: sslmode=verify-full does"
        );
    }
    if plain::mail_is_exposed(notices) {
        tracing::warn!(
            "SMTP_URL goes over a network, perhaps plainly: smtps:// or tls=required does not"
        );
    }
}

async fn listen(variable: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{variable}: {address} is in use: stop what listens there, or set another address")
        }
        _ => format!("{variable}: can't listen on {address}: {error}"),
    })
}

async fn listen_for_metrics(config: &ServeConfig) -> Result<Option<TcpListener>, String> {
    let Some(address) = config.metrics else {
        return Ok(None);
    };
    match listen("METRICS_ADDR", address).await {
        Ok(listener) => Ok(Some(listener)),
        // Another one that is being worked on has it.
        Err(reason) if config.env == AppEnv::Development => {
            tracing::warn!("{reason}; no metrics are told");
            Ok(None)
        }
        Err(reason) => Err(reason),
    }
}

/// Waits for a signal to stop. From then on the instance is not ready; after `delay`, in which whoever
/// balances the load can learn of it, it accepts no more.
fn spawn_stop(state: AppState, delay: Duration, stop: watch::Sender<bool>) -> Result<(), String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        state.leaving.store(true, Ordering::Relaxed);
        if !delay.is_zero() {
            tracing::info!(
                seconds = delay.as_secs(),
                "stopping soon: not ready any more"
            );
            tokio::time::sleep(delay).await;
        }
        tracing::info!("stopping: no new connections, requests in flight go on");
        let _ = stop.send(true);
    });
    Ok(())
}

/// Answers until it is told to stop, then lets requests in flight end.
async fn answer(
    listener: TcpListener,
    frame: Frame,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), String> {
    let mut told_to_stop = stopping.clone();
    let server = connections::serve(listener, frame, Limits::default(), async move {
        let _ = told_to_stop.wait_for(|stop| *stop).await;
    });
    let too_long = async {
        let _ = stopping.wait_for(|stop| *stop).await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        ended = server => ended.map_err(|error| format!("connections can't be served: {error}")),
        () = too_long => {
            tracing::warn!("some requests did not end in time: they are cut off");
            Ok(())
        }
    }
}

/// Brings the schema up to date.
///
/// # Errors
/// What failed, in one line.
pub async fn migrate(pool: &PgPool) -> Result<(), String> {
    schema::migrate(pool).await.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(cause)
        | sqlx::migrate::MigrateError::ExecuteMigration(cause, _) => {
            format!(
                "the database can't be migrated: {}",
                error::describe(&cause)
            )
        }
        sqlx::migrate::MigrateError::VersionMismatch(_) => {
            "the database was created by a pre-release version; create a new database or restore a dump into \
             the current schema; see docs/operations.md"
                .to_owned()
        }
        other => format!("the database can't be migrated: {other}"),
    })
}

/// Tells how many live keys no known pepper covers: they would all be refused.
async fn report_uncovered_keys(registry: &Registry, peppers: &Peppers) {
    let known: Vec<Vec<u8>> = peppers
        .all()
        .map(|pepper| pepper.fingerprint().to_vec())
        .collect();
    let counted = async {
        let mut connection = registry.pool.acquire().await?;
        guard_rows::count_uncovered(&mut connection, &known, registry.now()).await
    };
    match counted.await {
        Ok(0) => tracing::info!(
            uncovered_keys = 0,
            "every live key is covered by a known pepper"
        ),
        Ok(uncovered_keys) => tracing::warn!(
            uncovered_keys,
            "live keys were made under a pepper that is in neither APIKEY_PEPPER nor APIKEY_PEPPER_RETIRED: they will be refused"
        ),
        Err(cause) => {
            tracing::warn!(
                cause = error::describe(&cause),
                "the keys' peppers could not be checked"
            );
        }
    }
}

/// What Leptos wants to know, set here so that a deployed binary needs no `Cargo.toml`.
fn leptos_options(site: &SiteFolder, address: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(OUTPUT_NAME)
        .site_root(site.path().to_string_lossy().into_owned())
        .site_pkg_dir(PKG_DIR)
        .site_addr(address)
        .reload_port(3001_u32)
        .build()
}
