//! Server functions under `/rpc/`: their paths, the refusals of each, the answers of those that read.

use leptos::server_fn::axum::server_fn_paths;
use myproof_registry::domain::operator::Role;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::admin::{key, partner};
use super::recorder::Recorder;
use super::{MIGRATOR, NO_KEY, NOBODY};
use crate::support::PASSWORD;

const EMAIL: &str = "ops@example.com";
const SAME_ORIGIN: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
const JSON: (&str, &str) = ("Content-Type", "application/json");

#[sqlx::test(migrator = "MIGRATOR")]
async fn refusals_of_every_function(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let cookie = recorder.app.signed_in(EMAIL, Role::Admin).await;
    let mut paths: Vec<&str> = server_fn_paths().map(|(path, _)| path).collect();
    paths.sort_unstable();
    for path in paths {
        recorder.section(path);
        let line = format!("POST {path}");
        let signed_in = [SAME_ORIGIN, JSON, ("Cookie", cookie.as_str())];
        recorder.send(&line, &[SAME_ORIGIN, JSON], "{}").await;
        if path != "/rpc/session/sign-out" {
            recorder.send(&line, &signed_in, "{}").await;
        }
    }
    let line = "POST /rpc/keys/list";
    recorder.section("From elsewhere, and no JSON");
    let other = [JSON, ("Cookie", cookie.as_str())];
    recorder.send(line, &other, "{}").await;
    let text = [SAME_ORIGIN, ("Cookie", cookie.as_str())];
    recorder.send(line, &text, "{}").await;
    recorder.compare("server_functions_refusals");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn reading_functions(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let cookie = recorder.app.signed_in(EMAIL, Role::Admin).await;
    let acme = partner(&mut recorder, "Acme").await;
    let (key_id, _) = key(&mut recorder, &acme, &["reverify"]).await;
    let (second, _) = key(&mut recorder, &acme, &["admin:*"]).await;
    let rotate = format!("POST /api/admin/api-keys/{key_id}/rotate");
    recorder.admin(&rotate, json!({"graceSeconds": 3600})).await;
    let hooks = format!("POST /api/admin/partners/{acme}/webhooks");
    let hook = json!({"url": "https://hooks.acme.example/"});
    recorder.admin(&hooks, hook).await;
    recorder.section("Server functions");
    let headers = [SAME_ORIGIN, ("Cookie", cookie.as_str())];
    for (function, body) in [
        ("audit/list", json!({"query": {"limit": "3"}})),
        ("audit/list", json!({"query": {"action": "nonsense"}})),
        (
            "bulk/preview",
            json!({"input": {"action": "revoke", "select": {"partnerId": acme}}}),
        ),
        ("factor/get", json!({})),
        (
            "keys/list",
            json!({"query": {"limit": "2", "sort": "-createdAt"}}),
        ),
        ("keys/list", json!({"query": {"limit": "2"}})),
        ("keys/list", json!({"query": {"status": "x"}})),
        ("keys/overview", json!({"query": {}})),
        ("keys/overview", json!({"query": {"partnerId": acme}})),
        ("keys/get", json!({"key_id": second})),
        ("keys/get", json!({"key_id": NO_KEY})),
        ("keys/details", json!({"key_id": key_id})),
        ("keys/details", json!({"key_id": NO_KEY})),
        ("notices/list", json!({"partner_id": acme, "query": {}})),
        ("notices/list", json!({"partner_id": NOBODY, "query": {}})),
        ("operators/list", json!({})),
        ("partners/list", json!({"query": {"limit": "1"}})),
        ("partners/choices", json!({"query": {"q": "a"}})),
        ("policy/get", json!({})),
        ("session/list", json!({})),
        ("session/operator", json!({})),
    ] {
        let line = format!("POST /rpc/{function}");
        recorder.call(&line, &headers, body).await;
    }
    signing_in_and_out(&mut recorder).await;
    recorder.compare("server_functions");
}

async fn signing_in_and_out(recorder: &mut Recorder) {
    recorder.section("Signing in and out");
    let form = [
        SAME_ORIGIN,
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    let mut cookie = String::new();
    for password in ["not the password", PASSWORD] {
        let body = format!(
            "email={EMAIL}&password={}&next=%2Fapi-keys",
            password.replace(' ', "+")
        );
        let answer = recorder
            .send("POST /rpc/session/sign-in", &form, &body)
            .await;
        let set = answer.header("set-cookie").split(';').next();
        cookie = set.unwrap_or_default().to_owned();
    }
    let headers = [SAME_ORIGIN, JSON, ("Cookie", cookie.as_str())];
    let line = "POST /rpc/session/sign-out";
    recorder.call(line, &headers[..], Value::Null).await;
}
