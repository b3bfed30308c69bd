//! The OpenAPI document: that it and the router say the same, that its examples work, and that no
//! input brings an answer that it doesn't describe.

use std::collections::BTreeSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use myproof_registry::domain::scope::Scope;
use myproof_registry::server::http;
use myproof_registry::server::http::middleware::guard::Gate;
use serde_json::Value;
use sqlx::PgPool;
use strum::VariantArray;

use crate::support::TestApp;
use crate::support::process::{Server, database_url, program, scratch};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE",
];

fn described() -> Vec<(String, String, Value)> {
    let document = http::document();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            found.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    found
}

/// The router's paths, from its debug output.
fn routed() -> BTreeSet<String> {
    let router = axum::Router::from(http::routes(Gate::for_docs()));
    let told = format!("{router:?}");
    let paths = told.split('"').filter(|part| part.starts_with('/'));
    // Its fallback has paths as well.
    let paths = paths.filter(|path| *path != "/" && !path.contains("__private"));
    paths.map(str::to_owned).collect()
}

/// A path with ids in the place of its parameters.
fn filled(path: &str) -> String {
    path.replace("{keyId}", "mpk_000000000000")
        .replace("{partnerId}", "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e")
        .replace("{assetId}", "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e")
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_document_and_the_router_have_the_same_routes(pool: PgPool) {
    let app = TestApp::new(pool);
    let paths: BTreeSet<String> = described().into_iter().map(|(path, ..)| path).collect();
    assert_eq!(paths, routed());
    assert!(paths.len() > 15, "{paths:?}");

    let operations: BTreeSet<(String, String)> = described()
        .into_iter()
        .map(|(path, method, _)| (path, method))
        .collect();
    for path in paths {
        for method in METHODS {
            let answer = app.call(method, &filled(&path), None, None).await;
            let known = operations.contains(&(path.clone(), method.to_owned()))
                || (method == "HEAD" && operations.contains(&(path.clone(), "GET".to_owned())));
            assert_eq!(known, answer.status != 405, "{method} {path}");
            if method != "HEAD" && !known {
                assert_eq!(answer.json()["error"], "invalid_request");
            }
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn operations_require_the_documented_key_and_scopes(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let mut tokens = Vec::new();
    for scope in Scope::VARIANTS {
        let scope = scope.into_str();
        tokens.push((scope, app.key(&partner, &[scope]).await.token));
    }
    for (path, method, operation) in described() {
        let path = filled(&path);
        let bare = app.call(&method, &path, None, None).await;
        let Some(scopes) = operation["security"].pointer("/0/ApiKey") else {
            assert!(bare.status.is_success(), "{method} {path}: {}", bare.text);
            continue;
        };
        assert_eq!(bare.status, 401, "{method} {path}");
        if path == "/api/key/revoke" {
            // It takes any key, and its life.
            continue;
        }
        for (scope, token) in &tokens {
            let wanted = scopes.as_array().unwrap();
            let has = wanted.is_empty() || *scope == "admin:*" || wanted == &[*scope];
            let answer = app.call(&method, &path, Some(token), None).await;
            assert_eq!(answer.status == 403, !has, "{method} {path} with {scope}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_examples_are_accepted(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let mut tried = 0;
    for (path, method, operation) in described() {
        let body = &operation["requestBody"]["content"]["application/json"];
        let Some(example) = body.get("example") else {
            continue;
        };
        let answer = app
            .call(&method, &filled(&path), Some(&admin), Some(example.clone()))
            .await;
        let fine = answer.status.is_success() || answer.status == 404;
        assert!(fine, "{method} {path} refuses {example}: {}", answer.text);
        tried += 1;
    }
    assert_eq!(tried, 18);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_document_is_public(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let answer = app.call("GET", "/api/openapi.json", None, None).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(answer.json(), http::document());
    let printed = program("", &["openapi"]).output().unwrap();
    assert!(printed.status.success());
    assert_eq!(
        serde_json::from_slice::<Value>(&printed.stdout).unwrap(),
        http::document()
    );

    let page = app.call("GET", "/api/docs", None, None).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self'"),
        "{policy}"
    );
    let text = page.text.replace("https://hooks.acme.example/", "");
    for elsewhere in ["http://", "https://", "src=\"//", "<script", "style="] {
        assert!(!text.contains(elsewhere), "{elsewhere}");
    }
    for (path, _, operation) in described() {
        let id = operation["operationId"].as_str().unwrap();
        let shown = page.text.contains(&format!("id=\"{id}\"")) || id.contains("By");
        assert!(shown && page.text.contains(&path), "{id} {path}");
    }
}

/// Keeps the key alive that the fuzzer calls with: it may well find and revoke it.
async fn keep_alive(pool: &PgPool, key_id: &str, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let revive = "with key as (
                update api_keys
                   set revoked_at = null, revoked_reason = null, retires_at = null, not_after = null,
                       rate_per_minute = 2147483647
                 where key_id = $1
                   and (revoked_at is not null or retires_at is not null or not_after is not null
                        or rate_per_minute <> 2147483647)
            )
            update partners set active = true
             where not active and partner_id = (select partner_id from api_keys where key_id = $1)";
        sqlx::query(revive)
            .bind(key_id)
            .execute(pool)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_answer_conforms_to_the_document(pool: PgPool) {
    let arguments = ["key", "issue", "--partner", "Fuzz", "--scope", "admin:*"];
    let issued = program(&database_url(&pool), &arguments).output().unwrap();
    let token = String::from_utf8(issued.stdout).unwrap().trim().to_owned();
    let key_id = token.split('.').next().unwrap().to_owned();
    let server = Server::start(&pool);
    let folder = scratch();
    let mut schemathesis = Command::new("schemathesis");
    schemathesis
        .args([
            "--no-color",
            "--config-file",
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/schemathesis.toml"),
            "run",
        ])
        .arg(format!("http://{}/api/openapi.json", server.address))
        .env("TOKEN", &token)
        // It keeps notes where it runs.
        .current_dir(&folder);
    let done = AtomicBool::new(false);
    let fuzzing = async {
        let ran = tokio::task::spawn_blocking(move || schemathesis.output());
        let output = ran
            .await
            .unwrap()
            .expect("scripts/setup.sh python-tools installs it");
        done.store(true, Ordering::Relaxed);
        output
    };
    let (output, ()) = tokio::join!(fuzzing, keep_alive(&pool, &key_id, &done));
    std::fs::remove_dir_all(folder).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        server.status(&token),
        200,
        "the key that the fuzzer called with works"
    );
}
