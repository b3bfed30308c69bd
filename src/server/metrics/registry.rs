//! All metrics by name (<https://prometheus.io/docs/practices/naming/>).
//!
//! Counters and histograms live as long as the process. Gauges are read when Prometheus asks, so each
//! scrape has a registry of its own; a gauge that can't be read is left out.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::process::Process;
use crate::server::service::notifications::Backlog;
use crate::server::state::AppState;

/// `backlog` is `None` while the database does not answer.
pub fn collect(state: &AppState, backlog: Option<Backlog>) -> Registry {
    let mut registry = Registry::default();
    requests(&mut registry, state);
    verification(&mut registry, state);
    hashing(&mut registry, state);
    database(&mut registry, state, backlog.is_some());
    if let Some(backlog) = backlog {
        notifications(&mut registry, &backlog);
    }
    process(&mut registry);
    registry
}

fn requests(registry: &mut Registry, state: &AppState) {
    registry.register(
        "http_requests",
        "Answered requests by surface and status",
        state.request_metrics.answers.clone(),
    );
    registry.register(
        "http_request_duration_seconds",
        "Time from a request's head to its answer",
        state.request_metrics.durations.clone(),
    );
}

fn verification(registry: &mut Registry, state: &AppState) {
    registry.register(
        "apikey_verifications",
        "Verified tokens by outcome",
        state.guard.decisions().family(),
    );
    gauge(
        registry,
        "apikey_cache_entries",
        "Keys in this process's cache",
        state.guard.cached_keys(),
    );
    gauge(
        registry,
        "apikey_listener_live",
        "1 while changes to keys are announced to this process; at 0 each request reads its row",
        state.guard.listener_health().is_live().into(),
    );
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabel {
    pool: &'static str,
}

fn hashing(registry: &mut Registry, state: &AppState) {
    let running = Family::<PoolLabel, Gauge>::default();
    let limit = Family::<PoolLabel, Gauge>::default();
    let rejected = Family::<PoolLabel, Counter>::default();
    for (pool, load) in [
        ("keys", state.services.key_hashing().load()),
        ("passwords", state.services.password_hashing().load()),
    ] {
        let label = PoolLabel { pool };
        let set = |family: &Family<PoolLabel, Gauge>, value: u64| {
            let value = i64::try_from(value).unwrap_or(i64::MAX);
            family.get_or_create(&label).set(value);
        };
        set(&running, load.admitted);
        set(&limit, load.max);
        rejected.get_or_create(&label).inc_by(load.refused);
    }
    registry.register(
        "argon2_runs_in_progress",
        "Running and queued runs of Argon2id",
        running,
    );
    registry.register(
        "argon2_runs_limit",
        "Maximum of running and queued runs of Argon2id",
        limit,
    );
    registry.register(
        "argon2_runs_rejected",
        "Runs of Argon2id rejected because the queue was full",
        rejected,
    );
}

fn database(registry: &mut Registry, state: &AppState, is_up: bool) {
    let pool = state.services.pool();
    gauge(
        registry,
        "database_connections",
        "Open database connections",
        pool.size().into(),
    );
    gauge(
        registry,
        "database_connections_idle",
        "Idle database connections",
        pool.num_idle() as u64,
    );
    gauge(
        registry,
        "database_connections_limit",
        "Maximum of open database connections",
        pool.options().get_max_connections().into(),
    );
    gauge(
        registry,
        "database_up",
        "1 if the database answered this scrape in time",
        is_up.into(),
    );
}

fn notifications(registry: &mut Registry, backlog: &Backlog) {
    gauge(
        registry,
        "notifications_pending",
        "Notifications waiting to be distributed to their targets",
        backlog.notices,
    );
    gauge(
        registry,
        "notifications_lag_seconds",
        "Age of the oldest pending notification",
        backlog.notices_lag,
    );
    gauge(
        registry,
        "notification_deliveries_pending",
        "Deliveries that have neither succeeded nor been given up",
        backlog.deliveries,
    );
    gauge(
        registry,
        "notification_deliveries_lag_seconds",
        "Time since the longest overdue delivery was due",
        backlog.deliveries_lag,
    );
}

fn process(registry: &mut Registry) {
    registry.register(
        "myproof_registry_build",
        "The version of this server",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
    let Some(process) = Process::read() else {
        return;
    };
    gauge(
        registry,
        "process_resident_memory_bytes",
        "Resident memory",
        process.resident_bytes,
    );
    gauge(
        registry,
        "process_open_fds",
        "Open file descriptors",
        process.open_fds,
    );
    gauge(registry, "process_threads", "Threads", process.threads);
}

fn gauge(registry: &mut Registry, name: &str, help: &str, value: u64) {
    registry.register(name, help, ConstGauge::new(value));
}
