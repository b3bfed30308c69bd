//! Health, and an unavailable database.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestApp, nowhere};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn healthy_and_ready(pool: PgPool) {
    let app = TestApp::new(pool);
    for path in ["/healthz", "/readyz"] {
        let answer = app.call("GET", path, None, None).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (200, json!({"ok": true}))
        );
    }
    app.sql(
        "delete from _sqlx_migrations where version = 3 and $1 <> ''",
        "x",
    )
    .await;
    let answer = app.call("GET", "/readyz", None, None).await;
    answer.problem(503, "unavailable", "");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(app.call("GET", "/healthz", None, None).await.status, 200);
}

#[tokio::test]
async fn a_database_that_is_down_is_a_503_in_under_two_seconds() {
    let app = TestApp::new(nowhere());
    let token = myproof_registry::domain::token::compose(
        &myproof_registry::domain::token::KeyId::parse("mpk_000000000000").unwrap(),
        &[7; 32],
    );
    let started = Instant::now();
    let answer = app.get("/api/key", &token).await;
    assert!(started.elapsed() < Duration::from_secs(2));
    answer.problem(503, "unavailable", "");
    assert_eq!(answer.header("retry-after"), "1");
    app.call("GET", "/readyz", None, None)
        .await
        .problem(503, "unavailable", "");
    assert_eq!(app.call("GET", "/healthz", None, None).await.status, 200);
    // Requests that need no database are answered without it.
    app.get("/api/key", "junk")
        .await
        .problem(401, "unauthorized", "bad_format");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn lost_connections_recover_automatically(pool: PgPool) {
    let options = (*pool.connect_options()).clone();
    let app = TestApp::new(myproof_registry::server::startup::pool(options));
    let admin = app.admin().await;
    app.get("/api/key", &admin).await.ok(200);
    sqlx::query(
        "select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'myproof-registry'",
    )
    .execute(&pool)
    .await
    .unwrap();
    app.get("/api/key", &admin).await.ok(200);
}
