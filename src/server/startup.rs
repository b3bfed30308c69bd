//! `serve`: builds the server from its configuration, runs it, and shuts it down in order.

use std::net::SocketAddr;
use std::path::Path;
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
use super::auth::Guard;
use super::clock::{SystemClock, SystemEntropy};
use super::config::notifications::NotificationConfig;
use super::config::{self, AppEnv, PepperConfig, ServeConfig, Source, plain};
use super::connections::{self, Limits};
use super::crypto::pepper::Peppers;
use super::crypto::pool::HashPool;
use super::delivery::DeliveryWorker;
use super::http::middleware::http_service::HttpService;
use super::http::{self, openapi};
use super::jobs;
use super::metrics::{self, requests::RequestMetrics};
use super::router::router;
use super::service::delivery_targets::DeliveryTargets;
use super::service::{Dependencies, IssuingPolicy, Services};
use super::state::{AppState, Shared, Site};
use super::store::{self, changes, error, guard_rows, schema};

/// Database connections per process.
const MAX_CONNECTIONS: u32 = 16;
/// Time that requests in flight have after a signal to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// Hash runs that may wait for a thread. At 20 ms a run on two threads, the last one waits about 1.3 s.
const KEY_HASH_QUEUE: usize = 128;
const PASSWORD_HASH_QUEUE: usize = 16;

/// Dependencies of the services over a database, with the system's clock and random numbers.
pub fn dependencies(
    pool: PgPool,
    peppers: Option<Arc<Peppers>>,
    issuing: IssuingPolicy,
) -> Dependencies {
    Dependencies {
        pool,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        key_hashing: key_hash_pool(config::cores()),
        password_hashing: HashPool::new(1, PASSWORD_HASH_QUEUE),
        peppers,
        issuing,
        delivery_targets: DeliveryTargets::default(),
    }
}

fn key_hash_pool(threads: usize) -> HashPool {
    HashPool::new(threads, KEY_HASH_QUEUE)
}

/// Peppers of a configuration; logs its warnings.
pub fn peppers(config: &PepperConfig) -> Arc<Peppers> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    Arc::new(Peppers::new(&config.current, &config.retired))
}

pub fn pool(options: PgConnectOptions) -> PgPool {
    store::lazy_pool(options, MAX_CONNECTIONS)
}

/// Builds the router's state around the services.
pub fn state(
    services: Services,
    peppers: Arc<Peppers>,
    site: Site,
    leptos: LeptosOptions,
    outage: Duration,
) -> AppState {
    let guard = Guard::new(
        services.pool().clone(),
        Arc::clone(services.clock()),
        Arc::clone(services.entropy()),
        peppers,
        services.key_hashing().clone(),
        outage,
    );
    let documents = openapi::documents(&http::document(), &site.assets.css);
    AppState::new(Shared {
        services,
        guard: Arc::new(guard),
        documents,
        site: Arc::new(site),
        leptos,
        request_metrics: RequestMetrics::default(),
        leaving: AtomicBool::new(false),
    })
}

/// Whether `serve` migrates the database first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrations {
    Run,
    Skip,
}

