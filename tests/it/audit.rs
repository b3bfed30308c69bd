//! Audit log: an event for every change, in the same transaction, in an unbroken chain.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row};

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn events_record_actor_action_target_and_origin(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (admin_id, _) = admin.split_once('.').unwrap();
    let made = app
        .post("/api/admin/partners", &admin, json!({"name": "Acme"}))
        .await;
    let partner_id = made.ok(201)["partner"]["partnerId"].clone();
    let body = json!({"partnerId": partner_id, "scopes": ["assets:read"]});
    let key_id = app
        .post("/api/admin/api-keys/issue", &admin, body)
        .await
        .ok(201)["keyId"]
        .clone();
    let path = format!("/api/admin/api-keys/{}", key_id.as_str().unwrap());
    app.patch(&path, &admin, json!({"ratePerMinute": 5}))
        .await
        .ok(200);
    app.post(
        &format!("{path}/rotate"),
        &admin,
        json!({"graceSeconds": 60}),
    )
    .await
    .ok(201);
    let revoked = app
        .post(
            &format!("{path}/revoke"),
            &admin,
            json!({"reason": "key_compromise", "note": "leak"}),
        )
        .await;
    let events = app
        .get(
            &format!(
                "/api/admin/audit?partnerId={}",
                partner_id.as_str().unwrap()
            ),
            &admin,
        )
        .await
        .ok(200)["events"]
        .clone();
    let actions: Vec<&str> = events
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    // All at one moment of the clock, so in no order: the five of them.
    for action in [
        "partner.created",
        "key.issued",
        "key.updated",
        "key.rotated",
        "key.revoked",
    ] {
        assert!(actions.contains(&action), "{actions:?}");
    }
    let event = events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["action"] == "key.revoked")
        .unwrap();
    assert_eq!(event["actor"], json!({"type": "key", "id": admin_id}));
    assert_eq!(
        (&event["keyId"], &event["ip"]),
        (&key_id, &json!("192.0.2.1"))
    );
    assert_eq!(event["requestId"], revoked.header("x-request-id"));
    assert_eq!(
        event["details"],
        json!({"reason": "key_compromise", "note": "leak", "previousReason": null})
    );
    let updated = events
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["action"] == "key.updated")
        .unwrap();
    assert_eq!(
        updated["details"],
        json!({"ratePerMinute": {"from": 300, "to": 5}})
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_writers_keep_the_chain_unbroken(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partners = (0..20).map(|n| {
        app.post(
            "/api/admin/partners",
            &admin,
            json!({"name": format!("Partner {n}")}),
        )
    });
    for answer in futures::future::join_all(partners).await {
        answer.ok(201);
    }
    let rows = sqlx::query("select seq, event_id::text, actor_id, canonical, prev_hash, hash from audit_events order by seq")
        .fetch_all(&app.pool)
        .await
        .unwrap();
    assert_eq!(rows.len(), 22);
    let mut previous = vec![0_u8; 32];
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row.get::<i64, _>("seq"), i64::try_from(index).unwrap() + 1);
        assert_eq!(row.get::<Vec<u8>, _>("prev_hash"), previous);
        let canonical: Vec<u8> = row.get("canonical");
        previous = Sha256::new()
            .chain_update(&previous)
            .chain_update(&canonical)
            .finalize()
            .to_vec();
        assert_eq!(row.get::<Vec<u8>, _>("hash"), previous);
        // The canonical bytes tell the same as the columns.
        let canonical: Value = serde_json::from_slice(&canonical).unwrap();
        assert_eq!(
            (&canonical["version"], &canonical["seq"]),
            (&json!(1), &json!(index + 1))
        );
        assert_eq!(canonical["eventId"], row.get::<String, _>("event_id"));
        assert_eq!(canonical["actor"]["id"], row.get::<String, _>("actor_id"));
    }
    let head: (i64, Vec<u8>) = sqlx::query_as("select seq, hash from audit_head")
        .fetch_one(&app.pool)
        .await
        .unwrap();
    assert_eq!(head, (22, previous));
}

/// A change whose event can't be written does not happen.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_without_its_event_is_rolled_back(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    sqlx::query("alter table audit_events add constraint full_disk check (false) not valid")
        .execute(&app.pool)
        .await
        .unwrap();
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    let partner_path = format!("/api/admin/partners/{}", partner.partner_id);
    for answer in [
        app.post("/api/admin/partners", &admin, json!({"name": "Bcme"}))
            .await,
        app.post(
            "/api/admin/api-keys/issue",
            &admin,
            json!({"partnerId": partner.partner_id, "scopes": ["reverify"]}),
        )
        .await,
        app.post(&format!("{path}/rotate"), &admin, json!({})).await,
        app.post(&format!("{path}/revoke"), &admin, json!({})).await,
        app.patch(&path, &admin, json!({"name": "x"})).await,
        app.patch(&partner_path, &admin, json!({"active": false}))
            .await,
    ] {
        let body = answer.problem(500, "internal", "");
        assert!(!body.to_string().contains("full_disk"));
    }
    assert_eq!(app.count("select count(*) from api_keys").await, 2);
    assert_eq!(
        app.count("select count(*) from partners where active")
            .await,
        2
    );
    assert_eq!(
        app.get("/api/key", &key.token).await.ok(200)["key"]["name"],
        json!(null)
    );
}
