//! Refusals that all routes have in common: credentials, scopes, rates, bodies, parameters, methods.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::recorder::Recorder;
use super::{MIGRATOR, NO_KEY, Operation, operations};

/// A key of a new partner of its own.
async fn key(recorder: &mut Recorder, scopes: &[&str], rate: i64) -> String {
    let partner = recorder.app.partner("Acme").await;
    let body = json!({"partnerId": partner.partner_id, "scopes": scopes, "ratePerMinute": rate});
    let admin = recorder.admin.clone();
    let headers = [
        ("X-API-Key", admin.as_str()),
        ("Content-Type", "application/json"),
    ];
    let issued = recorder
        .unrecorded(
            "POST /api/admin/api-keys/issue",
            &headers,
            &body.to_string(),
        )
        .await;
    issued.ok(201)["token"].as_str().unwrap().to_owned()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn every_route_refuses_alike(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let (_, operations) = operations(&recorder.app).await;
    let reverifies = key(&mut recorder, &["reverify"], 300).await;
    let reads = key(&mut recorder, &["assets:read"], 300).await;
    let limited = key(&mut recorder, &["admin:*"], 1).await;
    let limited = [("X-API-Key", limited.as_str())];
    for operation in &operations {
        recorder.section(&format!("{} {}", operation.method, operation.path));
        let line = operation.line();
        if let Some(scopes) = operation.scopes() {
            recorder.send(&line, &[], "").await;
            let without = if scopes.contains(&"reverify".to_owned()) {
                &reads
            } else {
                &reverifies
            };
            if !scopes.is_empty() {
                recorder.with(without, &line, Value::Null).await;
            }
            if operation.description["x-rated"] != false {
                recorder.app.clock.advance(TimeDelta::minutes(1));
                recorder.unrecorded("GET /api/key", &limited, "").await;
                recorder.send(&line, &limited, "").await;
            }
        }
        if operation.has_body() {
            bodies(&mut recorder, &line).await;
        }
        let parameters = operation.description["parameters"].as_array();
        if parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "query")) {
            let line = format!("{line}?nonsense=1");
            recorder.admin(&line, Value::Null).await;
        }
        if line != format!("{} {}", operation.method, operation.path) && !operation.has_body() {
            recorder.admin(&line, Value::Null).await;
        }
    }
    recorder.compare("refusals");
}

/// Sends bodies that no route takes, and an empty one.
async fn bodies(recorder: &mut Recorder, line: &str) {
    let admin = recorder.admin.clone();
    let key = ("X-API-Key", admin.as_str());
    let json = [key, ("Content-Type", "application/json")];
    recorder
        .send(line, &[key, ("Content-Type", "text/plain")], "{}")
        .await;
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(64 * 1024));
    for body in ["{", "[]", r#"{"nonsense":1}"#, &large] {
        recorder.send(line, &json, body).await;
    }
    recorder.send(line, &[key], "").await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn unknown_routes_and_methods(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let (_, operations) = operations(&recorder.app).await;
    let mut paths: Vec<&Operation> = operations.iter().collect();
    paths.dedup_by_key(|operation| &operation.path);
    for operation in paths {
        let line = operation.line();
        let (_, path) = line.split_once(' ').unwrap();
        for method in ["PUT", "OPTIONS"] {
            recorder.send(&format!("{method} {path}"), &[], "").await;
        }
    }
    recorder.section("Unknown routes");
    let admin = recorder.admin.clone();
    for line in [
        "GET /api",
        "GET /api/",
        "POST /api/nonsense",
        "GET /api/admin/partners/",
        "GET /api/admin/api-keys/a/b",
        "DELETE /api/admin/nonsense",
        "POST /rpc/nonsense",
        "POST /nonsense",
    ] {
        recorder.with(&admin, line, Value::Null).await;
    }
    recorder.compare("unknown_routes");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn credentials(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let partner = recorder.app.partner("Acme").await;
    let token = recorder.app.key(&partner, &["reverify"]).await.token;
    let gone = recorder.app.partner("Gone").await;
    let of_gone = recorder.app.key(&gone, &["reverify"]).await.token;
    let (key_id, secret) = token.split_once('.').unwrap();
    let path = format!("/api/admin/partners/{}", gone.partner_id);
    recorder
        .admin(&format!("PATCH {path}"), json!({"active": false}))
        .await;

    recorder.section("Ways to send a token");
    let (scheme, bearer, upper) = (
        format!("ApiKey {}", &*token),
        format!("Bearer {}", &*token),
        format!("APIKEY  {}", &*token),
    );
    for headers in [
        &[("X-API-Key", &*token)][..],
        &[("X-API-Key", &scheme)],
        &[("Authorization", &scheme)],
        &[("Authorization", &bearer)],
        &[("Authorization", &upper)],
        &[("X-API-Key", ""), ("Authorization", &scheme)],
        &[("X-API-Key", "junk"), ("Authorization", &scheme)],
        &[("X-API-Key", &*token), ("X-API-Key", &*token)],
        &[("Authorization", &*token)],
        &[("Authorization", "Basic dXNlcjp3b3Jk")],
        &[("Cookie", "__Host-myproof-session=abc")],
    ] {
        recorder.call("GET /api/key", headers, Value::Null).await;
    }

    recorder.section("Tokens that are not accepted");
    let other = recorder.app.key(&partner, &["reverify"]).await.token;
    let (other_id, _) = other.split_once('.').unwrap();
    let unknown = token_of("mpk_000000000000");
    for token in [
        format!("{NO_KEY}.{secret}"),
        format!("{other_id}.{secret}"),
        key_id.to_owned(),
        format!("{}.", key_id),
        unknown,
        token_of(key_id),
        of_gone.to_string(),
    ] {
        recorder.with(&token, "GET /api/key", Value::Null).await;
    }

    recorder.section("Windows");
    let window = |from: &str, to: &str| json!({"partnerId": partner.partner_id, "scopes": ["reverify"], "notBefore": from, "notAfter": to});
    for (from, to, wait) in [
        ("2027-01-16T00:00:00Z", "2027-01-17T00:00:00Z", 0),
        ("2027-01-01T00:00:00Z", "2027-01-15T13:00:00Z", 2),
    ] {
        let issued = recorder
            .admin("POST /api/admin/api-keys/issue", window(from, to))
            .await;
        let token = issued["token"].as_str().unwrap();
        recorder.app.clock.advance(TimeDelta::hours(wait));
        recorder.with(token, "GET /api/key", Value::Null).await;
    }

    recorder.section("A revoked key");
    recorder
        .admin(
            &format!("POST /api/admin/api-keys/{key_id}/revoke"),
            json!({}),
        )
        .await;
    recorder.with(&token, "GET /api/key", Value::Null).await;
    recorder.compare("credentials");
}

/// A well-formed token of a key, with a secret that is not its own.
pub fn token_of(key_id: &str) -> String {
    use myproof_registry::domain::token::{KeyId, compose};
    compose(&KeyId::parse(key_id).unwrap(), &[7; 32])
}
