//! The policy of key ages: due keys, the longest lifetime, stale keys.

use chrono::TimeDelta;
use myproof_registry::domain::operator::Role;
use myproof_registry::domain::overview::Count;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, start_of_time};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

async fn set(app: &TestApp, admin: &str, policy: Value) {
    app.patch("/api/admin/policy", admin, policy).await.ok(200);
}

/// The ids of the keys that a list's query finds.
async fn found(app: &TestApp, admin: &str, query: &str) -> Vec<String> {
    let path = format!("/api/admin/api-keys?{query}");
    let body = app.get(&path, admin).await.ok(200);
    let keys = body["keys"].as_array().unwrap();
    let mut ids: Vec<String> = keys
        .iter()
        .map(|key| key["keyId"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn rules_are_off_by_default_and_changes_are_audited(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let policy = app.get("/api/admin/policy", &admin).await.ok(200)["policy"].clone();
    assert_eq!(policy["maxKeyAgeDays"], Value::Null);
    assert_eq!(policy["maxLifetimeDays"], Value::Null);
    assert_eq!(policy["staleAfterDays"], 90);
    set(
        &app,
        &admin,
        json!({"maxKeyAgeDays": 30, "staleAfterDays": null}),
    )
    .await;
    set(&app, &admin, json!({})).await;
    let policy = app.get("/api/admin/policy", &admin).await.ok(200)["policy"].clone();
    assert_eq!(
        (&policy["maxKeyAgeDays"], &policy["staleAfterDays"]),
        (&json!(30), &Value::Null)
    );
    let events = app
        .get("/api/admin/audit?action=policy.changed", &admin)
        .await
        .ok(200)["events"]
        .clone();
    assert_eq!(events.as_array().unwrap().len(), 1);
    assert_eq!(
        events[0]["details"]["maxKeyAgeDays"],
        json!({"from": null, "to": 30})
    );
    let refused = app
        .patch(
            "/api/admin/policy",
            &admin,
            json!({"maxKeyAgeDays": 0, "maxLifetimeDays": 3651}),
        )
        .await;
    assert_eq!(refused.faults(), ["maxKeyAgeDays", "maxLifetimeDays"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn keys_past_their_age_are_due_until_they_are_rotated(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (acme, other) = (app.partner("Acme").await, app.partner("Other").await);
    let old = app.key(&acme, &["assets:read"]).await;
    let others = app.key(&other, &["assets:read"]).await;
    set(&app, &admin, json!({"maxKeyAgeDays": 30})).await;
    let path = format!("/api/admin/partners/{}", other.partner_id);
    app.patch(&path, &admin, json!({"maxKeyAgeDays": 10}))
        .await
        .ok(200);

    app.clock
        .advance(TimeDelta::days(10) - TimeDelta::milliseconds(1));
    assert!(found(&app, &admin, "rotationDue=true").await.is_empty());
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(
        found(&app, &admin, "rotationDue=true").await,
        [others.key_id.as_str()]
    );
    app.clock.advance(TimeDelta::days(20));
    let young = app.key(&acme, &["assets:read"]).await;
    assert_eq!(found(&app, &admin, "rotationDue=true").await.len(), 3);
    let path = format!("/api/admin/api-keys/{}", old.key_id);
    let key = app.get(&path, &admin).await.ok(200)["key"].clone();
    assert_eq!(key["rotationDue"], true);
    assert_eq!(
        key["rotationDueAt"],
        json!(start_of_time() + TimeDelta::days(30))
    );
    // A key that is due goes on working.
    app.get("/api/key", &old.token).await.ok(200);
    assert_eq!(
        app.services.keys.overview(None).await.unwrap().rotation_due,
        Count::Exactly(3)
    );

    // Bulk finds what is due, of one partner here.
    let select = json!({"partnerId": acme.partner_id, "rotationDue": true});
    let preview = json!({"action": "rotate", "select": select});
    let preview = app
        .post("/api/admin/bulk/preview", &admin, preview)
        .await
        .ok(200);
    assert_eq!(preview["keys"].as_array().unwrap().len(), 1, "{preview}");
    let rotated = app
        .post("/api/admin/bulk/rotate", &admin, json!({"select": select}))
        .await;
    assert_eq!(
        rotated.ok(201)["rotated"][0]["replaces"],
        old.key_id.as_str()
    );
    // Neither the rotated key nor its successor is due now.
    let path = format!("/api/admin/api-keys/{}", old.key_id);
    let key = app.get(&path, &admin).await.ok(200)["key"].clone();
    assert_eq!(
        (&key["rotationDue"], &key["rotationDueAt"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(
        app.services.keys.overview(None).await.unwrap().rotation_due,
        Count::Exactly(2)
    );
    assert!(
        found(&app, &admin, "rotationDue=false")
            .await
            .contains(&young.key_id.to_string())
    );
    let refused = app
        .post(
            "/api/admin/bulk/rotate",
            &admin,
            json!({"select": {"rotationDue": false}}),
        )
        .await;
    assert_eq!(refused.faults(), ["select.rotationDue"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_new_key_may_not_outlive_the_policy(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let acme = app.partner("Acme").await;
    let forever = app.key(&acme, &["assets:read"]).await;
    set(&app, &admin, json!({"maxLifetimeDays": 90})).await;
    let after = |days| start_of_time() + TimeDelta::days(days);
    let issue = |not_after: Value| json!({"partnerId": acme.partner_id, "scopes": ["assets:read"], "notAfter": not_after});
    for too_long in [Value::Null, json!(after(91))] {
        let refused = app
            .post("/api/admin/api-keys/issue", &admin, issue(too_long))
            .await;
        assert_eq!(refused.faults(), ["notAfter"]);
        assert!(
            refused.text.contains("90 days") && refused.text.contains("2027-04-15T12:00:00Z"),
            "{}",
            refused.text
        );
    }
    let issued = app
        .post("/api/admin/api-keys/issue", &admin, issue(json!(after(90))))
        .await
        .ok(201);
    let path = format!("/api/admin/api-keys/{}", issued["keyId"].as_str().unwrap());
    // Shortening is free, lengthening has the limit, counted from the key's begin.
    app.patch(&path, &admin, json!({"notAfter": after(50)}))
        .await
        .ok(200);
    app.clock.advance(TimeDelta::days(40));
    app.patch(&path, &admin, json!({"notAfter": after(90)}))
        .await
        .ok(200);
    for too_long in [json!(after(91)), Value::Null] {
        let refused = app
            .patch(&path, &admin, json!({"notAfter": too_long}))
            .await;
        assert_eq!(refused.faults(), ["notAfter"]);
    }
    // What is older than the rule goes on, and other changes to it are free.
    let old = format!("/api/admin/api-keys/{}", forever.key_id);
    app.patch(&old, &admin, json!({"ratePerMinute": 7}))
        .await
        .ok(200);
    // A successor inherits the end; an order that names one has the limit.
    let refused = app
        .post(
            &format!("{old}/rotate"),
            &admin,
            json!({"notAfter": after(131)}),
        )
        .await;
    assert_eq!(refused.faults(), ["notAfter"]);
    app.post(&format!("{old}/rotate"), &admin, json!({}))
        .await
        .ok(201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn unused_keys_are_stale(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let acme = app.partner("Acme").await;
    let used = app.key(&acme, &["assets:read"]).await;
    let unused = app.key(&acme, &["assets:read"]).await;
    let ended = app.key(&acme, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}/revoke", ended.key_id);
    app.post(&path, &admin, json!({})).await.ok(200);
    set(&app, &admin, json!({"staleAfterDays": 30})).await;
    app.clock.advance(TimeDelta::days(20));
    app.get("/api/key", &used.token).await.ok(200);
    app.get("/api/key", &admin).await.ok(200);
    app.state
        .guard
        .usage()
        .flush_first(&app.pool)
        .await
        .unwrap();
    app.state.guard.usage().flush(&app.pool).await.unwrap();
    app.clock
        .advance(TimeDelta::days(10) - TimeDelta::milliseconds(1));
    assert!(found(&app, &admin, "stale=true").await.is_empty());
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(
        found(&app, &admin, "stale=true").await,
        [unused.key_id.as_str()]
    );
    assert_eq!(
        app.services.keys.overview(None).await.unwrap().stale,
        Count::Exactly(1)
    );
    let refused = app
        .get("/api/admin/api-keys?stale=maybe&rotationDue=1", &admin)
        .await;
    assert_eq!(refused.faults(), ["rotationDue", "stale"]);
}

/// What SQL finds is what a key says of itself, whatever its dates.
#[sqlx::test(migrator = "MIGRATOR")]
async fn filters_and_keys_say_the_same(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let acme = app.partner("Acme").await;
    let template = app.key(&acme, &["assets:read"]).await;
    sqlx::query(
        "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by,
                               created_at, not_before, not_after, revoked_at, retires_at)
         select 'mpk_' || row_number() over (), k.partner_id, k.scopes, k.secret_hash, k.check_tag, k.pepper_fingerprint,
                'cli:test', $2 + made, $2 + begins, $2 + ends, $2 + revoked, $2 + retires
           from api_keys k,
                unnest(array['-40 days', '-30 days', '-1 day']::interval[]) made,
                unnest(array['-31 days', '5 days']::interval[]) begins,
                unnest(array[null, '-1 hour', '0', '1 hour', '90 days']::interval[]) ends,
                unnest(array[null, '-1 hour']::interval[]) revoked,
                unnest(array[null, '-1 hour', '1 hour']::interval[]) retires
          where k.key_id = $1 and (ends is null or ends > begins)",
    )
    .bind(template.key_id.as_str())
    .bind(start_of_time())
    .execute(&app.pool)
    .await
    .unwrap();
    set(
        &app,
        &admin,
        json!({"maxKeyAgeDays": 30, "staleAfterDays": 30}),
    )
    .await;
    let all = app
        .get("/api/admin/api-keys?limit=200", &admin)
        .await
        .ok(200)["keys"]
        .clone();
    let all = all.as_array().unwrap();
    assert!((100..200).contains(&all.len()), "{}", all.len());
    for (field, count) in [
        (
            "rotationDue",
            app.services.keys.overview(None).await.unwrap().rotation_due,
        ),
        (
            "stale",
            app.services.keys.overview(None).await.unwrap().stale,
        ),
    ] {
        for wanted in [true, false] {
            let mut said: Vec<&str> = all
                .iter()
                .filter(|key| key[field] == wanted)
                .map(|key| key["keyId"].as_str().unwrap())
                .collect();
            said.sort_unstable();
            assert!(said.len() > 5, "{field} {wanted}: {}", said.len());
            let query = format!("{field}={wanted}&limit=200");
            assert_eq!(found(&app, &admin, &query).await, said, "{field} {wanted}");
            if wanted {
                assert_eq!(count, Count::Exactly(said.len() as i64), "{field}");
            }
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_policy_cannot_be_deleted_or_made_invalid(pool: PgPool) {
    let app = TestApp::new(pool);
    for sql in [
        "delete from policy",
        "insert into policy default values",
        "update policy set max_key_age_days = 0",
    ] {
        assert!(
            sqlx::raw_sql(sql).execute(&app.pool).await.is_err(),
            "{sql}"
        );
    }
    let auditor = app.signed_in("auditor@example.com", Role::Auditor).await;
    let page = app.page("/settings", Some(&auditor)).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Maximum key age") && !page.text.contains("Save policy"));
    let admin = app.signed_in("admin@example.com", Role::Admin).await;
    let page = app.page("/settings", Some(&admin)).await;
    assert!(page.text.contains("Save policy"));
}
