//! Ten thousand idle connections: other requests are answered, and they take
//! little memory.

use std::time::{Duration, Instant};

use sqlx::PgPool;

use crate::client::Client;
use crate::measure::{micros, millis, most_open_files, open_files, percentile, resident};
use crate::setup::{self, MIGRATOR, QUIET, VERIFY};
use crate::support::process::Server;

const CONNECTIONS: usize = 10_000;
/// Connections opened between two progress reports.
const BATCH: usize = 1_000;
const CHECKS: usize = 500;
/// What is open beside the connections, here and in the server.
const OTHER_FILES: u64 = 500;
/// How long the server keeps a connection on which nothing happens: the test has to end before that.
const KEPT: Duration = Duration::from_secs(30);

#[sqlx::test(migrator = "MIGRATOR")]
async fn idle(pool: PgPool) {
    let most = most_open_files();
    let wanted = CONNECTIONS as u64 + OTHER_FILES;
    assert!(
        most > wanted,
        "a process may have {most} files open here, and this needs more than {wanted}: raise it with `ulimit -n`"
    );
    let app = setup::app(pool);
    let acme = app.partner("Acme").await;
    let token = app.key(&acme, &["assets:read"]).await.token;
    setup::lift_rates(&app).await;
    let server = Server::start_apart(&app.pool, &[QUIET]);
    // What the first answers of all take is not the connections'.
    checks_over_new_connections(&server.address, &token);

    let before = resident(server.id());
    let begun = Instant::now();
    let connections = open(&server.address, begun);
    let after = resident(server.id());
    let mut times = checks_over_new_connections(&server.address, &token);
    let held = open_files(server.id());
    assert!(
        held >= connections.len(),
        "of {} connections no more than {held} are open after {:?}; the server keeps idle ones for {KEPT:?}",
        connections.len(),
        begun.elapsed()
    );
    println!(
        "memory: {:.1} MiB before, {:.1} MiB with {CONNECTIONS} idle connections, {:.1} KiB each",
        before as f64 / 1024.0,
        after as f64 / 1024.0,
        after.saturating_sub(before) as f64 / CONNECTIONS as f64
    );
    println!(
        "{CHECKS} checks over new connections beside them: p99 {:.2} ms",
        millis(percentile(&mut times, 99))
    );
}

/// Opens the connections; each is answered once.
fn open(address: &str, begun: Instant) -> Vec<Client> {
    let mut connections = Vec::with_capacity(CONNECTIONS);
    while connections.len() < CONNECTIONS {
        for _ in 0..BATCH {
            let mut client = Client::new(address);
            let (status, body, _) = client.call("GET", "/healthz", "", "").unwrap();
            assert_eq!(status, 200, "{body}");
            connections.push(client);
        }
        println!(
            "{} connections after {:.1} s",
            connections.len(),
            begun.elapsed().as_secs_f64()
        );
    }
    connections
}

/// How long each check took, its connection included.
fn checks_over_new_connections(address: &str, token: &str) -> Vec<u32> {
    (0..CHECKS)
        .map(|_| {
            let begun = Instant::now();
            let answer = Client::new(address).call("GET", VERIFY, token, "");
            let took = micros(begun.elapsed());
            let (status, body, _) = answer.unwrap();
            assert_eq!(status, 200, "{body}");
            took
        })
        .collect()
}
