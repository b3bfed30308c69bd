//! `/api/admin/partners`.

use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn partners_are_made_shown_and_changed(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let body = json!({"name": "  Ωmega \"<b>\" مؤسسة 🚀 ", "contactEmail": "ops@example.com"});
    let made = app.post("/api/admin/partners", &admin, body).await.ok(201)["partner"].clone();
    assert_eq!(made["name"], "Ωmega \"<b>\" مؤسسة 🚀");
    assert_eq!(
        (&made["active"], &made["activeKeys"]),
        (&json!(true), &json!(0))
    );
    let path = format!(
        "/api/admin/partners/{}",
        made["partnerId"].as_str().unwrap()
    );
    assert_eq!(app.get(&path, &admin).await.ok(200)["partner"], made);
    let changed = app
        .patch(
            &path,
            &admin,
            json!({"contactEmail": null, "name": "Omega"}),
        )
        .await
        .ok(200)["partner"]
        .clone();
    assert_eq!(
        (&changed["name"], &changed["contactEmail"]),
        (&json!("Omega"), &json!(null))
    );
    assert_eq!(
        app.patch(&path, &admin, json!({"active": null}))
            .await
            .faults(),
        ["active"]
    );
    for path in [
        "/api/admin/partners/7",
        "/api/admin/partners/00000000-0000-4000-8000-000000000000",
    ] {
        app.get(path, &admin)
            .await
            .problem(404, "not_found", "partner_not_found");
        app.patch(path, &admin, json!({}))
            .await
            .problem(404, "not_found", "partner_not_found");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn active_keys_are_the_usable_ones(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let mut keys = Vec::new();
    for _ in 0..5 {
        keys.push(app.key(&partner, &["assets:read"]).await.key_id);
    }
    app.sql(
        "update api_keys set revoked_at = now() where key_id = $1",
        keys[0].as_str(),
    )
    .await;
    app.sql(
        "update api_keys set not_before = '2027-02-01Z' where key_id = $1",
        keys[1].as_str(),
    )
    .await;
    app.sql(
        "update api_keys set not_after = '2027-01-01Z' where key_id = $1",
        keys[2].as_str(),
    )
    .await;
    // Retiring keys count, and so do their successors.
    app.post(
        &format!("/api/admin/api-keys/{}/rotate", keys[3]),
        &admin,
        json!({"graceSeconds": 60}),
    )
    .await
    .ok(201);
    let path = format!("/api/admin/partners/{}", partner.partner_id);
    assert_eq!(
        app.get(&path, &admin).await.ok(200)["partner"]["activeKeys"],
        3
    );
}
