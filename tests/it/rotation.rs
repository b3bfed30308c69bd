//! Rotation and revocation.

use chrono::{DateTime, TimeDelta, Utc};
use myproof_registry::domain::key_input::IssueInput;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, start_of_time};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

fn rotate_path(key_id: &str) -> String {
    format!("/api/admin/api-keys/{key_id}/rotate")
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

async fn show(app: &TestApp, admin: &str, key_id: &str) -> Value {
    app.get(&format!("/api/admin/api-keys/{key_id}"), admin)
        .await
        .ok(200)["key"]
        .clone()
}

async fn works(app: &TestApp, token: &str) -> bool {
    app.get("/api/key", token).await.status == 200
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_immediate_rotation_replaces_the_key(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let old = app
        .issue(IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(vec!["reverify".into(), "assets:read".into()]),
            name: Some("billing".into()),
            environment: Some("test".into()),
            rate_per_minute: Some(42),
            not_after: Some("2027-06-01T00:00:00Z".into()),
            ..IssueInput::default()
        })
        .await;
    // An empty body is fine, without a content type too.
    let answer = app
        .call(
            "POST",
            &rotate_path(old.key_id.as_str()),
            Some(&admin),
            None,
        )
        .await
        .ok(201);
    let successor = answer["keyId"].as_str().unwrap();
    assert_eq!(answer["replaces"], old.key_id.as_str());
    assert_eq!(time(&answer["retiresAt"]), start_of_time());
    assert!(works(&app, answer["token"].as_str().unwrap()).await);
    app.get("/api/key", &old.token)
        .await
        .problem(401, "unauthorized", "key_inactive");

    let new = show(&app, &admin, successor).await;
    assert_eq!(new["scopes"], json!(["reverify", "assets:read"]));
    assert_eq!(
        (&new["name"], &new["environment"], &new["ratePerMinute"]),
        (&json!("billing"), &json!("test"), &json!(42))
    );
    assert_eq!(
        (&new["notAfter"], &new["rotatedFrom"]),
        (&json!("2027-06-01T00:00:00Z"), &json!(old.key_id))
    );
    let old = show(&app, &admin, old.key_id.as_str()).await;
    assert_eq!(
        (&old["status"], &old["revokedReason"], &old["replacedBy"]),
        (&json!("revoked"), &json!("superseded"), &json!(successor))
    );
    assert_eq!(old["revokedAt"], old["retiresAt"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn both_keys_work_during_the_grace_period(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let old = app.key(&partner, &["assets:read"]).await;
    let answer = app
        .post(
            &rotate_path(old.key_id.as_str()),
            &admin,
            json!({"graceSeconds": 3600}),
        )
        .await
        .ok(201);
    assert_eq!(
        time(&answer["retiresAt"]),
        start_of_time() + TimeDelta::hours(1)
    );
    let new_token = answer["token"].as_str().unwrap();
    assert!(works(&app, &old.token).await && works(&app, new_token).await);
    assert_eq!(
        show(&app, &admin, old.key_id.as_str()).await["status"],
        "retiring"
    );
    app.clock
        .advance(TimeDelta::hours(1) - TimeDelta::microseconds(1));
    assert!(works(&app, &old.token).await);
    app.clock.advance(TimeDelta::microseconds(1));
    app.get("/api/key", &old.token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    assert!(works(&app, new_token).await);
    let shown = show(&app, &admin, old.key_id.as_str()).await;
    assert_eq!(
        (&shown["status"], &shown["revokedReason"]),
        (&json!("revoked"), &json!("superseded"))
    );
    assert_eq!(shown["revokedAt"], shown["retiresAt"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_old_key_never_outlives_its_own_end(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let old = app
        .issue(IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(vec!["assets:read".into()]),
            not_after: Some("2027-01-15T12:30:00Z".into()),
            ..IssueInput::default()
        })
        .await;
    let body = json!({"graceSeconds": 3600, "notAfter": "2028-01-01T00:00:00Z"});
    let answer = app
        .post(&rotate_path(old.key_id.as_str()), &admin, body)
        .await
        .ok(201);
    assert_eq!(answer["retiresAt"], "2027-01-15T12:30:00Z");
    let shown = show(&app, &admin, old.key_id.as_str()).await;
    assert_eq!(shown["notAfter"], "2027-01-15T12:30:00Z");
    assert_eq!(
        show(&app, &admin, answer["keyId"].as_str().unwrap()).await["notAfter"],
        "2028-01-01T00:00:00Z"
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_scheduled_key_s_successor_begins_with_it(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let old = app
        .issue(IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(vec!["assets:read".into()]),
            not_before: Some("2027-02-01T00:00:00Z".into()),
            ..IssueInput::default()
        })
        .await;
    let path = rotate_path(old.key_id.as_str());
    let answer = app
        .post(&path, &admin, json!({"notAfter": "2027-01-20T00:00:00Z"}))
        .await;
    assert_eq!(answer.faults(), ["notAfter"]);
    let answer = app.post(&path, &admin, json!({})).await.ok(201);
    let new = show(&app, &admin, answer["keyId"].as_str().unwrap()).await;
    assert_eq!(
        (&new["notBefore"], &new["status"]),
        (&json!("2027-02-01T00:00:00Z"), &json!("scheduled"))
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_of_twenty_concurrent_rotations_succeeds(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let old = app.key(&partner, &["assets:read"]).await;
    let path = rotate_path(old.key_id.as_str());
    let rotations = (0..20).map(|_| app.post(&path, &admin, json!({})));
    let answers = futures::future::join_all(rotations).await;
    let winners: Vec<Value> = answers
        .iter()
        .filter(|answer| answer.status == 201)
        .map(super::support::Answer::json)
        .collect();
    assert_eq!(winners.len(), 1);
    for loser in answers.iter().filter(|answer| answer.status != 201) {
        let body = loser.problem(409, "conflict", "already_rotated");
        assert_eq!(body["replacedBy"], winners[0]["keyId"]);
    }
    let live = app
        .count(
            "select count(*) from api_keys where revoked_at is null and scopes = '{assets:read}'",
        )
        .await;
    assert_eq!(live, 1);
    assert!(works(&app, winners[0]["token"].as_str().unwrap()).await);
    assert!(!works(&app, &old.token).await);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refusals_have_a_fixed_precedence(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let rotated = app.key(&partner, &["assets:read"]).await;
    app.post(
        &rotate_path(rotated.key_id.as_str()),
        &admin,
        json!({"graceSeconds": 60}),
    )
    .await
    .ok(201);
    let revoked = app.key(&partner, &["assets:read"]).await;
    app.post(
        &format!("/api/admin/api-keys/{}/revoke", revoked.key_id),
        &admin,
        json!({}),
    )
    .await
    .ok(200);
    let expired = app.key(&partner, &["assets:read"]).await;
    app.sql(
        "update api_keys set not_after = '2027-01-15T11:00:00Z' where key_id = $1",
        expired.key_id.as_str(),
    )
    .await;
    let live = app.key(&partner, &["assets:read"]).await;
    app.sql(
        "update partners set active = false where name = 'Acme' and $1 <> ''",
        "x",
    )
    .await;

    app.post(&rotate_path(rotated.key_id.as_str()), &admin, json!({}))
        .await
        .problem(409, "conflict", "already_rotated");
    app.clock.advance(TimeDelta::minutes(2));
    app.post(&rotate_path(rotated.key_id.as_str()), &admin, json!({}))
        .await
        .problem(409, "conflict", "already_rotated");
    app.post(&rotate_path(revoked.key_id.as_str()), &admin, json!({}))
        .await
        .problem(409, "conflict", "key_inactive");
    app.post(&rotate_path(expired.key_id.as_str()), &admin, json!({}))
        .await
        .problem(409, "conflict", "key_inactive");
    app.post(&rotate_path(live.key_id.as_str()), &admin, json!({}))
        .await
        .problem(409, "conflict", "partner_inactive");
    app.post(&rotate_path("mpk_0"), &admin, json!({}))
        .await
        .problem(404, "not_found", "key_not_found");
    for (body, path) in [
        (json!({"graceSeconds": -1}), "graceSeconds"),
        (json!({"graceSeconds": 2_592_001}), "graceSeconds"),
        (json!({"graceSeconds": 1.5}), "graceSeconds"),
        (json!({"notAfter": "2020-01-01T00:00:00Z"}), "notAfter"),
        (json!({"grace": 1}), "grace"),
    ] {
        assert_eq!(
            app.post(&rotate_path(live.key_id.as_str()), &admin, body)
                .await
                .faults(),
            [path]
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn revoking_is_final_and_idempotent(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}/revoke", key.key_id);
    let first = app
        .post(
            &path,
            &admin,
            json!({"reason": "cessation_of_operation", "note": "done"}),
        )
        .await
        .ok(200);
    assert_eq!(
        (&first["status"], &first["keyId"]),
        (&json!("revoked"), &json!(key.key_id))
    );
    assert!(!works(&app, &key.token).await);
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(app.post(&path, &admin, json!({})).await.ok(200), first);
    // A compromise outweighs a weaker reason; the time stays.
    assert_eq!(
        app.post(&path, &admin, json!({"reason": "key_compromise"}))
            .await
            .ok(200),
        first
    );
    assert_eq!(
        app.post(&path, &admin, json!({"reason": "superseded"}))
            .await
            .ok(200),
        first
    );
    let shown = show(&app, &admin, key.key_id.as_str()).await;
    assert_eq!(
        (&shown["revokedReason"], &shown["revokedAt"]),
        (&json!("key_compromise"), &first["revokedAt"])
    );
    assert_eq!(
        app.count("select count(*) from audit_events where action = 'key.revoked'")
            .await,
        2
    );
    app.post("/api/admin/api-keys/mpk_0/revoke", &admin, json!({}))
        .await
        .problem(404, "not_found", "key_not_found");
    assert_eq!(
        app.post(
            &path,
            &admin,
            json!({"reason": "stolen", "note": "x".repeat(201)})
        )
        .await
        .faults(),
        ["reason", "note"]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn revoking_a_key_whose_grace_has_ended_keeps_its_time(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let rotated = app
        .post(
            &rotate_path(key.key_id.as_str()),
            &admin,
            json!({"graceSeconds": 60}),
        )
        .await
        .ok(201);
    app.clock.advance(TimeDelta::minutes(5));
    let path = format!("/api/admin/api-keys/{}/revoke", key.key_id);
    let revoked = app
        .post(&path, &admin, json!({"reason": "key_compromise"}))
        .await
        .ok(200);
    assert_eq!(revoked["revokedAt"], rotated["retiresAt"]);
    assert_eq!(
        show(&app, &admin, key.key_id.as_str()).await["revokedReason"],
        "key_compromise"
    );
}
