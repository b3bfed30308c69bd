//! A server at full load for twenty minutes: it answers everything as it should, gets no slower, and
//! keeps no memory and no file descriptor that it did not keep before.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::client::Client;
use crate::measure::{micros, millis, open_files, percentile, resident};
use crate::setup::{self, ISSUE, KEYS, MIGRATOR, QUIET, StopAtLast, VERIFY};
use crate::support::TestApp;
use crate::support::process::Server;

const PARTNERS: usize = 10;
const KEYS_EACH: usize = 20;
const VERIFIERS: usize = 4;
const WINDOWS: u32 = 20;
const SECONDS: u64 = 1200;
/// Time within which a revoked key is refused.
const OBEYED_WITHIN: Duration = Duration::from_secs(1);
/// Unexpected answers that are described; the rest is counted.
const MOST_TOLD: usize = 10;
/// What the memory may grow by beside a tenth. The keys that the manager makes go on being remembered,
/// some 400 bytes each, up to 262,144 of them.
const SPARE_KIB: u64 = 8 * 1024;
const SPARE_FILES: usize = 8;

#[sqlx::test(migrator = "MIGRATOR")]
async fn soak(pool: PgPool) {
    let app = setup::app(pool);
    let keys = Keys::make(&app).await;
    let server = Server::start_apart(&app.pool, &[QUIET]);
    let load = Load::new(&server, keys);
    let windows = thread::scope(|threads| {
        let _at_last = StopAtLast(&load.is_over);
        for verifier in 0..VERIFIERS {
            let load = &load;
            threads.spawn(move || load.verify(verifier));
        }
        threads.spawn(|| load.list());
        threads.spawn(|| load.manage());
        load.watch(server.id(), length())
    });
    println!(
        "{} lists, {} lives of a key",
        load.lists.load(Ordering::Relaxed),
        load.lives.load(Ordering::Relaxed)
    );
    load.faults.assert_none();
    judge(&windows);
}

fn length() -> Duration {
    let seconds = std::env::var("SOAK_SECONDS").map(|text| text.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(SECONDS))
}

/// The second quarter is what the server is like when it is warm; the last must not be worse.
fn judge(windows: &[Window]) {
    let quarter = windows.len() / 4;
    let warm = &windows[quarter..2 * quarter];
    let last = &windows[3 * quarter..];
    assert!(
        windows.iter().all(|window| window.count > 0),
        "nothing was answered in a window"
    );
    let memory = |part: &[Window]| part.iter().map(|window| window.resident).max().unwrap();
    let files = |part: &[Window]| part.iter().map(|window| window.files).max().unwrap();
    let (before, after) = (memory(warm), memory(last));
    assert!(
        after <= before + before / 10 + SPARE_KIB,
        "memory grows: from {before} to {after} KiB"
    );
    let (before, after) = (files(warm), files(last));
    assert!(
        after <= before + SPARE_FILES,
        "open files grow: from {before} to {after}"
    );
    let (before, after) = (median_p99(warm), median_p99(last));
    assert!(
        after <= before.saturating_mul(2),
        "checks get slower: from {before} to {after} µs"
    );
}

fn median_p99(windows: &[Window]) -> u32 {
    let mut times: Vec<u32> = windows.iter().map(|window| window.p99).collect();
    percentile(&mut times, 50)
}

/// The keys that are used.
struct Keys {
    admin: String,
    tokens: Vec<String>,
    partners: Vec<String>,
}

impl Keys {
    async fn make(app: &TestApp) -> Self {
        let mut keys = Self {
            admin: app.admin().await,
            tokens: Vec::new(),
            partners: Vec::new(),
        };
        for number in 0..PARTNERS {
            let partner = app.partner(&format!("Partner {number}")).await;
            for _ in 0..KEYS_EACH {
                keys.tokens
                    .push(app.key(&partner, &["assets:read"]).await.token.to_string());
            }
            keys.partners.push(partner.partner_id.to_string());
        }
        setup::lift_rates(app).await;
        keys
    }
}

/// A twentieth of the time.
struct Window {
    count: usize,
    p50: u32,
    p99: u32,
    resident: u64,
    files: usize,
}

struct Load {
    address: String,
    keys: Keys,
    is_over: AtomicBool,
    /// Per verifier, since the last window, so that verifiers don't contend for one list.
    times: [Mutex<Vec<u32>>; VERIFIERS],
    lists: AtomicU64,
    lives: AtomicU64,
    faults: Faults,
}

/// A request: its method, path, token and body.
type Request<'a> = (&'a str, &'a str, &'a str, &'a str);

