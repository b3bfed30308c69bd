//! `/api/proof-assets`: reading, changing, handing on and checking what was recorded, and whose it
//! is. Recording itself is in `minting`.

use chrono::TimeDelta;
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::schema::refused_by;
use crate::support::{Answer, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

pub const PARTNER_SCOPES: &[&str] = &[
    "assets:mint",
    "assets:read",
    "status:update",
    "transfer:execute",
    "reverify",
    "audit:read",
];

pub const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The hash of the n-th content.
pub fn hash(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

/// Records the n-th content and gives back its asset.
pub async fn mint(app: &TestApp, token: &str, n: u8) -> Value {
    let body = json!({"contentHash": hash(n), "title": format!("Deed {n}")});
    let answer = app.post("/api/proof-assets", token, body).await;
    answer.ok(201)["asset"].clone()
}

pub fn path(asset: &Value) -> String {
    format!("/api/proof-assets/{}", asset["assetId"].as_str().unwrap())
}

pub async fn transfer(app: &TestApp, token: &str, asset: &Value, to: impl ToString) -> Answer {
    let body = json!({"toPartnerId": to.to_string()});
    app.post(&format!("{}/transfer", path(asset)), token, body)
        .await
}

async fn set_status(app: &TestApp, token: &str, asset: &Value, status: &str) -> Answer {
    let body = json!({"status": status});
    app.post(&format!("{}/status", path(asset)), token, body)
        .await
}

/// A partner with a key that may do everything a partner may.
async fn partner_with_key(app: &TestApp, name: &str) -> (String, String) {
    let partner = app.partner(name).await;
    let key = app.key(&partner, PARTNER_SCOPES).await;
    (partner.partner_id.to_string(), key.token.to_string())
}

async fn events(app: &TestApp) -> i64 {
    app.count("select (select count(*) from asset_events) + (select count(*) from audit_events)")
        .await
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_partner_sees_only_its_own_assets_and_an_admin_key_all(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (_, acme) = partner_with_key(&app, "Acme").await;
    let (_, bcme) = partner_with_key(&app, "Bcme").await;
    let asset = mint(&app, &acme, 1).await;
    let theirs = mint(&app, &bcme, 2).await;
    for token in [&acme, &admin] {
        assert_eq!(app.get(&path(&asset), token).await.ok(200)["asset"], asset);
    }
    let hidden = json!({"contentHash": hash(1)});
    for answer in [
        app.get(&path(&asset), &bcme).await,
        set_status(&app, &bcme, &asset, "retired").await,
        transfer(&app, &bcme, &asset, NOBODY).await,
        app.post(&format!("{}/reverify", path(&asset)), &bcme, hidden)
            .await,
        app.get("/api/proof-assets/7", &acme).await,
        app.get(&format!("/api/proof-assets/{NOBODY}"), &admin)
            .await,
        set_status(&app, &acme, &json!({"assetId": "7"}), "active").await,
    ] {
        answer.problem(404, "not_found", "asset_not_found");
    }
    let list = async |token: &str, query: &str| {
        let answer = app.get(&format!("/api/proof-assets{query}"), token).await;
        answer.ok(200)["assets"].clone()
    };
    assert_eq!(list(&acme, "").await, json!([asset]));
    assert_eq!(list(&bcme, "").await, json!([theirs]));
    assert_eq!(list(&admin, "").await.as_array().unwrap().len(), 2);
    let filter = format!("?contentHash={}&status=active", hash(1).to_uppercase());
    assert_eq!(list(&acme, &filter).await, json!([asset]));
    assert_eq!(list(&bcme, &filter).await, json!([]));
    assert_eq!(list(&admin, "?status=retired").await, json!([]));
    // An admin key changes what is another's.
    set_status(&app, &admin, &theirs, "suspended").await.ok(200);
    assert_eq!(
        list(&bcme, "?status=suspended").await[0]["assetId"],
        theirs["assetId"]
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_route_requires_its_scope(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let asset = mint(&app, &admin, 1).await;
    let partner = app.partner("Acme").await;
    let one = path(&asset);
    for (method, path, scope) in [
        ("POST", "/api/proof-assets".to_owned(), "assets:mint"),
        ("GET", "/api/proof-assets".to_owned(), "assets:read"),
        ("GET", one.clone(), "assets:read"),
        ("POST", format!("{one}/status"), "status:update"),
        ("POST", format!("{one}/transfer"), "transfer:execute"),
        ("POST", format!("{one}/reverify"), "reverify"),
        ("GET", "/api/audit".to_owned(), "audit:read"),
    ] {
        let others: Vec<&str> = PARTNER_SCOPES
            .iter()
            .copied()
            .filter(|other| *other != scope)
            .collect();
        let without = app.key(&partner, &others).await.token;
        let with = app.key(&partner, &[scope]).await.token;
        app.call(method, &path, None, None)
            .await
            .problem(401, "unauthorized", "missing_header");
        let refused = app
            .call(method, &path, Some(&without), Some(json!([])))
            .await
            .problem(403, "forbidden", "");
        assert_eq!(refused["required"], json!([scope]));
        for token in [&*with, &*admin] {
            let answer = app.call(method, &path, Some(token), None).await;
            assert!(
                !matches!(answer.status.as_u16(), 401 | 403 | 405),
                "{path} {}",
                answer.status
            );
        }
    }
    let wrong = app.call("PUT", "/api/proof-assets", None, None).await;
    wrong.problem(405, "invalid_request", "");
    assert!(wrong.header("allow").contains("POST") && wrong.header("allow").contains("GET"));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_cover_every_asset_once(pool: PgPool) {
    let app = TestApp::new(pool);
    let (_, acme) = partner_with_key(&app, "Acme").await;
    let (_, bcme) = partner_with_key(&app, "Bcme").await;
    for n in 1..=5 {
        mint(&app, &acme, n).await;
        mint(&app, &bcme, n).await;
        // Some at the same moment: the id decides.
        app.clock.advance(TimeDelta::seconds(i64::from(n % 2)));
    }
    let page = async |query: &str| {
        let answer = app.get(&format!("/api/proof-assets?{query}"), &acme).await;
        answer.ok(200)
    };
    let all = page("limit=200").await;
    assert!(all["nextCursor"].is_null());
    let all = all["assets"].as_array().unwrap().clone();
    assert_eq!(all.len(), 5);
    let (mut found, mut cursors) = (Vec::new(), vec![String::new()]);
    loop {
        let at = cursors.last().unwrap();
        let next = page(&format!("limit=2{at}")).await;
        found.extend(next["assets"].as_array().unwrap().iter().cloned());
        let Some(cursor) = next["nextCursor"].as_str() else {
            break;
        };
        cursors.push(format!("&cursor={cursor}"));
        // What is added meanwhile is on no later page.
        let n = 10 + u8::try_from(cursors.len()).unwrap();
        mint(&app, &acme, n).await;
    }
    assert_eq!(found, all);
    // Back from the end of the second page: what lies before that row.
    let back = cursors[2].replace("cursor=", "cursor=p");
    let back = page(&format!("limit=2{back}")).await;
    assert_eq!(back["assets"], json!(all[1..3]));
    for (query, at) in [
        ("limit=0", "limit"),
        ("cursor=!", "cursor"),
        ("cursor=5f-mpk_1", "cursor"),
        ("status=dead", "status"),
        ("contentHash=abc", "contentHash"),
        ("title=Deed", "title"),
        ("status=active&status=active", "status"),
    ] {
        let answer = app.get(&format!("/api/proof-assets?{query}"), &acme).await;
        assert_eq!(answer.faults(), [at], "{query}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_status_can_change_until_retired(pool: PgPool) {
    let app = TestApp::new(pool);
    let (partner_id, acme) = partner_with_key(&app, "Acme").await;
    let asset = mint(&app, &acme, 1).await;
    app.clock.advance(TimeDelta::seconds(5));
    let body = json!({"status": "suspended", "reason": " under review "});
    let answer = app
        .post(&format!("{}/status", path(&asset)), &acme, body)
        .await;
    let suspended = answer.ok(200)["asset"].clone();
    assert_eq!(suspended["status"], "suspended");
    assert_eq!(suspended["updatedAt"], "2027-01-15T12:00:05Z");
    assert_eq!(suspended["createdAt"], asset["createdAt"]);
    assert_eq!(
        app.get(&path(&asset), &acme).await.ok(200)["asset"],
        suspended
    );
    let admin = app.admin().await;
    let told = app
        .get("/api/admin/audit?action=asset.status_changed", &admin)
        .await
        .ok(200)["events"][0]
        .clone();
    assert_eq!(told["details"]["reason"], "under review");
    assert_eq!(
        told["details"]["status"],
        json!({"from": "active", "to": "suspended"})
    );
    assert_eq!(
        (&told["assetId"], &told["partnerId"]),
        (&asset["assetId"], &json!(partner_id))
    );
    assert_eq!(told["requestId"], answer.header("x-request-id"));
    // The same status again changes nothing and writes nothing.
    app.clock.advance(TimeDelta::seconds(5));
    let before = events(&app).await;
    let again = set_status(&app, &acme, &asset, "suspended").await.ok(200);
    assert_eq!(again["asset"], suspended);
    assert_eq!(events(&app).await, before);
    // Retired is final, for an admin key too.
    set_status(&app, &acme, &asset, "active").await.ok(200);
    let retired = set_status(&app, &acme, &asset, "retired").await.ok(200);
    let before = events(&app).await;
    for token in [&acme, &admin] {
        for status in ["active", "suspended"] {
            set_status(&app, token, &asset, status)
                .await
                .problem(409, "conflict", "asset_retired");
        }
        assert_eq!(
            set_status(&app, token, &asset, "retired").await.ok(200),
            retired
        );
    }
    assert_eq!(events(&app).await, before);
    let told = "select count(*) from asset_events where kind = 'status_changed'";
    assert_eq!(app.count(told).await, 3);
    for (body, at) in [
        (json!({}), "status"),
        (json!({"status": "dead"}), "status"),
        (json!({"status": null}), "status"),
        (
            json!({"status": "active", "reason": "x".repeat(201)}),
            "reason",
        ),
        (json!({"status": "active", "note": "x"}), "note"),
    ] {
        let answer = app
            .post(&format!("{}/status", path(&asset)), &acme, body)
            .await;
        assert_eq!(answer.faults(), [at]);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_transfer_changes_the_owner(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (acme_id, acme) = partner_with_key(&app, "Acme").await;
    let (bcme_id, bcme) = partner_with_key(&app, "Bcme").await;
    let asset = mint(&app, &acme, 1).await;
    app.clock.advance(TimeDelta::seconds(5));
    let moved = transfer(&app, &acme, &asset, &bcme_id).await.ok(200)["asset"].clone();
    assert_eq!(moved["partnerId"], bcme_id);
    assert_eq!(moved["mintedBy"], asset["mintedBy"]);
    assert_eq!(moved["updatedAt"], "2027-01-15T12:00:05Z");
    app.get(&path(&asset), &acme)
        .await
        .problem(404, "not_found", "asset_not_found");
    assert_eq!(app.get(&path(&asset), &bcme).await.ok(200)["asset"], moved);
    transfer(&app, &acme, &asset, &bcme_id)
        .await
        .problem(404, "not_found", "asset_not_found");
    // Each of the two has its event.
    for (partner_id, action) in [
        (&acme_id, "asset.transferred"),
        (&bcme_id, "asset.received"),
    ] {
        let query = format!("partnerId={partner_id}&action={action}");
        let told = app
            .get(&format!("/api/admin/audit?{query}"), &admin)
            .await
            .ok(200)["events"]
            .clone();
        assert_eq!(told.as_array().unwrap().len(), 1);
        assert_eq!(
            told[0]["details"],
            json!({"fromPartnerId": acme_id, "toPartnerId": bcme_id})
        );
        assert_eq!(told[0]["assetId"], asset["assetId"]);
    }
    // An admin key hands back what is another's.
    transfer(&app, &admin, &asset, &acme_id).await.ok(200);
    let told = "select count(*) from asset_events where kind = 'transferred'";
    assert_eq!(app.count(told).await, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn refused_transfers_change_nothing(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (acme_id, acme) = partner_with_key(&app, "Acme").await;
    let closed = app.partner("Closed").await.partner_id.to_string();
    app.patch(
        &format!("/api/admin/partners/{closed}"),
        &admin,
        json!({"active": false}),
    )
    .await
    .ok(200);
    let asset = mint(&app, &acme, 1).await;
    let before = events(&app).await;
    for (to, at) in [
        (json!(acme_id), "toPartnerId"),
        (json!("7"), "toPartnerId"),
        (json!(null), "toPartnerId"),
        (json!(7), "toPartnerId"),
    ] {
        let answer = app
            .post(
                &format!("{}/transfer", path(&asset)),
                &acme,
                json!({"toPartnerId": to}),
            )
            .await;
        assert_eq!(answer.faults(), [at], "{to}");
    }
    // Its owner is meant, not the caller.
    assert_eq!(
        transfer(&app, &admin, &asset, &acme_id).await.faults(),
        ["toPartnerId"]
    );
    transfer(&app, &acme, &asset, NOBODY)
        .await
        .problem(404, "not_found", "partner_not_found");
    transfer(&app, &acme, &asset, &closed)
        .await
        .problem(409, "conflict", "partner_inactive");
    assert_eq!(events(&app).await, before);
    // A retired asset can't be transferred; a missing partner takes precedence.
    set_status(&app, &acme, &asset, "retired").await.ok(200);
    let open = app.partner("Open").await.partner_id.to_string();
    for to in [&closed, &open] {
        transfer(&app, &acme, &asset, to)
            .await
            .problem(409, "conflict", "asset_retired");
    }
    transfer(&app, &acme, &asset, NOBODY)
        .await
        .problem(404, "not_found", "partner_not_found");
    assert_eq!(
        app.get(&path(&asset), &acme).await.ok(200)["asset"]["partnerId"],
        acme_id
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn one_of_several_concurrent_transfers_succeeds(pool: PgPool) {
    let app = TestApp::new(pool);
    let (_, acme) = partner_with_key(&app, "Acme").await;
    let asset = mint(&app, &acme, 1).await;
    let mut receivers = Vec::new();
    for n in 0..6 {
        receivers.push(app.partner(&format!("Receiver {n}")).await.partner_id);
    }
    let transfers = receivers.iter().map(|to| transfer(&app, &acme, &asset, to));
    let answers = join_all(transfers).await;
    let (moved, refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((moved.len(), refused.len()), (1, 5));
    for answer in refused {
        answer.problem(404, "not_found", "asset_not_found");
    }
    let told = "select count(*) from audit_events where action = 'asset.transferred'";
    assert_eq!(app.count(told).await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_hash_check_is_recorded(pool: PgPool) {
    let app = TestApp::new(pool);
    let (_, acme) = partner_with_key(&app, "Acme").await;
    let asset = mint(&app, &acme, 0xab).await;
    let reverify = async |content_hash: Value| {
        let body = json!({"contentHash": content_hash});
        app.post(&format!("{}/reverify", path(&asset)), &acme, body)
            .await
    };
    let audited = app.count("select count(*) from audit_events").await;
    let same = reverify(json!(hash(0xab).to_uppercase())).await.ok(200);
    assert_eq!((&same["match"], &same["asset"]), (&json!(true), &asset));
    let other = reverify(json!(hash(2))).await.ok(200);
    assert_eq!((&other["match"], &other["asset"]), (&json!(false), &asset));
    for (hash, at) in [(json!(null), "contentHash"), (json!("abc"), "contentHash")] {
        assert_eq!(reverify(hash).await.faults(), [at]);
    }
    for sql in [
        "select count(*) from asset_events where kind = 'reverified' and details->>'match' = 'true'",
        "select count(*) from asset_events where kind = 'reverified' and details->>'match' = 'false'",
    ] {
        assert_eq!(app.count(sql).await, 1);
    }
    assert_eq!(
        app.count("select count(*) from audit_events").await,
        audited
    );
    // A retired asset can still be checked.
    set_status(&app, &acme, &asset, "retired").await.ok(200);
    assert_eq!(
        reverify(json!(hash(0xab))).await.ok(200)["asset"]["status"],
        "retired"
    );
}

/// A change whose event can't be written does not happen.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_without_its_event_is_rolled_back(pool: PgPool) {
    let app = TestApp::new(pool);
    let (_, acme) = partner_with_key(&app, "Acme").await;
    let receiver = app.partner("Bcme").await.partner_id;
    let asset = mint(&app, &acme, 1).await;
    sqlx::query("alter table audit_events add constraint full_disk check (false) not valid")
        .execute(&app.pool)
        .await
        .unwrap();
    for answer in [
        app.post(
            "/api/proof-assets",
            &acme,
            json!({"contentHash": hash(2), "title": "Deed"}),
        )
        .await,
        set_status(&app, &acme, &asset, "retired").await,
        transfer(&app, &acme, &asset, receiver).await,
    ] {
        answer.problem(500, "internal", "");
    }
    assert_eq!(app.count("select count(*) from asset_events").await, 1);
    let list = app.get("/api/proof-assets", &acme).await.ok(200);
    assert_eq!(list["assets"], json!([asset]));
}

const PARTNERS: &str = "insert into partners (partner_id, name) values
    ('00000000-0000-4000-8000-000000000001', 'Acme'), ('00000000-0000-4000-8000-000000000002', 'Bcme')";
const KEY: &str = "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by)
    values ('mpk_1', '00000000-0000-4000-8000-000000000001', '{assets:mint}', '$argon2id$v=19$x', '\\x01020304',
            '\\x0102030405060708', 'cli:test')";
const ASSET: &str = "insert into proof_assets (asset_id, partner_id, content_hash, title, minted_by, minted_by_partner,
                                               created_at, updated_at)
    values (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', repeat('ab', 32), 'Deed', 'mpk_1',
            '00000000-0000-4000-8000-000000000001', now(), now())";
const EVENT: &str = "insert into asset_events (event_id, asset_id, at, kind, actor)
    select gen_random_uuid(), asset_id, now(), 'minted', 'key:mpk_1' from proof_assets";

#[sqlx::test(migrator = "MIGRATOR")]
async fn assets_are_well_formed_and_never_lost(pool: PgPool) {
    sqlx::query(PARTNERS).execute(&pool).await.unwrap();
    assert_eq!(refused_by(&pool, ASSET).await, "proof_assets_minted_by");
    for statement in [KEY, ASSET, EVENT] {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    for (statement, constraint) in [
        (ASSET, "proof_assets_minted_once"),
        (
            "update proof_assets set content_hash = upper(content_hash)",
            "proof_assets_identity_for_life",
        ),
        (
            "update proof_assets set minted_by_partner = '00000000-0000-4000-8000-000000000002'",
            "proof_assets_identity_for_life",
        ),
        (
            "update proof_assets set created_at = now() + interval '1 day'",
            "proof_assets_identity_for_life",
        ),
        (
            "insert into proof_assets (asset_id, partner_id, content_hash, title, minted_by, minted_by_partner, created_at, updated_at)
             select gen_random_uuid(), partner_id, upper(content_hash), title, minted_by, minted_by_partner, now(), now()
               from proof_assets",
            "proof_assets_content_hash_form",
        ),
        (
            "insert into proof_assets (asset_id, partner_id, content_hash, title, minted_by, minted_by_partner, created_at, updated_at)
             select gen_random_uuid(), partner_id, content_hash, title, minted_by, gen_random_uuid(), now(), now()
               from proof_assets",
            "proof_assets_minted_by_partner",
        ),
        ("update proof_assets set title = ''", "proof_assets_title_length"),
        ("update proof_assets set title = ' Deed'", "proof_assets_title_trimmed"),
        (
            "update proof_assets set title = E'De\\ned'",
            "proof_assets_title_without_controls",
        ),
        (
            "update proof_assets set external_ref = repeat('x', 201)",
            "proof_assets_external_ref_length",
        ),
        (
            "update proof_assets set external_ref = 'x '",
            "proof_assets_external_ref_trimmed",
        ),
        (
            "update proof_assets set external_ref = E'x\\ty'",
            "proof_assets_external_ref_without_controls",
        ),
        ("update proof_assets set metadata = '[]'", "proof_assets_metadata_object"),
        (
            "update proof_assets set metadata = json_build_object('a', repeat('x', 16384))",
            "proof_assets_metadata_size",
        ),
        ("update proof_assets set status = 'dead'", "proof_assets_status_known"),
        (
            "update proof_assets set partner_id = gen_random_uuid()",
            "proof_assets_partner",
        ),
        ("delete from proof_assets", "asset_events_asset"),
        ("delete from api_keys", "proof_assets_minted_by"),
        ("truncate proof_assets cascade", "asset_events_append_only"),
        ("update asset_events set at = now()", "asset_events_append_only"),
        ("delete from asset_events", "asset_events_append_only"),
        ("truncate asset_events", "asset_events_append_only"),
        (
            "insert into asset_events (event_id, asset_id, at, kind, actor)
             values (gen_random_uuid(), gen_random_uuid(), now(), 'minted', 'key:mpk_1')",
            "asset_events_asset",
        ),
        (
            "insert into asset_events select gen_random_uuid(), asset_id, at, 'eaten', actor from asset_events",
            "asset_events_kind_known",
        ),
        (
            "insert into asset_events select gen_random_uuid(), asset_id, at, kind, 'me' from asset_events",
            "asset_events_actor_form",
        ),
        (
            "insert into asset_events select gen_random_uuid(), asset_id, at, kind, actor, null, '[]' from asset_events",
            "asset_events_details_object",
        ),
    ] {
        assert_eq!(refused_by(&pool, statement).await, constraint, "{statement}");
    }
    sqlx::query("update proof_assets set status = 'retired'")
        .execute(&pool)
        .await
        .unwrap();
    for statement in [
        "update proof_assets set status = 'active'",
        "update proof_assets set partner_id = '00000000-0000-4000-8000-000000000002'",
    ] {
        let constraint = refused_by(&pool, statement).await;
        assert_eq!(constraint, "proof_assets_retired_is_final");
    }
}
