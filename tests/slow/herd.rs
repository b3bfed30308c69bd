//! Five thousand keys that the server does not know yet, all at once, as after a restart under load:
//! each is accepted in the end, and those that it knows go on as if nothing was.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use myproof_registry::domain::key::IssuedKey;
use myproof_registry::domain::token::{CHECKSUM_DIGITS, KeyId, compose};
use sqlx::PgPool;

use crate::client::Client;
use crate::measure::{micros, millis, percentile};
use crate::setup::{self, MIGRATOR, QUIET, StopAtLast, VERIFY};
use crate::support::TestApp;
use crate::support::process::Server;

const COLD_KEYS: usize = 5_000;
const WARM_KEYS: usize = 10;
/// Concurrent clients with cold keys.
const HERD: usize = 128;
const WARM_PAUSE: Duration = Duration::from_millis(2);
/// After a refusal that names no time.
const RETRY_AFTER: Duration = Duration::from_millis(50);
const WARM_P99_MS: f64 = 100.0;

#[sqlx::test(migrator = "MIGRATOR")]
async fn herd(pool: PgPool) {
    let app = setup::app(pool);
    let acme = app.partner("Acme").await;
    let mut warm = Vec::new();
    for _ in 0..WARM_KEYS {
        warm.push(app.key(&acme, &["assets:read"]).await.token.to_string());
    }
    let pattern = app.key(&acme, &["assets:read"]).await;
    insert_like(&app, &pattern).await;
    setup::lift_rates(&app).await;
    let server = Server::start_apart(&app.pool, &[QUIET]);
    warm_up(&server.address, &warm);

    let herd = Herd {
        address: server.address.clone(),
        tokens: tokens_like(&pattern),
        next: AtomicUsize::new(0),
        told_to_wait: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    let begun = Instant::now();
    let (took, mut times) = thread::scope(|threads| {
        let _at_last = StopAtLast(&herd.is_over);
        let known = threads.spawn(|| herd.present_warm(&warm));
        let unknown: Vec<_> = (0..HERD)
            .map(|_| threads.spawn(|| herd.present_cold()))
            .collect();
        for thread in unknown {
            thread.join().unwrap();
        }
        let took = begun.elapsed();
        herd.is_over.store(true, Ordering::Relaxed);
        (took, known.join().unwrap())
    });
    let [p50, p99, most] = [50, 99, 100].map(|percent| millis(percentile(&mut times, percent)));
    println!(
        "{COLD_KEYS} cold keys were accepted in {:.1} s, after {} answers of 503",
        took.as_secs_f64(),
        herd.told_to_wait.load(Ordering::Relaxed)
    );
    println!(
        "{} checks of warm keys beside them: p50 {p50:.2} ms, p99 {p99:.2} ms, at most {most:.2} ms",
        times.len()
    );
    assert!(p99 <= WARM_P99_MS, "those that are known wait");
}

/// Many keys with the secret of one: what is stored of it is bound to no id.
async fn insert_like(app: &TestApp, pattern: &IssuedKey) {
    sqlx::query(
        "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by)
         select 'mpk_herd' || lpad(to_hex(number), 8, '0'), partner_id, scopes, secret_hash, check_tag,
                pepper_fingerprint, created_by
           from api_keys, generate_series(0, $2 - 1) as number where key_id = $1",
    )
    .bind(pattern.key_id.as_str())
    .bind(i32::try_from(COLD_KEYS).unwrap())
    .execute(&app.pool)
    .await
    .unwrap();
}

fn tokens_like(pattern: &IssuedKey) -> Vec<String> {
    let (_, secret) = pattern.token.split_once('.').unwrap();
    let hex = &secret[..secret.len() - CHECKSUM_DIGITS];
    let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
    (0..COLD_KEYS)
        .map(|number| {
            let key_id = KeyId::parse(&format!("mpk_herd{number:08x}")).unwrap();
            compose(&key_id, &bytes)
        })
        .collect()
}

/// Loads these keys into the server's cache and waits for its listener: only then are they verified from memory.
fn warm_up(address: &str, tokens: &[String]) {
    let mut client = Client::new(address);
    for _ in 0..2 {
        for token in tokens {
            let (status, body, _) = client.call("GET", VERIFY, token, "").unwrap();
            assert_eq!(status, 200, "{body}");
        }
        thread::sleep(Duration::from_secs(1));
    }
}

struct Herd {
    address: String,
    tokens: Vec<String>,
    next: AtomicUsize,
    told_to_wait: AtomicUsize,
    is_over: AtomicBool,
}

impl Herd {
    /// Presents cold keys, one after the other, each until it is accepted.
    fn present_cold(&self) {
        let mut client = Client::new(&self.address);
        while let Some(token) = self.tokens.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            while !self.is_accepted(&mut client, token) {}
        }
    }

    fn is_accepted(&self, client: &mut Client, token: &str) -> bool {
        let (status, body, retry_after) = client.call("GET", VERIFY, token, "").unwrap();
        match status {
            200 => true,
            503 => {
                self.told_to_wait.fetch_add(1, Ordering::Relaxed);
                let pause = retry_after.map(|seconds| Duration::from_secs(seconds.into()));
                thread::sleep(pause.unwrap_or(RETRY_AFTER));
                false
            }
            _ => panic!("a cold key: {status} {body}"),
        }
    }

    /// Presents warm keys as long as there are cold ones; how long each took.
    fn present_warm(&self, tokens: &[String]) -> Vec<u32> {
        let mut client = Client::new(&self.address);
        let mut times = Vec::new();
        for token in tokens.iter().cycle() {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let begun = Instant::now();
            let (status, body, _) = client.call("GET", VERIFY, token, "").unwrap();
            times.push(micros(begun.elapsed()));
            assert_eq!(status, 200, "a warm key was refused: {body}");
            thread::sleep(WARM_PAUSE);
        }
        times
    }
}