impl Load {
    fn new(server: &Server, keys: Keys) -> Self {
        Self {
            address: server.address.clone(),
            keys,
            is_over: AtomicBool::new(false),
            times: Default::default(),
            lists: AtomicU64::new(0),
            lives: AtomicU64::new(0),
            faults: Faults::default(),
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Measures window after window, and shows each when it is over.
    fn watch(&self, server: u32, length: Duration) -> Vec<Window> {
        println!("| window | checks | p50 ms | p99 ms | VmRSS MiB | open files |");
        println!("| --- | --- | --- | --- | --- | --- |");
        let begun = Instant::now();
        (1..=WINDOWS)
            .map(|number| {
                let end = length * number / WINDOWS;
                thread::sleep(end.saturating_sub(begun.elapsed()));
                let window = self.window(server);
                println!(
                    "| {number} | {} | {:.2} | {:.2} | {:.1} | {} |",
                    window.count,
                    millis(window.p50),
                    millis(window.p99),
                    window.resident as f64 / 1024.0,
                    window.files
                );
                window
            })
            .collect()
    }

    fn window(&self, server: u32) -> Window {
        let mut times: Vec<u32> = Vec::new();
        for own in &self.times {
            times.append(&mut own.lock().unwrap());
        }
        Window {
            count: times.len(),
            p50: percentile(&mut times, 50),
            p99: percentile(&mut times, 99),
            resident: resident(server),
            files: open_files(server),
        }
    }

    fn verify(&self, verifier: usize) {
        let mut client = Client::new(&self.address);
        let tokens = &self.keys.tokens;
        let first = verifier * tokens.len() / VERIFIERS;
        for token in tokens.iter().cycle().skip(first) {
            if self.is_over() {
                return;
            }
            let begun = Instant::now();
            let is_answered = self.expect(&mut client, ("GET", VERIFY, token, ""), 200);
            let took = micros(begun.elapsed());
            if is_answered.is_some() {
                self.times[verifier].lock().unwrap().push(took);
            }
        }
    }

    fn list(&self) {
        let mut client = Client::new(&self.address);
        for partner in self.keys.partners.iter().cycle() {
            for path in [
                format!("{KEYS}?limit=50"),
                format!("{KEYS}?limit=50&partnerId={partner}"),
                format!("{KEYS}?limit=50&q=mpk_0"),
                format!("{KEYS}?limit=50&q=Partner"),
                "/api/admin/partners?limit=50".to_owned(),
            ] {
                if self.is_over() {
                    return;
                }
                self.expect(&mut client, ("GET", &path, &self.keys.admin, ""), 200);
                self.lists.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn manage(&self) {
        let mut client = Client::new(&self.address);
        for partner in self.keys.partners.iter().cycle() {
            if self.is_over() {
                return;
            }
            if self.live(&mut client, partner).is_some() {
                self.lives.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// The life of a key: issued, used, rotated at once, and the successor revoked.
    fn live(&self, client: &mut Client, partner: &str) -> Option<()> {
        let admin = &self.keys.admin;
        let order = json!({"partnerId": partner, "scopes": ["assets:read"]}).to_string();
        let issued = self.expect(client, ("POST", ISSUE, admin, &order), 201)?;
        let (key_id, old) = key_of(&issued);
        self.expect(client, ("GET", VERIFY, &old, ""), 200)?;

        let path = format!("{KEYS}/{key_id}/rotate");
        let rotated = self.expect(client, ("POST", &path, admin, r#"{"graceSeconds":0}"#), 201)?;
        let (key_id, new) = key_of(&rotated);
        self.refused_soon(client, &old)?;
        self.expect(client, ("GET", VERIFY, &new, ""), 200)?;

        let path = format!("{KEYS}/{key_id}/revoke");
        self.expect(client, ("POST", &path, admin, "{}"), 200)?;
        self.refused_soon(client, &new)
    }

    /// Waits for a key that was ended to be refused.
    fn refused_soon(&self, client: &mut Client, token: &str) -> Option<()> {
        let begun = Instant::now();
        loop {
            match client.call("GET", VERIFY, token, "") {
                Ok((401, ..)) => return Some(()),
                Ok((200, ..)) if begun.elapsed() <= OBEYED_WITHIN => {}
                other => {
                    self.faults.note(format!("a key that was ended: {other:?}"));
                    return None;
                }
            }
            // Less often than its rate allows.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The body of the answer that is expected; any other one is noted.
    fn expect(&self, client: &mut Client, request: Request<'_>, status: u16) -> Option<String> {
        let (method, path, token, body) = request;
        match client.call(method, path, token, body) {
            Ok((found, body, _)) if found == status => Some(body),
            other => {
                self.faults.note(format!("{method} {path}: {other:?}"));
                None
            }
        }
    }
}

/// The id and the token in an answer.
fn key_of(answer: &str) -> (String, String) {
    let answer: Value = serde_json::from_str(answer).unwrap();
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    (text("keyId"), text("token"))
}

/// Unexpected answers.
#[derive(Default)]
struct Faults {
    count: AtomicU64,
    told: Mutex<Vec<String>>,
}

impl Faults {
    fn note(&self, what: String) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mut told = self.told.lock().unwrap();
        if told.len() < MOST_TOLD {
            told.push(what);
        }
        drop(told);
        // A server that is gone is asked no more often than this.
        thread::sleep(Duration::from_millis(10));
    }

    fn assert_none(&self) {
        let count = self.count.load(Ordering::Relaxed);
        let told = self.told.lock().unwrap();
        assert_eq!(
            count,
            0,
            "unexpected answers, the first of them:\n{}",
            told.join("\n")
        );
    }
}
