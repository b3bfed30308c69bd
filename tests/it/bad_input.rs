//! Bad input gets a clear error and changes nothing.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn bodies(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = |changes: Value| {
        let mut body = json!({"partnerId": partner.partner_id, "scopes": ["assets:read"]});
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        ("/api/admin/api-keys/issue", body)
    };
    let partners = "/api/admin/partners";
    let before = app.count("select count(*) from audit_events").await;
    for ((path, body), at) in [
        (key(json!({"partnerId": "7"})), "partnerId"),
        (key(json!({"partnerId": null})), "partnerId"),
        (key(json!({"scopes": []})), "scopes"),
        (key(json!({"scopes": null})), "scopes"),
        (key(json!({"scopes": "assets:read"})), "scopes"),
        (key(json!({"scopes": ["assets:read,admin:*"]})), "scopes[0]"),
        (
            key(json!({"scopes": ["assets:read", "nothing"]})),
            "scopes[1]",
        ),
        (
            key(json!({"scopes": ["assets:read", "assets:read"]})),
            "scopes[1]",
        ),
        (key(json!({"ratePerMinute": 0})), "ratePerMinute"),
        (key(json!({"ratePerMinute": 10001})), "ratePerMinute"),
        (key(json!({"ratePerMinute": "300"})), "ratePerMinute"),
        (key(json!({"notAfter": "2020-01-01T00:00:00Z"})), "notAfter"),
        (
            key(json!({"notBefore": "2027-03-01T00:00:00Z", "notAfter": "2027-02-01T00:00:00Z"})),
            "notAfter",
        ),
        (key(json!({"notBefore": "soon"})), "notBefore"),
        (key(json!({"name": ""})), "name"),
        (key(json!({"name": "x".repeat(101)})), "name"),
        (key(json!({"name": "a\u{0}b"})), "name"),
        (key(json!({"environment": "prod"})), "environment"),
        (key(json!({"unknown": 1})), "unknown"),
        ((partners, json!({"name": "x"})), "name"),
        ((partners, json!({"name": "x".repeat(201)})), "name"),
        ((partners, json!({"name": "Ac\u{0}me"})), "name"),
        ((partners, json!({"name": "Ac\u{202e}me"})), "name"),
        ((partners, json!({"name": 7})), "name"),
        ((partners, json!({})), "name"),
        (
            (partners, json!({"name": "Acme", "contactEmail": "nobody"})),
            "contactEmail",
        ),
        ((partners, json!([])), "body"),
    ] {
        assert_eq!(
            app.post(path, &admin, body.clone()).await.faults(),
            [at],
            "{body}"
        );
    }
    assert_eq!(app.count("select count(*) from audit_events").await, before);
    let (path, body) = key(json!({"partnerId": "00000000-0000-4000-8000-000000000000"}));
    app.post(path, &admin, body)
        .await
        .problem(404, "not_found", "partner_not_found");
    app.sql(
        "update partners set active = false where name = 'Acme' and $1 <> ''",
        "x",
    )
    .await;
    let (path, body) = key(json!({}));
    app.post(path, &admin, body)
        .await
        .problem(409, "conflict", "partner_inactive");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn malformed_json_and_repeated_fields(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let send = async |body: Vec<u8>| {
        let request = Request::post("/api/admin/partners")
            .header("X-API-Key", &admin)
            .header("Content-Type", "application/json; charset=utf-8");
        app.send(request.body(Body::from(body)).unwrap())
            .await
            .faults()
    };
    assert_eq!(send(b"{\"name\": \"Acme\"".to_vec()).await, ["body"]);
    assert_eq!(
        send(b"{\"name\": \"Acme\", \"name\": \"Bcme\"}".to_vec()).await,
        ["name"]
    );
    assert_eq!(send(b"{\"name\": \"\xff\xfe\"}".to_vec()).await, ["body"]);
    assert_eq!(send(b"{\"name\": \"Acme\"} x".to_vec()).await, ["body"]);
    assert_eq!(send("[".repeat(60_000).into_bytes()).await, ["body"]);
    // 64 KiB pass, a byte more does not.
    let padded =
        |length: usize| format!("{{\"name\": \"Acme\"{}}}", " ".repeat(length - 16)).into_bytes();
    let request = |body| {
        Request::post("/api/admin/partners")
            .header("X-API-Key", &admin)
            .header("Content-Type", "application/json")
            .body(Body::from(body))
            .unwrap()
    };
    app.send(request(padded(65_536))).await.ok(201);
    app.send(request(padded(65_537)))
        .await
        .problem(413, "invalid_request", "");
    // An empty body stands for `{}`, whatever its content type.
    let empty = Request::post("/api/admin/api-keys/mpk_0/rotate")
        .header("X-API-Key", &admin)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Body::empty())
        .unwrap();
    app.send(empty)
        .await
        .problem(404, "not_found", "key_not_found");
    let untyped = Request::post("/api/admin/partners")
        .header("X-API-Key", &admin)
        .body(Body::from("{}"))
        .unwrap();
    app.send(untyped).await.problem(415, "invalid_request", "");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn queries(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    for (path, at) in [
        ("/api/admin/partners?page=2", "page"),
        ("/api/admin/partners?q=a&q=b", "q"),
        ("/api/admin/partners?q=%00", "q"),
        ("/api/admin/partners?active=yes", "active"),
        ("/api/admin/partners?limit=0", "limit"),
        ("/api/admin/partners?limit=201", "limit"),
        ("/api/admin/partners?cursor=!", "cursor"),
        ("/api/admin/partners?cursor=5f-mpk_1", "cursor"),
        ("/api/admin/api-keys?partnerId=7", "partnerId"),
        ("/api/admin/api-keys?status=alive", "status"),
        ("/api/admin/api-keys?environment=prod", "environment"),
        ("/api/admin/audit?since=yesterday", "since"),
        ("/api/admin/audit?action=key.eaten", "action"),
        ("/api/admin/audit?keyId=a.b", "keyId"),
    ] {
        assert_eq!(app.get(path, &admin).await.faults(), [at], "{path}");
    }
}
