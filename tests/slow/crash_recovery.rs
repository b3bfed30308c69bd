//! Crash recovery of a server, killed (SIGKILL) two hundred times during writes: what it has
//! acknowledged is done, what it has not is done or not, and the audit log says which.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::client::Client;
use crate::setup::{self, ISSUE, KEYS, MIGRATOR, QUIET};
use crate::support::TestApp;
use crate::support::process::Server;

const ROUNDS: usize = 200;
/// Concurrent writers.
const MANAGERS: usize = 2;
/// A generous limit for noisy machines; not a measurement.
const PATIENCE: Duration = Duration::from_secs(20);

#[sqlx::test(migrator = "MIGRATOR")]
async fn server_kills(pool: PgPool) {
    let app = setup::app(pool);
    let admin = app.admin().await;
    let acme = app.partner("Acme").await;
    let order = json!({"partnerId": acme.partner_id, "scopes": ["assets:read"]}).to_string();
    let mut all = Acknowledged::default();
    for (round, pause) in Pauses(1).take(ROUNDS).enumerate() {
        let told = killed_after(pause, &app.pool, &admin, &order);
        wait_for_the_dead(&app).await;
        told.holds(&app, round).await;
        at_most_one_key_of_a_lineage_lives(&app, round).await;
        history_fits(&app, round).await;
        all.add(told);
    }
    println!(
        "{ROUNDS} kills; acknowledged: {} issued, {} rotated, {} revoked",
        all.issued.len(),
        all.rotated.len(),
        all.revoked.len()
    );
    let issued =
        "select count(*) from api_keys where rotated_from is null and created_by like 'key:%'";
    println!(
        "issued without a word of it: {}",
        app.count(issued).await - i64::try_from(all.issued.len()).unwrap()
    );
    assert!(
        all.issued.len() >= ROUNDS && !all.rotated.is_empty() && !all.revoked.is_empty(),
        "the server was killed before it could do anything"
    );
    all.holds(&app, ROUNDS).await;
}

/// Times that look like chance, 20 to 300 ms, and are the same in every run.
struct Pauses(u64);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        Some(Duration::from_millis(20 + (self.0 >> 33) % 281))
    }
}

/// A server's life: what it had acknowledged when it was killed.
fn killed_after(pause: Duration, pool: &PgPool, admin: &str, order: &str) -> Acknowledged {
    let mut server = Server::start_with(pool, &[QUIET]);
    // The first use of a key takes longer than many a pause.
    assert_eq!(server.status(admin), 200);
    let address = server.address.clone();
    thread::scope(|threads| {
        let managers: Vec<_> = (0..MANAGERS)
            .map(|_| threads.spawn(|| give_orders(&address, admin, order)))
            .collect();
        thread::sleep(pause);
        server.kill();
        let mut all = Acknowledged::default();
        for manager in managers {
            all.add(manager.join().unwrap());
        }
        all
    })
}

/// Sends writes until the server is gone.
fn give_orders(address: &str, admin: &str, order: &str) -> Acknowledged {
    let mut client = Client::new(address);
    let mut told = Acknowledged::default();
    let mut give = |path: &str, body: &str| ordered(&mut client, admin, path, body);
    loop {
        let Some(key) = give(ISSUE, order) else {
            return told;
        };
        told.issued.push(key.clone());
        let path = format!("{KEYS}/{key}/rotate");
        let Some(successor) = give(&path, r#"{"graceSeconds":0}"#) else {
            return told;
        };
        told.rotated.push((key, successor.clone()));
        let path = format!("{KEYS}/{successor}/revoke");
        let Some(revoked) = give(&path, "{}") else {
            return told;
        };
        told.revoked.push(revoked);
    }
}

