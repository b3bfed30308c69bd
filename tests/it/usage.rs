//! Last uses: batched, forward only, and none lost while the database is away.

use chrono::TimeDelta;
use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

/// Counts the keys that were used.
const USED: &str = "select count(*) from api_key_last_use where last_used_at is not null";

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn last_use_is_shown_after_the_flush_and_only_moves_forward(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    app.sql(
        "update api_keys set not_before = '2027-01-01Z' where key_id = $1",
        key.key_id.as_str(),
    )
    .await;
    let own = async || app.get("/api/key", &key.token).await.ok(200)["key"].clone();
    assert_eq!(own().await["lastUsedAt"], json!(null));
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    let shown = own().await;
    assert_eq!(
        (&shown["lastUsedAt"], &shown["lastUsedIp"]),
        (&json!("2027-01-15T12:00:00Z"), &json!("192.0.2.1"))
    );
    app.clock.advance(TimeDelta::seconds(-30));
    own().await;
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    assert_eq!(own().await["lastUsedAt"], "2027-01-15T12:00:00Z");
    app.clock.advance(TimeDelta::seconds(60));
    own().await;
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    assert_eq!(own().await["lastUsedAt"], "2027-01-15T12:00:30Z");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refused_requests_do_not_count_as_use(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    app.sql(
        "update api_keys set revoked_at = now() where key_id = $1",
        key.key_id.as_str(),
    )
    .await;
    app.get("/api/key", &key.token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    assert_eq!(app.count(USED).await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn uses_are_kept_while_the_database_is_unavailable(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    app.get("/api/key", &key.token).await.ok(200);
    sqlx::query("alter table api_key_last_use rename to elsewhere")
        .execute(&app.pool)
        .await
        .unwrap();
    assert!(app.state.guard.usage().flush(&app.pool).await.is_err());
    sqlx::query("alter table elsewhere rename to api_key_last_use")
        .execute(&app.pool)
        .await
        .unwrap();
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    assert_eq!(app.count(USED).await, 1);
}