/// Serves until a signal to stop. An error is one line that says why the server could not start.
pub async fn serve(source: &Source, migrations: Migrations) -> Result<(), String> {
    let config = config::serve(source).map_err(|error| error.to_string())?;
    let database = config::database(source).map_err(|error| error.to_string())?;
    let peppers = peppers(&config::peppers(source).map_err(|error| error.to_string())?);
    let issuing = config::issuing(source).map_err(|error| error.to_string())?;
    let asset_paths = assets::find(&config.site_root)?;

    let notifications = config::notifications::read(source).map_err(|error| error.to_string())?;
    if config.env == AppEnv::Production {
        warn_of_plain_connections(&database, &notifications);
    }

    let listening = changes::listening_pool(database.clone());
    let hashing = config::hashing(source).map_err(|error| error.to_string())?;
    if !notifications.allowed_networks.is_empty() {
        tracing::warn!("WEBHOOK_ALLOWED_NETWORKS lets webhooks call addresses that are not public");
    }
    let services = Services::new(Dependencies {
        key_hashing: key_hash_pool(hashing),
        delivery_targets: DeliveryTargets::new(notifications.allowed_networks.clone()),
        ..dependencies(pool(database), Some(Arc::clone(&peppers)), issuing)
    });
    let delivery_worker = DeliveryWorker::new(services.notifications.clone(), &notifications)?;
    if migrations == Migrations::Run {
        migrate(services.pool()).await?;
    }
    report_uncovered_keys(&services, &peppers).await;

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
        services.clone(),
        peppers,
        site,
        leptos_options(&config.site_root, address),
        config.outage,
    );

    let (stop, stopping) = watch::channel(false);
    let background = [
        jobs::spawn_listener(Arc::clone(&state.guard), listening, stopping.clone()),
        jobs::spawn_usage_flush(
            Arc::clone(&state.guard),
            services.pool().clone(),
            stopping.clone(),
        ),
        jobs::spawn_first_uses(
            Arc::clone(&state.guard),
            services.pool().clone(),
            stopping.clone(),
        ),
        jobs::spawn_sweep(services.clone(), stopping.clone()),
        jobs::spawn_checkpoints(services.audit.clone(), stopping.clone()),
        jobs::spawn_denied_actions(services.audit.clone(), stopping.clone()),
        jobs::spawn_deliveries(delivery_worker, services.clone(), stopping.clone()),
        jobs::spawn_scheduled_notifications(services.notifications.clone(), stopping.clone()),
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
    services.pool().close().await;
    tracing::info!("stopped");
    outcome
}

fn warn_of_plain_connections(database: &PgConnectOptions, notifications: &NotificationConfig) {
    if plain::database_is_exposed(database) {
        tracing::warn!(
            "DATABASE_URL goes over a network without checking whom it meets there: sslmode=verify-full does"
        );
    }
    if plain::mail_is_exposed(notifications) {
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
        // Another development server listens there.
        Err(reason) if config.env == AppEnv::Development => {
            tracing::warn!("{reason}; metrics are not served");
            Ok(None)
        }
        Err(reason) => Err(reason),
    }
}

/// Waits for a signal to stop. From then on the instance is not ready; after `delay`, in which load
/// balancers can notice, it accepts no more connections.
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

/// Serves until the stop signal, then waits for requests in flight.
async fn answer(
    listener: TcpListener,
    service: HttpService,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), String> {
    let mut stop = stopping.clone();
    let server = connections::serve(listener, service, Limits::default(), async move {
        let _ = stop.wait_for(|stop| *stop).await;
    });
    let too_long = async {
        let _ = stopping.wait_for(|stop| *stop).await;
        tokio::time::sleep(DRAIN_TIMEOUT).await;
    };
    tokio::select! {
        ended = server => ended.map_err(|error| format!("connections can't be served: {error}")),
        () = too_long => {
            tracing::warn!("some requests did not end in time and are aborted");
            Ok(())
        }
    }
}

/// Migrates the schema. An error is one line.
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

/// Logs how many live keys no known pepper covers; they would all be refused.
async fn report_uncovered_keys(services: &Services, peppers: &Peppers) {
    let known: Vec<Vec<u8>> = peppers
        .all()
        .map(|pepper| pepper.fingerprint().to_vec())
        .collect();
    let counted = async {
        let mut connection = services.pool().acquire().await?;
        guard_rows::count_uncovered(&mut connection, &known, services.now()).await
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

/// Options of Leptos, set here so that a deployed binary needs no `Cargo.toml`.
fn leptos_options(site_root: &Path, address: SocketAddr) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name(OUTPUT_NAME)
        .site_root(site_root.to_string_lossy().into_owned())
        .site_pkg_dir(PKG_DIR)
        .site_addr(address)
        .reload_port(3001_u32)
        .build()
}