/// The key that an order was acknowledged with; `None` where the server is gone.
fn ordered(client: &mut Client, admin: &str, path: &str, body: &str) -> Option<String> {
    let (status, body, _) = client.call("POST", path, admin, body).ok()?;
    assert!((200..300).contains(&status), "{path}: {status} {body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    Some(body["keyId"].as_str().unwrap().to_owned())
}

/// The ids of the keys of orders whose answer was read to its end.
#[derive(Default)]
struct Acknowledged {
    issued: Vec<String>,
    /// The old one and its successor.
    rotated: Vec<(String, String)>,
    revoked: Vec<String>,
}

impl Acknowledged {
    fn add(&mut self, other: Self) {
        self.issued.extend(other.issued);
        self.rotated.extend(other.rotated);
        self.revoked.extend(other.revoked);
    }

    /// All of it is done.
    async fn holds(&self, app: &TestApp, round: usize) {
        let issued: i64 =
            sqlx::query_scalar("select count(*) from api_keys where key_id = any($1)")
                .bind(&self.issued)
                .fetch_one(&app.pool)
                .await
                .unwrap();
        assert_eq!(
            issued,
            count(&self.issued),
            "round {round}: a key that was acknowledged is lost"
        );

        let (old, new): (Vec<&str>, Vec<&str>) = self
            .rotated
            .iter()
            .map(|(old, new)| (old.as_str(), new.as_str()))
            .unzip();
        let rotated: i64 = sqlx::query_scalar(
            "select count(*)
               from unnest($1::text[], $2::text[]) as told (old, new)
               join api_keys old on old.key_id = told.old and old.revoked_at is not null
               join api_keys new on new.key_id = told.new and new.rotated_from = old.key_id",
        )
        .bind(old)
        .bind(new)
        .fetch_one(&app.pool)
        .await
        .unwrap();
        assert_eq!(
            rotated,
            count(&self.rotated),
            "round {round}: a rotation that was acknowledged is lost"
        );

        let revoked: i64 = sqlx::query_scalar(
            "select count(*) from api_keys where key_id = any($1) and revoked_at is not null",
        )
        .bind(&self.revoked)
        .fetch_one(&app.pool)
        .await
        .unwrap();
        assert_eq!(
            revoked,
            count(&self.revoked),
            "round {round}: a revocation that was acknowledged is lost"
        );
    }
}

fn count<T>(list: &[T]) -> i64 {
    i64::try_from(list.len()).unwrap()
}

/// Waits until the database has noticed: a commit that was under way may still come to its end.
async fn wait_for_the_dead(app: &TestApp) {
    let begun = Instant::now();
    let connections = "select count(*) from pg_stat_activity
                        where datname = current_database() and application_name like 'myproof-registry%'";
    while app.count(connections).await > 0 {
        assert!(begun.elapsed() < PATIENCE, "connections outlive the server");
        thread::sleep(Duration::from_millis(2));
    }
}

async fn at_most_one_key_of_a_lineage_lives(app: &TestApp, round: usize) {
    let doubled = "select count(*) from (
                       select from api_keys
                        where revoked_at is null and (retires_at is null or retires_at > now())
                        group by lineage having count(*) > 1) doubled";
    assert_eq!(app.count(doubled).await, 0, "round {round}");
}

/// Checks that the audit log is complete and has exactly one event for each change.
async fn history_fits(app: &TestApp, round: usize) {
    let report = app.services.audit.verify_chain(&[]).await.unwrap();
    assert_eq!(report.broken, None, "round {round}");
    for (events, rows) in [
        (
            "select count(*) from audit_events where action = 'key.issued'",
            "select count(*) from api_keys where rotated_from is null",
        ),
        (
            "select count(*) from audit_events where action = 'key.rotated'",
            "select count(*) from api_keys where rotated_from is not null",
        ),
        // A key that was rotated at once is superseded, which the rotation's event says.
        (
            "select count(*) from audit_events where action = 'key.revoked'",
            "select count(*) from api_keys where revoked_at is not null and revoked_reason <> 'superseded'",
        ),
    ] {
        assert_eq!(
            app.count(events).await,
            app.count(rows).await,
            "round {round}: {events}"
        );
    }
}
