//! `/api/admin/api-keys`: issuing, showing, changing.

use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn issuing_returns_the_token_once_and_does_not_store_it(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let body = json!({
        "partnerId": partner.partner_id, "scopes": ["assets:mint", "reverify"], "name": " Mint ",
        "environment": "development", "ratePerMinute": 10000,
        "notBefore": "2020-01-01T00:00:00+01:00", "notAfter": "2027-12-31T23:59:59.5Z"
    });
    let issued = app
        .post("/api/admin/api-keys/issue", &admin, body)
        .await
        .ok(201);
    let token = issued["token"].as_str().unwrap();
    let (key_id, secret) = token.split_once('.').unwrap();
    assert_eq!(issued["keyId"], key_id);
    assert!(key_id.starts_with("mpk_") && key_id.len() == 16 && secret.len() == 72);
    assert_eq!(issued["notBefore"], "2019-12-31T23:00:00Z");
    assert_eq!(issued["notAfter"], "2027-12-31T23:59:59.500Z");
    assert_eq!(issued["partnerId"], partner.partner_id.to_string());

    let key = app
        .get(&format!("/api/admin/api-keys/{key_id}"), &admin)
        .await
        .ok(200)["key"]
        .clone();
    let members: Vec<&String> = key.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 23, "{members:?}");
    assert_eq!(
        (&key["name"], &key["status"], &key["partnerName"]),
        (&json!("Mint"), &json!("active"), &json!("Acme"))
    );
    assert!(key["createdBy"].as_str().unwrap().starts_with("key:mpk_"));

    // The secret stands in no column of any table.
    let everything: Vec<String> = sqlx::query_scalar(
        "select row_to_json(k)::text from api_keys k union all select row_to_json(a)::text from audit_events a
         union all select convert_from(canonical, 'utf8') from audit_events",
    )
    .fetch_all(&app.pool)
    .await
    .unwrap();
    assert!(!everything.is_empty());
    for row in everything {
        assert!(
            !row.contains(&secret[..64]) && !row.contains(token),
            "{row}"
        );
    }
    let stored: String = sqlx::query_scalar("select secret_hash from api_keys where key_id = $1")
        .bind(key_id)
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn defaults_are_the_documented_ones(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let body =
        json!({"partnerId": partner.partner_id, "scopes": ["assets:read"], "notAfter": null});
    let issued = app
        .post("/api/admin/api-keys/issue", &admin, body)
        .await
        .ok(201);
    assert_eq!(
        (&issued["environment"], &issued["ratePerMinute"]),
        (&json!("production"), &json!(300))
    );
    assert_eq!(
        (&issued["notBefore"], &issued["notAfter"]),
        (&json!("2027-01-15T12:00:00Z"), &json!(null))
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_taken_id_is_generated_again(pool: PgPool) {
    // Two applications with the same randomness draw the same ids.
    let first = TestApp::new(pool.clone());
    let partner = first.partner("Acme").await;
    let one = first.key(&partner, &["assets:read"]).await;
    let second = TestApp::with(
        pool,
        crate::support::Setting {
            seed: 1,
            ..Default::default()
        },
    );
    // The same draws as the partner's and its event's ids, so that the next is the key's.
    let entropy = &second.services.entropy();
    entropy.uuid();
    entropy.uuid();
    let two = second.key(&partner, &["assets:read"]).await;
    assert_ne!(one.key_id, two.key_id);
    assert_eq!(second.get("/api/key", &two.token).await.status, 200);
    assert_eq!(second.get("/api/key", &one.token).await.status, 200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_live_key_s_attributes_can_be_changed(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    let body = json!({"name": "new", "environment": "test", "ratePerMinute": 1, "notAfter": "2027-02-01T00:00:00Z"});
    let changed = app.patch(&path, &admin, body.clone()).await.ok(200)["key"].clone();
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&changed[field], value);
    }
    let cleared = app
        .patch(&path, &admin, json!({"name": null, "notAfter": null}))
        .await
        .ok(200)["key"]
        .clone();
    assert_eq!(
        (
            &cleared["name"],
            &cleared["notAfter"],
            &cleared["ratePerMinute"]
        ),
        (&json!(null), &json!(null), &json!(1))
    );
    app.patch(&path, &admin, json!({})).await.ok(200);
    // What changed nothing is no event.
    assert_eq!(
        app.count("select count(*) from audit_events where action = 'key.updated'")
            .await,
        2
    );
    for (body, at) in [
        (json!({"scopes": ["admin:*"]}), "scopes"),
        (json!({"partnerId": partner.partner_id}), "partnerId"),
        (json!({"ratePerMinute": null}), "ratePerMinute"),
        (json!({"notAfter": "2027-01-15T12:00:00Z"}), "notAfter"),
    ] {
        assert_eq!(app.patch(&path, &admin, body).await.faults(), [at]);
    }
    app.post(&format!("{path}/revoke"), &admin, json!({}))
        .await
        .ok(200);
    app.patch(&path, &admin, json!({"name": "x"}))
        .await
        .problem(409, "conflict", "key_inactive");
    app.patch("/api/admin/api-keys/mpk_0", &admin, json!({}))
        .await
        .problem(404, "not_found", "key_not_found");
    app.get("/api/admin/api-keys/%00", &admin)
        .await
        .problem(404, "not_found", "key_not_found");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_expiry_before_the_start_is_refused(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    app.sql(
        "update api_keys set not_before = '2027-03-01T00:00:00Z' where key_id = $1",
        key.key_id.as_str(),
    )
    .await;
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    assert_eq!(
        app.patch(&path, &admin, json!({"notAfter": "2027-02-01T00:00:00Z"}))
            .await
            .faults(),
        ["notAfter"]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_grace_period_follows_a_shortened_expiry(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    app.post(
        &format!("{path}/rotate"),
        &admin,
        json!({"graceSeconds": 86400}),
    )
    .await
    .ok(201);
    let key = app
        .patch(&path, &admin, json!({"notAfter": "2027-01-15T13:00:00Z"}))
        .await
        .ok(200)["key"]
        .clone();
    assert_eq!(
        (&key["retiresAt"], &key["status"]),
        (&json!("2027-01-15T13:00:00Z"), &json!("retiring"))
    );
}
