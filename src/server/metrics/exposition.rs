//! The metrics as Prometheus reads them (OpenMetrics 1.0), with names by its conventions: base units,
//! `_total` for what only grows.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::snapshot::Snapshot;
use super::traffic::BOUNDS;
use crate::server::auth::verdicts::Verdict;

/// The media type of the text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Writes what was read.
///
/// # Errors
/// The library's.
pub fn text(snapshot: Snapshot) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let out = &mut encoder;
        self.requests(out)?;
        self.verification(out)?;
        self.hashing(out)?;
        self.database(out)?;
        self.process(out)
    }
}

impl Snapshot {
    fn requests(&self, out: &mut DescriptorEncoder) -> fmt::Result {
        let about = "Requests that were answered, by part of the service and status";
        let mut requests =
            out.encode_descriptor("http_requests", about, None, MetricType::Counter)?;
        for (surface, status, count) in self.shared.traffic.statuses() {
            let labels = [
                ("surface", surface.as_str().to_owned()),
                ("status", status.to_string()),
            ];
            counter(&mut requests, &labels, count)?;
        }
        let about = "How long requests took to be answered";
        let name = "http_request_duration_seconds";
        let mut took = out.encode_descriptor(name, about, None, MetricType::Histogram)?;
        for (surface, durations) in self.shared.traffic.durations() {
            let bounds = BOUNDS.into_iter().chain([f64::INFINITY]);
            let buckets: Vec<(f64, u64)> = bounds.zip(durations.counts).collect();
            let count = durations.counts.iter().sum();
            let labels = [("surface", surface.as_str())];
            took.encode_family(&labels)?
                .encode_histogram::<[(&str, &str); 0]>(durations.sum, count, &buckets, None)?;
        }
        Ok(())
    }

    fn verification(&self, out: &mut DescriptorEncoder) -> fmt::Result {
        let about = "Tokens that were judged, by verdict";
        let mut verdicts =
            out.encode_descriptor("apikey_verdicts", about, None, MetricType::Counter)?;
        for (verdict, count) in self.shared.guard.verdicts().read() {
            let label = match verdict {
                Verdict::Accepted => "accepted",
                Verdict::RateLimited => "rate_limited",
                Verdict::Unavailable => "unavailable",
                Verdict::Refused(reason) => reason.into_str(),
            };
            counter(&mut verdicts, &[("verdict", label)], count)?;
        }
        let cached = self.shared.guard.cached_keys();
        gauge(
            out,
            "apikey_cache_keys",
            "Keys that this process remembers",
            cached,
        )?;
        let live = u64::from(self.shared.guard.link().is_live());
        let about = "1 while this process would hear of a change to a key, else 0: then each request reads its row";
        gauge(out, "apikey_listener_live", about, live)
    }

    fn hashing(&self, out: &mut DescriptorEncoder) -> fmt::Result {
        let pools = [
            ("keys", self.shared.services.key_hashing().load()),
            ("passwords", self.shared.services.password_hashing().load()),
        ];
        let about = "Runs of Argon2id that are under way or wait";
        let mut admitted = out.encode_descriptor("argon2_runs", about, None, MetricType::Gauge)?;
        for (pool, load) in &pools {
            admitted
                .encode_family(&[("pool", *pool)])?
                .encode_gauge(&load.admitted)?;
        }
        let about =
            "Runs of Argon2id that may be under way and wait at once: further ones are refused";
        let mut most =
            out.encode_descriptor("argon2_runs_limit", about, None, MetricType::Gauge)?;
        for (pool, load) in &pools {
            most.encode_family(&[("pool", *pool)])?
                .encode_gauge(&load.most)?;
        }
        let about = "Runs of Argon2id that were refused because the queue was full";
        let mut refused =
            out.encode_descriptor("argon2_runs_refused", about, None, MetricType::Counter)?;
        for (pool, load) in &pools {
            counter(&mut refused, &[("pool", *pool)], load.refused)?;
        }
        Ok(())
    }

    fn database(&self, out: &mut DescriptorEncoder) -> fmt::Result {
        let pool = self.shared.services.pool();
        let idle = pool.num_idle() as u64;
        let open = u64::from(pool.size());
        let about = "Connections to the database that are open";
        gauge(out, "database_connections", about, open)?;
        gauge(
            out,
            "database_connections_idle",
            "Those that nobody uses",
            idle,
        )?;
        let most = u64::from(pool.options().get_max_connections());
        gauge(
            out,
            "database_connections_limit",
            "How many may be open",
            most,
        )?;
        let up = u64::from(self.outbox.is_some());
        gauge(
            out,
            "database_up",
            "Whether the database answered this reading in time",
            up,
        )?;
        let Some(outbox) = &self.outbox else {
            return Ok(());
        };
        let about = "Notices that wait to be handed out";
        gauge(out, "notices_waiting", about, outbox.notices)?;
        let about = "How long the oldest notice has waited to be handed out";
        gauge(out, "notices_lag_seconds", about, outbox.notices_lag)?;
        let about = "Deliveries of notices that have not succeeded yet and are not given up";
        gauge(out, "deliveries_pending", about, outbox.deliveries)?;
        let about = "How long the delivery that is due for longest has been due";
        gauge(out, "deliveries_lag_seconds", about, outbox.deliveries_lag)
    }

    fn process(&self, out: &mut DescriptorEncoder) -> fmt::Result {
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        let mut build = out.encode_descriptor("build", "This program", None, MetricType::Info)?;
        build.encode_info(&version)?;
        let Some(process) = &self.process else {
            return Ok(());
        };
        let about = "Memory that is resident";
        gauge(
            out,
            "process_resident_memory_bytes",
            about,
            process.resident_bytes,
        )?;
        gauge(
            out,
            "process_open_fds",
            "File descriptors that are open",
            process.open_fds,
        )?;
        gauge(out, "process_threads", "Threads", process.threads)
    }
}

fn counter(metric: &mut MetricEncoder, labels: &impl EncodeLabelSet, count: u64) -> fmt::Result {
    metric
        .encode_family(labels)?
        .encode_counter::<[(&str, &str); 0], _, u64>(&count, None)
}

fn gauge(out: &mut DescriptorEncoder, name: &str, about: &str, value: u64) -> fmt::Result {
    out.encode_descriptor(name, about, None, MetricType::Gauge)?
        .encode_gauge(&value)
}
