//! Cache invalidation in every running instance: two instances on one database, each with its own
//! listener, and every way of changing a key.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::FutureExt;
use myproof_registry::domain::error::{AppError, AuthReason};
use myproof_registry::domain::key::IssuedKey;
use myproof_registry::domain::operator::Role;
use myproof_registry::server::jobs;
use myproof_registry::server::store::changes;
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::support::{Setting, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// An instance whose listener runs.
struct Instance {
    app: TestApp,
    stop: watch::Sender<bool>,
    listener: JoinHandle<()>,
}

impl Instance {
    async fn start(pool: &PgPool, seed: u64, outage: Duration) -> Self {
        let app = TestApp::with(
            pool.clone(),
            Setting {
                seed,
                outage,
                ..Setting::default()
            },
        );
        let (stop, stopping) = watch::channel(false);
        let listening = changes::listening_pool((*pool.connect_options()).clone());
        let listener = jobs::spawn_listener(Arc::clone(&app.state.guard), listening, stopping);
        let instance = Self {
            app,
            stop,
            listener,
        };
        instance.live().await;
        instance
    }

    async fn live(&self) {
        eventually(async || self.app.state.guard.listener_health().is_live()).await;
    }

    async fn status(&self, key: &IssuedKey) -> u16 {
        self.app.get("/api/key", &key.token).await.status.as_u16()
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        self.listener.await.unwrap();
    }
}

/// Waits for a condition that is met in well under a second.
async fn eventually(happened: impl AsyncFn() -> bool) {
    let begun = Instant::now();
    while !happened().await {
        assert!(begun.elapsed() < Duration::from_secs(5), "it never happens");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn two(pool: &PgPool) -> (Instance, Instance) {
    (
        Instance::start(pool, 11, Duration::ZERO).await,
        Instance::start(pool, 12, Duration::ZERO).await,
    )
}

/// Makes the listeners' connections end, as an administrator would.
async fn cut_listeners(pool: &PgPool) {
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'myproof-registry-listener' and datname = current_database()",
    )
    .execute(pool)
    .await
    .unwrap();
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn cached_keys_need_no_database_and_changes_reach_every_instance(pool: PgPool) {
    let (a, b) = two(&pool).await;
    let partner = a.app.partner("Acme").await;
    let admin = a.app.admin().await;
    let cookie = a.app.signed_in("ops@example.com", Role::Admin).await;
    let key = async || a.app.key(&partner, &["assets:read"]).await;
    let warm = async |key: &IssuedKey| {
        for instance in [&a, &b] {
            assert_eq!(instance.status(key).await, 200);
            assert_eq!(instance.status(key).await, 200);
        }
    };
    let refused = async |key: &IssuedKey| {
        eventually(async || a.status(key).await == 401 && b.status(key).await == 401).await;
    };

    // By REST, by the console, by plain SQL on either side.
    let one = key().await;
    warm(&one).await;
    let path = format!("/api/admin/api-keys/{}/revoke", one.key_id);
    a.app.post(&path, &admin, json!({})).await.ok(200);
    refused(&one).await;

    let two = key().await;
    warm(&two).await;
    let body = json!({"key_id": two.key_id, "input": {}});
    a.app.rpc("keys/revoke", Some(&cookie), body).await;
    refused(&two).await;

    for change in [
        "update api_keys set revoked_at = now() where key_id = $1",
        "update api_keys set not_after = '2027-01-15T11:59:59Z' where key_id = $1",
        "update api_keys set retires_at = '2027-01-15T11:59:59Z' where key_id = $1",
        "update api_keys set secret_hash = '$argon2id$v=19$none' where key_id = $1",
        "update api_keys set check_tag = '\\x00000000' where key_id = $1",
    ] {
        let key = key().await;
        warm(&key).await;
        a.app.sql(change, key.key_id.as_str()).await;
        refused(&key).await;
    }

    // Rotation at once, and the successor is known where its id was looked up in vain before.
    let old = key().await;
    warm(&old).await;
    let path = format!("/api/admin/api-keys/{}/rotate", old.key_id);
    a.app.post(&path, &admin, json!({})).await.ok(201);
    refused(&old).await;

    // A deactivated partner, and back.
    let three = key().await;
    warm(&three).await;
    let path = format!("/api/admin/partners/{}", partner.partner_id);
    a.app
        .patch(&path, &admin, json!({"active": false}))
        .await
        .ok(200);
    refused(&three).await;
    a.app
        .patch(&path, &admin, json!({"active": true}))
        .await
        .ok(200);
    eventually(async || a.status(&three).await == 200 && b.status(&three).await == 200).await;

    // Scopes and rate.
    warm(&three).await;
    a.app
        .sql(
            "update api_keys set scopes = '{admin:*}' where key_id = $1",
            three.key_id.as_str(),
        )
        .await;
    let opened = async || b.app.get("/api/admin/partners", &three.token).await.status == 200;
    eventually(opened).await;
    a.app
        .sql(
            "update api_keys set rate_per_minute = 7 where key_id = $1",
            three.key_id.as_str(),
        )
        .await;
    let told = async || {
        let answer = b.app.get("/api/key", &three.token).await;
        answer.header("ratelimit-policy") == "\"default\";q=7;w=60"
    };
    eventually(told).await;
    a.stop().await;
    b.stop().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_request_reads_its_row_while_the_listener_is_down(pool: PgPool) {
    let (a, b) = two(&pool).await;
    let partner = a.app.partner("Acme").await;
    for round in 0..10 {
        let key = a.app.key(&partner, &["assets:read"]).await;
        assert_eq!((a.status(&key).await, b.status(&key).await), (200, 200));
        cut_listeners(&pool).await;
        a.app
            .sql(
                "update api_keys set revoked_at = now() where key_id = $1",
                key.key_id.as_str(),
            )
            .await;
        // The cut is noticed as it happens; from then on not one request may pass.
        eventually(async || b.status(&key).await == 401 && a.status(&key).await == 401).await;
        for _ in 0..5 {
            assert_eq!(
                (a.status(&key).await, b.status(&key).await),
                (401, 401),
                "{round}"
            );
        }
        a.live().await;
        b.live().await;
        assert_eq!(
            (a.status(&key).await, b.status(&key).await),
            (401, 401),
            "{round}"
        );
    }
    a.stop().await;
    b.stop().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_unknown_id_costs_one_lookup_until_it_exists(pool: PgPool) {
    let a = Instance::start(&pool, 11, Duration::ZERO).await;
    let partner = a.app.partner("Acme").await;
    let key = a.app.key(&partner, &["assets:read"]).await;
    // Forget the key, so that its token is one of an unknown id.
    sqlx::query("create table aside as select * from api_keys")
        .execute(&pool)
        .await
        .unwrap();
    // The column is generated and can't be written.
    sqlx::query("alter table aside drop column search_text")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("delete from api_keys")
        .execute(&pool)
        .await
        .unwrap();
    let reason = async || {
        let answer = a.app.get("/api/key", &key.token).await;
        answer.json()["reason"]
            .as_str()
            .unwrap_or("accepted")
            .to_owned()
    };
    eventually(async || reason().await == "unknown_key").await;
    sqlx::query("insert into api_keys select * from aside")
        .execute(&pool)
        .await
        .unwrap();
    eventually(async || reason().await == "accepted").await;
    a.stop().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn validity_windows_follow_the_clock_for_cached_keys(pool: PgPool) {
    let a = Instance::start(&pool, 11, Duration::ZERO).await;
    let partner = a.app.partner("Acme").await;
    let key = a.app.key(&partner, &["assets:read"]).await;
    a.app
        .sql(
            "update api_keys set not_after = '2027-01-15T12:00:10Z' where key_id = $1",
            key.key_id.as_str(),
        )
        .await;
    eventually(async || a.status(&key).await == 200).await;
    let millisecond = TimeDelta::milliseconds(1);
    a.app.clock.advance(TimeDelta::seconds(10) - millisecond);
    assert_eq!(a.status(&key).await, 200);
    a.app.clock.advance(millisecond);
    assert_eq!(a.status(&key).await, 401);
    a.stop().await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unreachable_database_means_503_outside_the_outage_grace(pool: PgPool) {
    let strict = Instance::start(&pool, 11, Duration::ZERO).await;
    let bridged = Instance::start(&pool, 12, Duration::from_secs(60)).await;
    let partner = strict.app.partner("Acme").await;
    let key = strict.app.key(&partner, &["assets:read"]).await;
    let unproven = strict.app.key(&partner, &["assets:read"]).await;
    // A route whose handler asks the database nothing shows the guard alone.
    let status = async |instance: &Instance, key: &IssuedKey| {
        let answer = instance.app.get("/api/auth/verify", &key.token).await;
        answer.status.as_u16()
    };
    for instance in [&strict, &bridged] {
        eventually(async || status(instance, &key).await == 200).await;
    }
    // The table is inaccessible, and the listener is down.
    strict.stop.send(true).unwrap();
    bridged.stop.send(true).unwrap();
    eventually(async || {
        !strict.app.state.guard.listener_health().is_live()
            && !bridged.app.state.guard.listener_health().is_live()
    })
    .await;
    pool.close().await;
    let answer = strict.app.get("/api/auth/verify", &key.token).await;
    answer.problem(503, "unavailable", "");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(status(&bridged, &key).await, 200);
    // Only keys verified by this instance, and only within their validity window.
    assert_eq!(status(&bridged, &unproven).await, 503);
    bridged.app.clock.advance(TimeDelta::days(400));
    bridged
        .app
        .get("/api/auth/verify", &with_other_secret(&key))
        .await
        .problem(503, "unavailable", "");
}

fn with_other_secret(key: &IssuedKey) -> String {
    myproof_registry::domain::token::compose(&key.key_id, &[7; 32])
}

/// The row was read, then hashing took long and the listener was down: a key revoked meanwhile
/// must not be accepted on the row read before.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_during_hashing_takes_effect_without_a_listener(pool: PgPool) {
    let app = TestApp::new(pool);
    let key = app.key(&app.partner("Acme").await, &["assets:read"]).await;
    assert!(!app.state.guard.listener_health().is_live());
    let hashing = app.services.key_hashing().clone();
    let released = Arc::new(AtomicBool::new(false));
    // Every thread is busy and every place in the queue taken, but one.
    let mut busy = Vec::new();
    loop {
        let released = Arc::clone(&released);
        let mut run = Box::pin(hashing.run(move |_| {
            while !released.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }));
        match (&mut run).now_or_never() {
            None => busy.push(run),
            Some(outcome) => break assert_eq!(outcome, Err(AppError::UNAVAILABLE)),
        }
    }
    busy.pop();
    let (guard, token) = (Arc::clone(&app.state.guard), key.token.clone());
    let checking = tokio::spawn(async move { guard.verify(&token, None).await.map(drop) });
    // The place is the check's once it has read the row.
    eventually(async || hashing.run(|_| ()).now_or_never().is_some()).await;
    app.sql(
        "update api_keys set revoked_at = created_at where key_id = $1",
        key.key_id.as_str(),
    )
    .await;
    released.store(true, Ordering::Relaxed);
    drop(busy);
    let refused = checking.await.unwrap().unwrap_err();
    let reason = AuthReason::KeyInactive;
    assert_eq!(refused.error, AppError::Unauthorized { reason });
}
