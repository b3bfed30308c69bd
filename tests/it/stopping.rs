//! A server stopped under load: clients that respect readiness are never refused, and every committed write
//! was answered.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::support::process::{Server, database_url, program, try_call};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// Concurrent callers, each with its own connections.
const CALLERS: usize = 12;
/// A generous limit for noisy machines; not a measurement.
const PATIENCE: Duration = Duration::from_secs(15);
/// Duration of the load before the stop signal.
const BEFORE: Duration = Duration::from_millis(500);

/// Results of the callers.
#[derive(Debug, Default)]
struct Met {
    checked: usize,
    issued: i64,
    refused: Vec<u16>,
    broken: Vec<ErrorKind>,
}

impl Met {
    fn add(mut self, other: Self) -> Self {
        self.checked += other.checked;
        self.issued += other.issued;
        self.refused.extend(other.refused);
        self.broken.extend(other.broken);
        self
    }
}

/// Calls of one caller, a check and an order in turn, until the server is gone or `over`.
struct Caller<'a> {
    address: &'a str,
    admin: &'a str,
    order: &'a str,
    over: &'a AtomicBool,
}

impl Caller<'_> {
    fn calls(&self) -> Met {
        let mut met = Met::default();
        while !self.over.load(Ordering::Relaxed) {
            for (method, path, body) in [
                ("GET", "/api/auth/verify", ""),
                ("POST", "/api/admin/api-keys/issue", self.order),
            ] {
                match self.call(method, path, body) {
                    Ok(200) => met.checked += 1,
                    Ok(201) => met.issued += 1,
                    Ok(status) => met.refused.push(status),
                    Err(error) if error.kind() == ErrorKind::ConnectionRefused => return met,
                    Err(error) => met.broken.push(error.kind()),
                }
            }
        }
        met
    }

    fn call(&self, method: &str, path: &str, body: &str) -> io::Result<u16> {
        let headers = [
            ("X-API-Key", self.admin),
            ("Content-Type", "application/json"),
        ];
        try_call(self.address, method, path, &headers, body).map(|(status, _)| status)
    }
}

/// Stops a server under load; with `heed` the callers end when it says that it is not ready. Gives what they met
/// with, and how many keys there are for it.
async fn stopped_under_load(pool: &PgPool, delay: &str, heed: bool) -> (Met, i64) {
    let arguments = [
        "key",
        "issue",
        "--partner",
        "Staff",
        "--scope",
        "admin:*",
        "--rate",
        "10000",
    ];
    let output = program(&database_url(pool), &arguments).output().unwrap();
    let admin = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let partner: uuid::Uuid = sqlx::query_scalar("select partner_id from partners")
        .fetch_one(pool)
        .await
        .unwrap();
    let order = json!({"partnerId": partner, "scopes": ["assets:read"]}).to_string();
    let settings = [("SHUTDOWN_DELAY_SECONDS", delay), ("RUST_LOG", "info")];
    let mut server = Server::start_with(pool, &settings);
    let over = AtomicBool::new(false);
    let caller = Caller {
        address: &server.address.clone(),
        admin: &admin,
        order: &order,
        over: &over,
    };
    let met = std::thread::scope(|threads| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| threads.spawn(|| caller.calls()))
            .collect();
        std::thread::sleep(BEFORE);
        server.terminate();
        let told = Instant::now();
        while heed && caller.call("GET", "/readyz", "").unwrap() != 503 {
            assert!(told.elapsed() < PATIENCE, "it says that it is ready");
        }
        over.store(heed, Ordering::Relaxed);
        assert!(server.wait().success());
        assert!(told.elapsed() < PATIENCE, "it does not end");
        over.store(true, Ordering::Relaxed);
        callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .fold(Met::default(), Met::add)
    });
    let keys = sqlx::query_scalar("select count(*) from api_keys where created_by like 'key:%'");
    (met, keys.fetch_one(pool).await.unwrap())
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn clients_that_respect_readiness_are_never_refused(pool: PgPool) {
    let (met, keys) = stopped_under_load(&pool, "3", true).await;
    assert!(met.refused.is_empty() && met.broken.is_empty(), "{met:?}");
    assert!(met.checked > CALLERS && met.issued > 0, "{met:?}");
    assert_eq!(keys, met.issued);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_committed_write_is_answered_without_a_drain_delay(pool: PgPool) {
    let (met, keys) = stopped_under_load(&pool, "0", false).await;
    assert!(met.refused.iter().all(|status| *status == 503), "{met:?}");
    assert!(met.issued > 0, "{met:?}");
    // Requests on connections that were never accepted had no effect.
    assert_eq!(keys, met.issued, "{met:?}");
}
