//! Key verification: every reason in its order, header forms, the edges of the validity window.

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use myproof_registry::domain::key_input::IssueInput;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestApp, somebody};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// The token with another, well-formed secret.
fn with_other_secret(token: &str) -> String {
    use myproof_registry::domain::token::{KeyId, compose};
    let (key_id, _) = token.split_once('.').unwrap();
    compose(&KeyId::parse(key_id).unwrap(), &[7; 32])
}

async fn reason(app: &TestApp, token: &str) -> String {
    let answer = app.get("/api/key", token).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    if answer.status == 200 {
        return "accepted".to_owned();
    }
    assert_eq!(
        answer.header("www-authenticate"),
        "ApiKey realm=\"myproof-registry\""
    );
    let reason = answer.json()["reason"].as_str().unwrap().to_owned();
    answer.problem(401, "unauthorized", &reason);
    reason
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refusal_reasons_have_a_fixed_precedence(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let (key_id, token) = (key.key_id.as_str(), &*key.token);

    assert_eq!(reason(&app, token).await, "accepted");
    assert_eq!(reason(&app, &format!("{token}.junk")).await, "bad_format");
    assert_eq!(reason(&app, &token[..token.len() - 1]).await, "bad_format");
    assert_eq!(
        reason(&app, &token.replace(key_id, "mpk_000000000000")).await,
        "bad_format"
    );
    let unknown = with_other_secret("mpk_000000000000.");
    assert_eq!(reason(&app, &unknown).await, "unknown_key");
    assert_eq!(
        reason(&app, &with_other_secret(token)).await,
        "secret_mismatch"
    );

    // Adds one fault after the other; a later one takes precedence.
    app.sql(
        "update api_keys set not_after = '2027-01-15T11:00:00Z' where key_id = $1",
        key_id,
    )
    .await;
    assert_eq!(reason(&app, token).await, "expired");
    app.sql(
        "update api_keys set not_before = '2027-01-15T13:00:00Z' where key_id = $1",
        key_id,
    )
    .await;
    assert_eq!(reason(&app, token).await, "not_yet_valid");
    app.sql(
        "update partners set active = false where name = 'Acme' and $1 <> ''",
        key_id,
    )
    .await;
    assert_eq!(reason(&app, token).await, "partner_inactive");
    app.sql(
        "update api_keys set revoked_at = now() where key_id = $1",
        key_id,
    )
    .await;
    assert_eq!(reason(&app, token).await, "key_inactive");
    assert_eq!(
        reason(&app, &with_other_secret(token)).await,
        "secret_mismatch"
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refused_keys_and_wrong_secrets_cost_no_argon2(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    // A hash that can't be run shows that it isn't: were it run, the reason would be another.
    app.sql(
        "update api_keys set secret_hash = '$argon2id$v=19$broken' where key_id = $1",
        key.key_id.as_str(),
    )
    .await;
    assert_eq!(
        reason(&app, &with_other_secret(&key.token)).await,
        "secret_mismatch"
    );
    app.sql(
        "update api_keys set revoked_at = now() where key_id = $1",
        key.key_id.as_str(),
    )
    .await;
    assert_eq!(reason(&app, &key.token).await, "key_inactive");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_check_tag_alone_is_not_sufficient(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let other = app.key(&partner, &["assets:read"]).await;
    // The tag fits, the hash is another secret's.
    sqlx::query("update api_keys set secret_hash = (select secret_hash from api_keys where key_id = $2) where key_id = $1")
        .bind(key.key_id.as_str())
        .bind(other.key_id.as_str())
        .execute(&app.pool)
        .await
        .unwrap();
    assert_eq!(reason(&app, &key.token).await, "secret_mismatch");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_validity_window_is_exact_to_the_microsecond(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app
        .issue(IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(vec!["assets:read".into()]),
            not_before: Some("2027-01-15T12:00:10Z".into()),
            not_after: Some("2027-01-15T12:00:20+00:00".into()),
            ..IssueInput::default()
        })
        .await;
    let microsecond = TimeDelta::microseconds(1);
    assert_eq!(reason(&app, &key.token).await, "not_yet_valid");
    app.clock.advance(TimeDelta::seconds(10) - microsecond);
    assert_eq!(reason(&app, &key.token).await, "not_yet_valid");
    app.clock.advance(microsecond);
    assert_eq!(reason(&app, &key.token).await, "accepted");
    app.clock.advance(TimeDelta::seconds(10) - microsecond);
    assert_eq!(reason(&app, &key.token).await, "accepted");
    app.clock.advance(microsecond);
    assert_eq!(reason(&app, &key.token).await, "expired");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn header_forms_through_the_router(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, &["assets:read"]).await.token;
    let send = async |headers: &[(&str, &str)]| {
        let mut request = Request::get("/api/key");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.send(request.body(Body::empty()).unwrap()).await
    };
    let scheme = format!("ApiKey {}", &*token);
    let bearer = format!("bearer {}", &*token);
    for headers in [
        &[("X-API-Key", &*token)][..],
        &[("X-API-Key", &scheme)],
        &[("Authorization", &scheme)],
        &[("Authorization", &bearer)],
        &[("X-API-Key", ""), ("Authorization", &scheme)],
        &[
            ("X-API-Key", &token),
            ("Authorization", "Basic Zm9vOmJhcg=="),
        ],
    ] {
        assert_eq!(send(headers).await.status, 200);
    }
    send(&[])
        .await
        .problem(401, "unauthorized", "missing_header");
    send(&[("Authorization", "Basic Zm9vOmJhcg==")])
        .await
        .problem(401, "unauthorized", "bad_format");
    send(&[("X-API-Key", &token), ("X-API-Key", &token)])
        .await
        .problem(401, "unauthorized", "bad_format");
    // Cookies open no REST route, and a token in the query neither.
    send(&[("Cookie", &format!("token={}", &*token))])
        .await
        .problem(401, "unauthorized", "missing_header");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn scopes_grant_their_routes_and_admin_grants_all(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let all_but_admin = [
        "assets:mint",
        "assets:read",
        "status:update",
        "transfer:execute",
        "audit:read",
        "reverify",
    ];
    let token = app.key(&partner, &all_but_admin).await.token;
    let refused = app.get("/api/admin/partners", &token).await;
    assert_eq!(
        refused.problem(403, "forbidden", "")["required"],
        json!(["admin:*"])
    );
    assert_eq!(app.get("/api/key", &token).await.status, 200);
    let admin = app.key(&partner, &["admin:*"]).await.token;
    assert_eq!(app.get("/api/admin/partners", &admin).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn request_checks_have_a_fixed_order(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let reader = app.key(&partner, &["assets:read"]).await.token;
    let admin = app.key(&partner, &["admin:*"]).await.token;
    // Route, then method, then credential, then scope, then content type, size and body.
    app.call("GET", "/api/admin/nothing", None, None)
        .await
        .problem(404, "not_found", "route_not_found");
    let answer = app.call("DELETE", "/api/admin/partners", None, None).await;
    answer.problem(405, "invalid_request", "");
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
    let answer = app
        .call(
            "GET",
            "/api/admin/api-keys/mpk_1/rotate",
            Some(&admin),
            None,
        )
        .await;
    answer.problem(405, "invalid_request", "");
    assert_eq!(answer.header("allow"), "POST");
    app.call("POST", "/api/admin/partners", None, Some(json!(1)))
        .await
        .problem(401, "unauthorized", "missing_header");
    app.post("/api/admin/partners", &reader, json!(1))
        .await
        .problem(403, "forbidden", "");
    let typed = |kind: &'static str, body: String| {
        Request::post("/api/admin/partners")
            .header("X-API-Key", &*admin)
            .header("Content-Type", kind)
            .body(Body::from(body))
            .unwrap()
    };
    let large = "x".repeat(1024 * 1024);
    app.send(typed("text/plain", large.clone()))
        .await
        .problem(415, "invalid_request", "");
    app.send(typed("application/json", large))
        .await
        .problem(413, "invalid_request", "");
    app.send(typed("application/json", "x".into()))
        .await
        .problem(400, "invalid_request", "");
    // Invalid UTF-8 is no id either.
    app.get("/api/admin/api-keys/%ff", &admin)
        .await
        .problem(404, "not_found", "key_not_found");
    app.get("/api/admin/partners/%ff", &admin)
        .await
        .problem(404, "not_found", "partner_not_found");
    // A token where an id belongs is refused, and its secret not logged.
    app.get(&format!("/api/admin/api-keys/{}", &*admin), &admin)
        .await
        .problem(404, "not_found", "key_not_found");
    let head = app.call("HEAD", "/api/key", Some(&reader), None).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    assert_eq!(app.call("HEAD", "/api/key", None, None).await.status, 401);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn deactivating_a_partner_disables_its_keys_until_reactivation(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, &["assets:read"]).await.token;
    let path = format!("/api/admin/partners/{}", partner.partner_id);
    app.patch(&path, &admin, json!({"active": false}))
        .await
        .ok(200);
    assert_eq!(reason(&app, &token).await, "partner_inactive");
    app.patch(&path, &admin, json!({"active": true}))
        .await
        .ok(200);
    assert_eq!(reason(&app, &token).await, "accepted");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn issued_keys_survive_a_restart(pool: PgPool) {
    let token = {
        let app = TestApp::new(pool.clone());
        let partner = app.partner("Acme").await;
        app.key(&partner, &["assets:read"]).await.token
    };
    let app = TestApp::new(pool);
    assert_eq!(reason(&app, &token).await, "accepted");
    let (key_id, _) = token.split_once('.').unwrap();
    app.services
        .keys
        .revoke(
            &somebody(),
            key_id,
            myproof_registry::domain::key_input::RevokeInput::default()
                .check()
                .unwrap(),
        )
        .await
        .unwrap();
    assert_eq!(reason(&app, &token).await, "key_inactive");
}
