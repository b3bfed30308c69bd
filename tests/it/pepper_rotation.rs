//! Pepper rotation on two instances under traffic: no request is refused.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::Duration;

use myproof_registry::server::crypto::pepper::Pepper;
use sqlx::PgPool;

use crate::support::PEPPER;
use crate::support::process::{Server, call, database_url, program};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const NEXT: &str = "canary-pepper-of-next-year-0123456789";

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_request_is_refused_while_a_pepper_is_replaced(pool: PgPool) {
    // By the binary, which shares the servers' clock.
    let tokens: Vec<String> = (0..6)
        .map(|_| {
            let issue = [
                "key",
                "issue",
                "--partner",
                "Acme",
                "--scope",
                "assets:read",
            ];
            let issued = program(&database_url(&pool), &issue).output().unwrap();
            String::from_utf8(issued.stdout).unwrap().trim().to_owned()
        })
        .collect();
    sqlx::query("update api_keys set rate_per_minute = 1000000")
        .execute(&pool)
        .await
        .unwrap();
    let now = [("APIKEY_PEPPER", PEPPER), ("RUST_LOG", "info")];
    let also = [
        ("APIKEY_PEPPER", PEPPER),
        ("APIKEY_PEPPER_RETIRED", NEXT),
        ("RUST_LOG", "info"),
    ];
    let next = [
        ("APIKEY_PEPPER", NEXT),
        ("APIKEY_PEPPER_RETIRED", PEPPER),
        ("RUST_LOG", "info"),
    ];
    let mut servers = [
        Server::start_with(&pool, &now),
        Server::start_with(&pool, &now),
    ];
    // Where the balancer sends requests.
    let up: Arc<RwLock<Vec<String>>> = Arc::new(RwLock::new(
        servers
            .iter()
            .map(|server| server.address.clone())
            .collect(),
    ));
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicU64::new(0));
    let traffic: Vec<_> = (0..3)
        .map(|part| {
            let (up, stop, asked, tokens) = (
                Arc::clone(&up),
                Arc::clone(&stop),
                Arc::clone(&asked),
                tokens.clone(),
            );
            thread::spawn(move || {
                let mut n = part;
                while !stop.load(Ordering::Relaxed) {
                    n += 1;
                    // Held while it asks: who is taken out of it has answered.
                    let up = up.read().unwrap();
                    let address = &up[n % up.len()];
                    let key = [("X-API-Key", tokens[n % tokens.len()].as_str())];
                    let (status, answer) = call(address, "GET", "/api/key", &key, "");
                    assert_eq!(status, 200, "{answer}");
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for settings in [&also, &next] {
        for n in 0..servers.len() {
            let fresh = Server::start_with(&pool, settings);
            *up.write().unwrap() = vec![fresh.address.clone()];
            let mut old = std::mem::replace(&mut servers[n], fresh);
            old.terminate();
            assert!(old.wait().success());
            // Half of the time both answer, one of this kind and one of the other.
            let both = servers
                .iter()
                .map(|server| server.address.clone())
                .collect();
            *up.write().unwrap() = both;
            let before = asked.load(Ordering::Relaxed);
            while asked.load(Ordering::Relaxed) < before + 40 {
                assert!(
                    traffic.iter().all(|part| !part.is_finished()),
                    "a request was refused"
                );
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    for part in traffic {
        part.join().unwrap();
    }
    // What was used meanwhile is under the new pepper, and needs the old one no more.
    let moved: i64 = sqlx::query_scalar(
        "select count(*) from api_keys where pepper_fingerprint = $1 and scopes = '{assets:read}'",
    )
    .bind(&Pepper::new(NEXT).fingerprint()[..])
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(moved, 6);
    let alone = [("APIKEY_PEPPER", NEXT), ("RUST_LOG", "info")];
    let last = Server::start_with(&pool, &alone);
    for token in &tokens {
        assert_eq!(last.status(token), 200);
    }
}
