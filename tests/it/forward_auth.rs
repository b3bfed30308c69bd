//! `/api/auth/verify`: answers to proxies in front of other services.

use axum::body::Body;
use axum::http::Request;
use myproof_registry::domain::key_input::IssueInput;
use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_accepted_key_is_named_by_headers_and_an_empty_body(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["reverify", "assets:read"]).await;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let request = Request::builder()
            .method(method)
            .uri("/api/auth/verify?scope=assets:read&scope=reverify")
            .header("X-API-Key", &*key.token)
            .header("X-Partner-Id", "forged")
            .header("Content-Type", "text/plain")
            .body(Body::from("anything"))
            .unwrap();
        let answer = app.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text.as_str()),
            (200, ""),
            "{method}"
        );
        assert_eq!(
            answer.header("x-partner-id"),
            partner.partner_id.to_string()
        );
        assert_eq!(answer.header("x-key-id"), key.key_id.as_str());
        assert_eq!(answer.header("x-key-scopes"), "assets:read reverify");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=300;w=60");
    }
    assert_eq!(app.get("/api/auth/verify", &key.token).await.status, 200);
    let missing = app
        .get(
            "/api/auth/verify?scope=assets:read&scope=assets:mint",
            &key.token,
        )
        .await;
    assert_eq!(
        missing.problem(403, "forbidden", "")["required"],
        json!(["assets:read", "assets:mint"])
    );
    assert_eq!(missing.header("x-key-id"), "");
    assert_eq!(
        app.get("/api/auth/verify?scope=nothing", &key.token)
            .await
            .faults(),
        ["scope"]
    );
    let admin = app.admin().await;
    assert_eq!(
        app.get("/api/auth/verify?scope=assets:mint", &admin)
            .await
            .status,
        200
    );
    app.call("GET", "/api/auth/verify", None, None)
        .await
        .problem(401, "unauthorized", "missing_header");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nginx_gets_a_403_instead_of_a_429_with_its_headers(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let input = IssueInput {
        partner_id: Some(partner.partner_id.to_string()),
        scopes: Some(vec!["assets:read".into()]),
        rate_per_minute: Some(1),
        ..IssueInput::default()
    };
    let token = app.issue(input).await.token;
    assert_eq!(app.get("/api/auth/verify", &token).await.status, 200);
    app.get("/api/auth/verify", &token)
        .await
        .problem(429, "rate_limited", "");
    let told = app.get("/api/auth/verify?limited=403", &token).await;
    assert_eq!(
        (told.status.as_u16(), told.header("retry-after")),
        (403, "60")
    );
    assert_eq!(told.header("ratelimit"), "\"default\";r=0;t=60");
    assert_eq!(told.json()["error"], "rate_limited");
}
