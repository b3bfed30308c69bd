//! `/api/audit`: a partner reads its own audit log, in which staff have no names.

use chrono::TimeDelta;
use myproof_registry::domain::audit::{Actor, ActorKind};
use myproof_registry::domain::partner::PartnerUpdateInput;
use myproof_registry::server::service::AuditContext;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::proof_assets::{PARTNER_SCOPES, mint, transfer};
use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// The events that `query` finds with a key.
async fn events(app: &TestApp, token: &str, query: &str) -> Vec<Value> {
    let answer = app.get(&format!("/api/audit?{query}"), token).await;
    answer.ok(200)["events"].as_array().unwrap().clone()
}

fn actions(events: &[Value]) -> Vec<&str> {
    let mut actions: Vec<&str> = events
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    actions.sort_unstable();
    actions
}

fn of<'a>(events: &'a [Value], action: &str) -> &'a Value {
    events
        .iter()
        .find(|event| event["action"] == action)
        .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn staff_and_other_partners_appear_as_operator(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let (acme, bcme) = (app.partner("Acme").await, app.partner("Bcme").await);
    let key = app.key(&acme, PARTNER_SCOPES).await;
    let theirs = app.key(&bcme, PARTNER_SCOPES).await;
    let asset = mint(&app, &key.token, 1).await;
    let partner_path = format!("/api/admin/partners/{}", acme.partner_id);
    let contact = json!({"contactEmail": "ops@acme.example"});
    app.patch(&partner_path, &admin, contact).await.ok(200);
    transfer(&app, &key.token, &asset, bcme.partner_id)
        .await
        .ok(200);

    let seen = events(&app, &key.token, "").await;
    assert_eq!(
        actions(&seen),
        [
            "asset.minted",
            "asset.transferred",
            "key.issued",
            "partner.created",
            "partner.updated"
        ]
    );
    let operator = json!({"type": "operator", "id": "operator"});
    // The command line, and an admin key of another partner.
    for action in ["partner.created", "key.issued", "partner.updated"] {
        let event = of(&seen, action);
        assert_eq!(event["actor"], operator, "{event}");
        assert_eq!(event["ip"], json!(null), "{event}");
    }
    for action in ["asset.minted", "asset.transferred"] {
        let event = of(&seen, action);
        assert_eq!(event["actor"], json!({"type": "key", "id": key.key_id}));
        assert_eq!(event["ip"], "192.0.2.1");
        assert_eq!(event["assetId"], asset["assetId"]);
    }
    // To the receiver the giver's key is a stranger.
    let received = events(&app, &theirs.token, "action=asset.received").await;
    assert_eq!(received.len(), 1);
    assert_eq!(
        (&received[0]["actor"], &received[0]["ip"]),
        (&operator, &json!(null))
    );
    let (admin_id, _) = admin.split_once('.').unwrap();
    for stranger in [admin_id, key.key_id.as_str()] {
        let text = app.get("/api/audit", &theirs.token).await.text;
        assert!(!text.contains(stranger), "{text}");
    }
    // An admin key reads its own partner's history here, and everybody's by the admin route.
    let own = events(&app, &admin, "").await;
    assert_eq!(actions(&own), ["key.issued", "partner.created"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn operators_are_shown_without_name_and_ip_address(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["audit:read"]).await;
    let operator = AuditContext {
        actor: Actor::new(ActorKind::Operator, "jane@registry.example"),
        ip: Some("192.0.2.77".parse().unwrap()),
        request_id: None,
    };
    let input: PartnerUpdateInput = serde_json::from_value(json!({"name": "Acme & Sons"})).unwrap();
    app.services
        .partners
        .update(&operator, partner.partner_id, input.check().unwrap())
        .await
        .unwrap();
    let answer = app.get("/api/audit", &key.token).await;
    assert_eq!(answer.ok(200)["events"].as_array().unwrap().len(), 3);
    assert!(!answer.text.contains("jane") && !answer.text.contains("192.0.2.77"));
    // Nor can they be guessed by the filter.
    for (query, found) in [
        ("actor=jane%40registry.example", 0),
        ("actor=test", 0),
        ("actor=operator", 3),
    ] {
        assert_eq!(
            events(&app, &key.token, query).await.len(),
            found,
            "{query}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn filters_find_what_is_shown(pool: PgPool) {
    let app = TestApp::new(pool);
    let (acme, bcme) = (app.partner("Acme").await, app.partner("Bcme").await);
    let key = app.key(&acme, PARTNER_SCOPES).await;
    let theirs = app.key(&bcme, PARTNER_SCOPES).await;
    app.clock.advance(TimeDelta::seconds(10));
    mint(&app, &key.token, 1).await;
    mint(&app, &theirs.token, 1).await;
    for (query, found) in [
        (format!("partnerId={}", acme.partner_id), 3),
        (format!("partnerId={}", bcme.partner_id), 0),
        (format!("keyId={}", key.key_id), 1),
        (format!("keyId={}", theirs.key_id), 0),
        (format!("actor={}", key.key_id), 1),
        (format!("actor={}", theirs.key_id), 0),
        ("actor=operator".into(), 2),
        ("action=asset.minted".into(), 1),
        ("action=asset.minted&actor=operator".into(), 0),
        ("since=2027-01-15T12:00:10Z".into(), 1),
        ("until=2027-01-15T12:00:10Z".into(), 2),
    ] {
        let seen = events(&app, &key.token, &query).await;
        assert_eq!(seen.len(), found, "{query}");
    }
    for (query, at) in [
        ("action=asset.eaten", "action"),
        ("keyId=a.b", "keyId"),
        ("partnerId=7", "partnerId"),
        ("since=yesterday", "since"),
        ("limit=0", "limit"),
        ("cursor=5f-mpk_1", "cursor"),
        ("q=x", "q"),
    ] {
        let answer = app.get(&format!("/api/audit?{query}"), &key.token).await;
        assert_eq!(answer.faults(), [at], "{query}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn pages_are_full_whatever_others_do(pool: PgPool) {
    let app = TestApp::new(pool);
    let (acme, bcme) = (app.partner("Acme").await, app.partner("Bcme").await);
    let key = app.key(&acme, PARTNER_SCOPES).await;
    let theirs = app.key(&bcme, PARTNER_SCOPES).await;
    for n in 1..=5 {
        mint(&app, &key.token, n).await;
        mint(&app, &theirs.token, n).await;
        app.clock.advance(TimeDelta::seconds(i64::from(n % 2)));
    }
    let all = events(&app, &key.token, "limit=200").await;
    assert_eq!(all.len(), 7);
    let (mut found, mut cursors) = (Vec::new(), vec![String::new()]);
    loop {
        let at = cursors.last().unwrap();
        let answer = app
            .get(&format!("/api/audit?limit=2{at}"), &key.token)
            .await
            .ok(200);
        let page = answer["events"].as_array().unwrap();
        found.extend(page.iter().cloned());
        let Some(next) = answer["nextCursor"].as_str() else {
            break;
        };
        assert_eq!(page.len(), 2);
        cursors.push(format!("&cursor={next}"));
        mint(&app, &key.token, 10 + u8::try_from(cursors.len()).unwrap()).await;
    }
    assert_eq!(found, all);
    let back = cursors[2].replace("cursor=", "cursor=p");
    let back = events(&app, &key.token, &format!("limit=2{back}")).await;
    assert_eq!(back, all[1..3]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn staff_notes_are_hidden_from_partners(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let acme = app.partner("Acme").await;
    let (key, other) = (
        app.key(&acme, PARTNER_SCOPES).await,
        app.key(&acme, PARTNER_SCOPES).await,
    );
    let path = format!("/api/admin/api-keys/{}/revoke", other.key_id);
    let body = json!({"reason": "unspecified", "note": "they do not pay"});
    app.post(&path, &admin, body).await.ok(200);
    let seen = events(&app, &key.token, "action=key.revoked").await;
    assert_eq!(seen.len(), 1);
    assert!(seen[0]["details"].get("reason").is_some(), "{seen:?}");
    assert!(seen[0]["details"].get("note").is_none(), "{seen:?}");
    // Staff read it.
    let all = app
        .get("/api/admin/audit?action=key.revoked", &admin)
        .await
        .ok(200);
    assert_eq!(all["events"][0]["details"]["note"], "they do not pay");
}
