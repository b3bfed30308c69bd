//! The overview, its filters, and a key's page.

use chrono::TimeDelta;
use myproof_registry::domain::key::KeyStatus;
use myproof_registry::domain::operator::Role;
use myproof_registry::domain::overview::{Count, Overview};
use serde_json::{Value, json};
use sqlx::PgPool;
use strum::VariantArray;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// The ids of the keys that a query finds.
async fn found(app: &TestApp, admin: &str, query: &str) -> Vec<String> {
    let path = format!("/api/admin/api-keys?limit=200&{query}");
    let keys = app.get(&path, admin).await.ok(200)["keys"].clone();
    let keys = keys.as_array().unwrap().iter();
    keys.map(|key| key["keyId"].as_str().unwrap().to_owned())
        .collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_count_matches_its_linked_list(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let write = async || {
        app.state.guard.usage().flush(&app.pool).await.unwrap();
    };
    // One that ends in 14 days, one a moment later.
    let (soon, later) = (
        app.key(&partner, &["assets:read"]).await,
        app.key(&partner, &["assets:read"]).await,
    );
    let end = app.services.now() + TimeDelta::days(14);
    for (key, end) in [(&soon, end), (&later, end + TimeDelta::minutes(1))] {
        let path = format!("/api/admin/api-keys/{}", key.key_id);
        app.patch(&path, &admin, json!({"notAfter": end}))
            .await
            .ok(200);
    }
    // Two that are retiring; calls still arrive on one.
    let (old, quiet) = (
        app.key(&partner, &["assets:read"]).await,
        app.key(&partner, &["assets:read"]).await,
    );
    app.get("/api/key", &quiet.token).await.ok(200);
    write().await;
    app.clock.advance(TimeDelta::seconds(1));
    for key in [&old, &quiet] {
        let path = format!("/api/admin/api-keys/{}/rotate", key.key_id);
        app.post(&path, &admin, json!({"graceSeconds": 3600}))
            .await
            .ok(201);
    }
    app.clock.advance(TimeDelta::seconds(1));
    app.get("/api/key", &old.token).await.ok(200);
    // One that is refused: revoked, and called again.
    let dead = app.key(&partner, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}/revoke", dead.key_id);
    app.post(&path, &admin, json!({})).await.ok(200);
    app.get("/api/key", &dead.token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    write().await;

    let lists = async |overview: &Overview| {
        for (query, count) in [
            ("expiring=true", overview.expiring),
            ("rotationDue=true", overview.rotation_due),
            ("stillUsed=true", overview.still_used),
            ("refused=true", overview.refused),
            ("stale=true", overview.stale),
        ] {
            let found = found(&app, &admin, query).await;
            assert_eq!(count, Count::Exactly(found.len() as i64), "{query}");
            let (name, _) = query.split_once('=').unwrap();
            let others = format!("{name}=false");
            assert_eq!(
                found.len() + self::found(&app, &admin, &others).await.len(),
                8,
                "{query}"
            );
        }
        for status in KeyStatus::VARIANTS.iter().copied() {
            let found = found(&app, &admin, &format!("status={}", status.into_str())).await;
            assert_eq!(
                overview.of(status),
                Some(Count::Exactly(found.len() as i64))
            );
        }
    };
    let overview = app.services.keys.overview(None).await.unwrap();
    lists(&overview).await;
    assert_eq!(
        found(&app, &admin, "expiring=true").await,
        [soon.key_id.as_str()]
    );
    assert_eq!(
        found(&app, &admin, "stillUsed=true").await,
        [old.key_id.as_str()]
    );
    assert_eq!(
        found(&app, &admin, "refused=true").await,
        [dead.key_id.as_str()]
    );
    let unused = found(&app, &admin, "neverUsed=true").await;
    assert!(
        !unused.contains(&old.key_id.to_string()) && !unused.contains(&quiet.key_id.to_string())
    );
    assert!(unused.contains(&soon.key_id.to_string()));
    let of_partner = app
        .services
        .keys
        .overview(Some(partner.partner_id))
        .await
        .unwrap();
    assert_eq!(of_partner.of(KeyStatus::Active), Some(Count::Exactly(4)));
    assert_eq!(of_partner.of(KeyStatus::Revoked), Some(Count::Exactly(1)));

    // An hour later nothing was refused lately, and the graces are over.
    app.clock.advance(TimeDelta::hours(1));
    let overview = app.services.keys.overview(None).await.unwrap();
    assert_eq!(
        (overview.refused, overview.still_used),
        (Count::Exactly(0), Count::Exactly(0))
    );
    lists(&overview).await;
}

/// A number that can't be had in time is not waited for, and keeps none of the others away.
#[sqlx::test(migrator = "MIGRATOR")]
async fn the_overview_does_not_wait_for_a_slow_count(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    app.key(&partner, &["assets:read"]).await;
    let mut slow = app.pool.begin().await.unwrap();
    sqlx::query("lock table api_key_last_use in access exclusive mode")
        .execute(&mut *slow)
        .await
        .unwrap();
    let overview = app.services.keys.overview(None).await.unwrap();
    assert_eq!(overview.refused, Count::Unknown);
    assert_eq!(overview.expiring, Count::Exactly(0));
    assert_eq!(overview.of(KeyStatus::Active), Some(Count::Exactly(1)));
    slow.rollback().await.unwrap();
    let overview = app.services.keys.overview(None).await.unwrap();
    assert_eq!(overview.refused, Count::Exactly(0));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_page_shows_usage_lineage_and_events(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    app.get("/api/key", &key.token).await.ok(200);
    app.clock.advance(TimeDelta::hours(1));
    let cookie = app.signed_in("ops@example.com", Role::Auditor).await;
    let wrong = format!("{}0", &key.token[..key.token.len() - 1]);
    app.get("/api/key", &key.token).await.ok(200);
    app.get("/api/key", &key.token).await.ok(200);
    assert_eq!(app.get("/api/key", &wrong).await.status, 401);
    let path = format!("/api/admin/api-keys/{}/rotate", key.key_id);
    let next = app
        .post(&path, &admin, json!({"graceSeconds": 3600}))
        .await
        .ok(201);
    app.state.guard.usage().flush(&app.pool).await.unwrap();

    let details = async |key_id: &str| {
        let answer = app
            .rpc("keys/details", Some(&cookie), json!({"key_id": key_id}))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["details"].clone()
    };
    let shown = details(key.key_id.as_str()).await;
    let hours = shown["hours"].as_array().unwrap();
    assert_eq!(
        (hours.len(), shown["days"].as_array().unwrap().len()),
        (48, 30)
    );
    let accepted = |uses: &Value| uses["accepted"].as_i64().unwrap();
    assert_eq!((accepted(&hours[46]), accepted(&hours[47])), (1, 2));
    assert_eq!(accepted(&shown["days"][29]), 3);
    let lineage: Vec<&Value> = shown["lineage"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["keyId"])
        .collect();
    assert_eq!(lineage, [&json!(key.key_id), &next["keyId"]]);
    assert_eq!(
        details(next["keyId"].as_str().unwrap()).await["lineage"],
        shown["lineage"]
    );
    let events = shown["events"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[1]["event"]["action"], "key.issued");
    let missing = app
        .rpc(
            "keys/details",
            Some(&cookie),
            json!({"key_id": "mpk_nobody"}),
        )
        .await;
    assert_eq!(missing.status, 404, "{}", missing.text);
    assert_eq!(
        app.page("/api-keys/mpk_nobody", Some(&cookie)).await.status,
        404
    );
    let page = app
        .page(&format!("/api-keys/{}", key.key_id), Some(&cookie))
        .await;
    assert!(page.text.contains("Last 48 hours: 3 accepted"));
    // The list has a small plot of the two hours, for this key alone.
    let list = app
        .rpc(
            "keys/list",
            Some(&cookie),
            json!({"query": {"partnerId": partner.partner_id}}),
        )
        .await
        .json();
    assert_eq!(list["sparklines"], json!([null, "M69 20v-10M71 20v-20"]));
}
