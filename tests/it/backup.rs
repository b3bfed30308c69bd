//! A dump that is restored elsewhere is the same registry.

use std::process::Command;

use myproof_registry::domain::operator::Role;
use myproof_registry::server::store::schema::MIGRATIONS;
use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};

use crate::schema::refused_by;
use crate::support::TestApp;
use crate::support::process::{database_url, scratch};

const MIGRATOR: &sqlx::migrate::Migrator = &MIGRATIONS;

/// Each table with a digest of its rows.
async fn digests(pool: &PgPool) -> Vec<(String, Option<String>)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.tables
          where table_schema = 'public' and table_type = 'BASE TABLE' order by 1",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut digests = Vec::new();
    for table in tables {
        let sql =
            format!("select md5(string_agg(t::text, E'\\n' order by t::text)) from \"{table}\" t");
        let digest = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(pool)
            .await
            .unwrap();
        digests.push((table, digest));
    }
    digests
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_restored_dump_is_equivalent(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let partner = app.partner("Acme").await;
    let cookie = app.signed_in("ops@example.com", Role::Admin).await;
    let mut keys = Vec::new();
    for _ in 0..3 {
        keys.push(app.key(&partner, &["assets:read"]).await);
    }
    let [plain, revoked, rotated] = &keys[..] else {
        unreachable!()
    };
    let order = |key_id: &str, input| json!({"key_id": key_id, "input": input});
    for (function, input) in [
        (
            "keys/revoke",
            order(revoked.key_id.as_str(), json!({"reason": "key_compromise"})),
        ),
        (
            "keys/rotate",
            order(rotated.key_id.as_str(), json!({"graceSeconds": 3600})),
        ),
    ] {
        let answer = app.rpc(function, Some(&cookie), input).await;
        assert_eq!(answer.status, 200, "{function}: {}", answer.text);
    }
    for key in &keys {
        app.get("/api/key", &key.token).await;
    }
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    app.services.audit.checkpoint().await.unwrap();

    let file = scratch().join("registry.dump");
    let (from, file) = (database_url(&pool), file.to_str().unwrap().to_owned());
    run(
        "pg_dump",
        &["--format=custom", "--no-owner", "--file", &file, &from],
    );
    let name = format!("restored_{}", std::process::id());
    let sql = format!("create database {name}");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&pool)
        .await
        .unwrap();
    let options = (*pool.connect_options()).clone().database(&name);
    let again = PgPoolOptions::new()
        .max_connections(4)
        .connect_lazy_with(options);
    run(
        "pg_restore",
        &[
            "--exit-on-error",
            "--no-owner",
            "--dbname",
            &database_url(&again),
            &file,
        ],
    );

    assert_eq!(digests(&again).await, digests(&pool).await);
    let restored = TestApp::new(again.clone());
    for (key, status) in [(plain, 200), (revoked, 401), (rotated, 200)] {
        assert_eq!(restored.get("/api/key", &key.token).await.status, status);
    }
    // What was signed in is signed in, as it would be after a restart.
    assert_eq!(restored.page("/api-keys", Some(&cookie)).await.status, 200);
    let history = restored.services.audit.verify_chain(&[]).await.unwrap();
    assert_eq!((history.broken, history.checkpoints), (None, 1));
    assert!(history.events >= 8, "{}", history.events);
    // The rules came along, triggers and all.
    for (statement, constraint) in [
        (
            "update api_keys set key_id = 'mpk_other'",
            "api_keys_identity_for_life",
        ),
        ("delete from audit_events", "audit_events_append_only"),
    ] {
        assert_eq!(refused_by(&again, statement).await, constraint);
    }
    assert_eq!(restored.page("/readyz", None).await.status, 200);
    drop(restored);
    again.close().await;
    let sql = format!("drop database {name} with (force)");
    sqlx::query(AssertSqlSafe(sql))
        .execute(&pool)
        .await
        .unwrap();
}
