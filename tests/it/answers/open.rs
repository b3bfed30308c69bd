//! Routes without a key, and answers while something is broken.

use serde_json::Value;
use sqlx::PgPool;

use super::MIGRATOR;
use super::recorder::Recorder;
use super::refusals::token_of;

#[sqlx::test(migrator = "MIGRATOR")]
async fn health(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    for line in [
        "GET /healthz",
        "HEAD /healthz",
        "GET /readyz",
        "HEAD /readyz",
        "HEAD /api/key",
    ] {
        let admin = recorder.admin.clone();
        recorder.with(&admin, line, Value::Null).await;
    }
    recorder.section("Two hosts");
    recorder
        .send("GET /healthz", &[("Host", "a"), ("Host", "b")], "")
        .await;

    recorder.section("A schema that is not current");
    recorder
        .app
        .sql(
            "delete from _sqlx_migrations where version = 3 and $1 <> ''",
            "x",
        )
        .await;
    recorder.send("GET /readyz", &[], "").await;

    recorder.section("A fault of ours");
    sqlx::query("alter table webhooks rename to gone")
        .execute(&recorder.app.pool)
        .await
        .unwrap();
    let partner = recorder.app.partner("Acme").await;
    let line = format!("GET /api/admin/partners/{}/webhooks", partner.partner_id);
    recorder.admin(&line, Value::Null).await;

    recorder.section("A database that is away");
    recorder.app.pool.close().await;
    let admin = recorder.admin.clone();
    let other = token_of("mpk_000000000000");
    for (token, line) in [
        (&admin, "GET /readyz"),
        (&admin, "GET /healthz"),
        (&admin, "GET /api/admin/partners"),
        (&other, "GET /api/auth/verify?limited=403"),
    ] {
        recorder.with(token, line, Value::Null).await;
    }
    recorder.compare("health");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn openapi(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    recorder.document("/api/openapi.json").await;
    recorder.compare("openapi");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn documentation(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    recorder.document("/api/docs").await;
    recorder.compare("documentation");
}
