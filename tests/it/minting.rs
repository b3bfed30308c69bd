//! Recording assets: once per partner and content, and once per idempotency key.

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use futures::future::{join, join_all};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::proof_assets::{PARTNER_SCOPES, hash, mint, path, transfer};
use crate::schema::refused_by;
use crate::support::{Answer, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// A mint with these idempotency keys, none or one unless something is wrong.
async fn mint_under(app: &TestApp, token: &str, keys: &[&[u8]], body: &str) -> Answer {
    let mut request = Request::post("/api/proof-assets")
        .header("X-API-Key", token)
        .header("Content-Type", "application/json");
    for key in keys {
        request = request.header("Idempotency-Key", *key);
    }
    app.send(request.body(Body::from(body.to_owned())).unwrap())
        .await
}

fn deed(n: u8) -> String {
    json!({"contentHash": hash(n), "title": format!("Deed {n}")}).to_string()
}

async fn assets(app: &TestApp) -> i64 {
    app.count("select count(*) from proof_assets").await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_asset_is_recorded_as_sent(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, PARTNER_SCOPES).await;
    let body = json!({
        "contentHash": hash(0xab).to_uppercase(),
        "title": "  Ωmega \"<b>\" مؤسسة 🚀 ",
        "externalRef": " R-1 ",
        "metadata": {"z": [1, -2, 31.245270191439438, 1e300, null, true], "a": {"": "ä\n"}},
    });
    let answer = app.post("/api/proof-assets", &key.token, body).await;
    let asset = answer.ok(201)["asset"].clone();
    assert_eq!(asset["contentHash"], hash(0xab));
    assert_eq!(asset["title"], "Ωmega \"<b>\" مؤسسة 🚀");
    assert_eq!(asset["externalRef"], "R-1");
    assert!(
        answer.text.contains("31.245270191439438"),
        "{}",
        answer.text
    );
    assert_eq!(asset["metadata"]["a"], json!({"": "ä\n"}));
    assert_eq!(asset["status"], "active");
    assert_eq!(asset["partnerId"], json!(partner.partner_id));
    assert_eq!(asset["mintedBy"], json!(key.key_id));
    assert_eq!(asset["createdAt"], "2027-01-15T12:00:00Z");
    assert_eq!(asset["updatedAt"], asset["createdAt"]);
    let shown = app.get(&path(&asset), &key.token).await;
    assert_eq!(shown.ok(200)["asset"].to_string(), asset.to_string());
    // What may be left out is null, and an empty object is one.
    let bare = mint(&app, &key.token, 2).await;
    assert_eq!(
        (&bare["externalRef"], &bare["metadata"]),
        (&json!(null), &json!(null))
    );
    let empty = json!({"contentHash": hash(3), "title": "x", "metadata": {}});
    let empty = app.post("/api/proof-assets", &key.token, empty).await;
    assert_eq!(empty.ok(201)["asset"]["metadata"], json!({}));
    // The event contains what was recorded, but not the partner's own data.
    let admin = app.admin().await;
    let told = app
        .get("/api/admin/audit?action=asset.minted", &admin)
        .await
        .ok(200)["events"]
        .clone();
    let told = told.as_array().unwrap().iter();
    let told: Vec<&Value> = told
        .filter(|event| event["assetId"] == asset["assetId"])
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["actor"], json!({"type": "key", "id": key.key_id}));
    assert_eq!(told[0]["partnerId"], asset["partnerId"]);
    assert_eq!(told[0]["requestId"], answer.header("x-request-id"));
    assert_eq!(
        told[0]["details"],
        json!({"contentHash": hash(0xab), "title": asset["title"], "externalRef": "R-1"})
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bad_input_records_nothing(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, PARTNER_SCOPES).await.token;
    let before = app.count("select count(*) from audit_events").await;
    let with = |changes: Value| {
        let mut body = json!({"contentHash": hash(1), "title": "Deed"});
        body.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        body.to_string()
    };
    let raw = |metadata: &str| {
        format!(
            r#"{{"contentHash":"{}","title":"Deed","metadata":{metadata}}}"#,
            hash(1)
        )
    };
    for (body, at) in [
        (with(json!({"contentHash": "abc"})), "contentHash"),
        (with(json!({"contentHash": null})), "contentHash"),
        (with(json!({"contentHash": "xy".repeat(32)})), "contentHash"),
        (with(json!({"title": ""})), "title"),
        (with(json!({"title": "x".repeat(201)})), "title"),
        (with(json!({"title": "De\u{0}ed"})), "title"),
        (with(json!({"title": "De\u{202e}ed"})), "title"),
        (with(json!({"title": 7})), "title"),
        (with(json!({"externalRef": " "})), "externalRef"),
        (with(json!({"externalRef": "x".repeat(201)})), "externalRef"),
        (with(json!({"metadata": []})), "metadata"),
        (with(json!({"metadata": "{}"})), "metadata"),
        (
            with(json!({"metadata": {"a": "x".repeat(16 * 1024)}})),
            "metadata",
        ),
        (with(json!({"status": "active"})), "status"),
        (raw(r#"{"a":1,"a":2}"#), "metadata"),
        (raw(r#"{"a":"\u0000"}"#), "metadata.a"),
        (raw("1e999"), "body"),
        (
            format!(
                r#"{{"title":"Deed","title":"Deed","contentHash":"{}"}}"#,
                hash(1)
            ),
            "title",
        ),
    ] {
        let answer = mint_under(&app, &token, &[], &body).await;
        assert_eq!(answer.faults(), [at], "{body}");
    }
    let malformed: [&[&[u8]]; 6] = [
        &[b""],
        &[b"a b"],
        &["ä".as_bytes()],
        &[&[b'x'; 256]],
        &[b"a", b"a"],
        &[b"a", b"b"],
    ];
    for keys in malformed {
        let answer = mint_under(&app, &token, keys, &deed(1)).await;
        assert_eq!(answer.faults(), ["Idempotency-Key"], "{keys:?}");
    }
    assert_eq!(assets(&app).await, 0);
    assert_eq!(app.count("select count(*) from audit_events").await, before);
    // The largest that is taken.
    let largest = with(json!({"metadata": {"a": "x".repeat(16 * 1024 - 8)}}));
    mint_under(&app, &token, &[&[b'x'; 255]], &largest)
        .await
        .ok(201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_partner_can_mint_a_content_only_once(pool: PgPool) {
    let app = TestApp::new(pool);
    let (acme, bcme) = (app.partner("Acme").await, app.partner("Bcme").await);
    let giver = app.key(&acme, PARTNER_SCOPES).await.token;
    let receiver = app.key(&bcme, PARTNER_SCOPES).await.token;
    let asset = mint(&app, &giver, 1).await;
    let refused = async |token: &str| {
        let answer = mint_under(&app, token, &[], &deed(1)).await;
        let body = answer.problem(409, "conflict", "already_minted");
        assert_eq!(body["assetId"], asset["assetId"]);
    };
    refused(&giver).await;
    // Another key of the partner is the same partner; the case of the digits says nothing.
    refused(&app.key(&acme, PARTNER_SCOPES).await.token).await;
    let upper = json!({"contentHash": hash(1).to_uppercase(), "title": "Other"}).to_string();
    mint_under(&app, &giver, &[], &upper)
        .await
        .problem(409, "conflict", "already_minted");
    transfer(&app, &giver, &asset, bcme.partner_id)
        .await
        .ok(200);
    refused(&giver).await;
    // Who owns it now has not minted it.
    mint(&app, &receiver, 1).await;
    // An admin key mints for its own partner.
    let admin = app.admin().await;
    let own = mint(&app, &admin, 1).await;
    assert!(own["partnerId"] != json!(acme.partner_id));
    assert_eq!(assets(&app).await, 3);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_of_several_concurrent_mints_succeeds(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, PARTNER_SCOPES).await.token;
    let body = deed(1);
    let answers = join_all((0..10).map(|_| mint_under(&app, &token, &[], &body))).await;
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!(made.len(), 1);
    let asset = made[0].ok(201)["asset"].clone();
    for answer in refused {
        let body = answer.problem(409, "conflict", "already_minted");
        assert_eq!(body["assetId"], asset["assetId"]);
    }
    for sql in [
        "select count(*) from proof_assets",
        "select count(*) from asset_events",
        "select count(*) from audit_events where action = 'asset.minted'",
    ] {
        assert_eq!(app.count(sql).await, 1, "{sql}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_idempotency_key_replays_the_answer_for_a_day(pool: PgPool) {
    let app = TestApp::new(pool);
    let (acme, bcme) = (app.partner("Acme").await, app.partner("Bcme").await);
    let token = app.key(&acme, PARTNER_SCOPES).await.token;
    let body = json!({"contentHash": hash(1), "title": "Deed", "metadata": {"b": 31.245270191439438, "a": 1}});
    let body = body.to_string();
    let first = mint_under(&app, &token, &[b"k-1"], &body).await;
    let asset = first.ok(201)["asset"].clone();
    // It is the answer as it was given, whatever became of the asset, and for every key of the
    // partner; a body that means the same is the same.
    transfer(&app, &token, &asset, bcme.partner_id)
        .await
        .ok(200);
    app.clock
        .advance(TimeDelta::hours(24) - TimeDelta::milliseconds(1));
    let other_key = app.key(&acme, PARTNER_SCOPES).await.token;
    let same = format!(
        r#"{{"metadata":{{"a":1, "b":31.245270191439438}},"title":" Deed ","contentHash":"{}"}}"#,
        hash(1)
    );
    for (token, body) in [(&token, &body), (&other_key, &body), (&token, &same)] {
        let again = mint_under(&app, token, &[b"k-1"], body).await;
        again.ok(201);
        assert_eq!(again.text, first.text);
    }
    assert_eq!(assets(&app).await, 1);
    mint_under(&app, &token, &[b"k-1"], &deed(2)).await.problem(
        409,
        "conflict",
        "idempotency_mismatch",
    );
    mint_under(&app, &token, &[b"k-2"], &body)
        .await
        .problem(409, "conflict", "already_minted");
    // The key is the partner's: another's is another.
    let theirs = app.key(&bcme, PARTNER_SCOPES).await.token;
    mint_under(&app, &theirs, &[b"k-1"], &deed(3)).await.ok(201);
    // A day later it is forgotten and can be taken for something else.
    app.clock.advance(TimeDelta::milliseconds(1));
    mint_under(&app, &token, &[b"k-1"], &body)
        .await
        .problem(409, "conflict", "already_minted");
    mint_under(&app, &token, &[b"k-1"], &deed(2)).await.ok(201);
    let kept = "select count(*) from idempotency_keys";
    assert_eq!(app.count(kept).await, 2);
    app.clock
        .advance(TimeDelta::hours(24) - TimeDelta::milliseconds(1));
    assert_eq!(
        app.services.assets.sweep_idempotency_keys().await.unwrap(),
        1
    );
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(
        app.services.assets.sweep_idempotency_keys().await.unwrap(),
        1
    );
    assert_eq!(app.count(kept).await, 0);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refusals_are_not_stored_for_replay(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, PARTNER_SCOPES).await.token;
    let asset = mint(&app, &token, 1).await;
    for _ in 0..3 {
        // Each gets its own reason, not that the previous one is in progress.
        let body = mint_under(&app, &token, &[b"k"], &deed(1)).await.problem(
            409,
            "conflict",
            "already_minted",
        );
        assert_eq!(body["assetId"], asset["assetId"]);
    }
    mint_under(&app, &token, &[b"k"], &deed(2)).await.ok(201);
}

/// While a request is in progress, another with the same key is refused and does nothing.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_concurrent_request_with_the_same_key_gets_409(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, PARTNER_SCOPES).await.token;
    let (one, two) = (deed(1), deed(2));
    // The first one holds its lock and waits for the audit chain's head.
    let mut blocker = app.pool.begin().await.unwrap();
    sqlx::query("select 1 from audit_head for update")
        .execute(&mut *blocker)
        .await
        .unwrap();
    let first = mint_under(&app, &token, &[b"k"], &one);
    let meanwhile = async {
        let locks = "select count(*) from pg_locks where locktype = 'advisory' and database =
                     (select oid from pg_database where datname = current_database())";
        while app.count(locks).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for body in [&one, &two] {
            mint_under(&app, &token, &[b"k"], body).await.problem(
                409,
                "conflict",
                "idempotency_in_progress",
            );
        }
        blocker.rollback().await.unwrap();
    };
    let (first, ()) = join(first, meanwhile).await;
    first.ok(201);
    let again = mint_under(&app, &token, &[b"k"], &one).await;
    again.ok(201);
    assert_eq!(again.text, first.text);
    assert_eq!(assets(&app).await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_of_several_concurrent_repeats_records(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, PARTNER_SCOPES).await.token;
    let body = deed(1);
    let repeats = (0..10).map(|_| mint_under(&app, &token, &[b"k"], &body));
    let answers = join_all(repeats).await;
    let last = mint_under(&app, &token, &[b"k"], &body).await;
    last.ok(201);
    for answer in answers {
        if answer.status == 201 {
            assert_eq!(answer.text, last.text);
        } else {
            answer.problem(409, "conflict", "idempotency_in_progress");
        }
    }
    for sql in [
        "select count(*) from proof_assets",
        "select count(*) from idempotency_keys",
        "select count(*) from asset_events",
        "select count(*) from audit_events where action = 'asset.minted'",
    ] {
        assert_eq!(app.count(sql).await, 1, "{sql}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn stored_answers_are_well_formed(pool: PgPool) {
    for (statement, constraint) in [
        (
            "insert into idempotency_keys values (gen_random_uuid(), 'r', 'k', sha256(''), '{}', now())",
            "idempotency_keys_partner",
        ),
        (
            "insert into idempotency_keys values (gen_random_uuid(), 'r', 'a b', sha256(''), '{}', now())",
            "idempotency_keys_form",
        ),
        (
            "insert into idempotency_keys values (gen_random_uuid(), 'r', '', sha256(''), '{}', now())",
            "idempotency_keys_form",
        ),
        (
            "insert into idempotency_keys values (gen_random_uuid(), 'r', repeat('x', 256), sha256(''), '{}', now())",
            "idempotency_keys_form",
        ),
        (
            "insert into idempotency_keys values (gen_random_uuid(), 'r', 'k', '\\x00', '{}', now())",
            "idempotency_keys_request_hash_size",
        ),
    ] {
        assert_eq!(
            refused_by(&pool, statement).await,
            constraint,
            "{statement}"
        );
    }
}
