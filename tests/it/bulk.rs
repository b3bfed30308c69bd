//! Bulk actions.

use std::collections::HashSet;

use chrono::TimeDelta;
use futures::future::join_all;
use myproof_registry::domain::key::IssuedKey;
use myproof_registry::domain::operator::Role;
use myproof_registry::domain::partner::Partner;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::canary::secret_in;
use crate::support::{Answer, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

struct Setting {
    app: TestApp,
    admin: String,
    acme: Partner,
}

impl Setting {
    async fn new(pool: PgPool) -> Self {
        let app = TestApp::new(pool);
        let admin = app.admin().await;
        let acme = app.partner("Acme").await;
        Self { app, admin, acme }
    }

    async fn key(&self) -> IssuedKey {
        self.app.key(&self.acme, &["assets:read"]).await
    }

    async fn keys<const N: usize>(&self) -> [IssuedKey; N] {
        let mut keys = Vec::new();
        for _ in 0..N {
            keys.push(self.key().await);
        }
        keys.try_into().unwrap()
    }

    async fn order(&self, what: &str, body: Value) -> Answer {
        let path = format!("/api/admin/bulk/{what}");
        self.app.post(&path, &self.admin, body).await
    }

    fn of_acme(&self) -> Value {
        json!({ "partnerId": self.acme.partner_id })
    }

    async fn works(&self, token: &str) -> bool {
        self.app.get("/api/key", token).await.status == 200
    }

    async fn events(&self, action: &str) -> usize {
        let path = format!("/api/admin/audit?action={action}");
        let answer = self.app.get(&path, &self.admin).await.ok(200);
        answer["events"].as_array().unwrap().len()
    }
}

fn ids(list: &Value, member: &str) -> Vec<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|item| item[member].as_str().unwrap().to_owned())
        .collect()
}

fn left_out(answer: &Value) -> Vec<(String, String)> {
    ids(&answer["leftOut"], "keyId")
        .into_iter()
        .zip(ids(&answer["leftOut"], "reason"))
        .collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_partner_s_keys_are_previewed_and_rotated_in_one_step(pool: PgPool) {
    let s = Setting::new(pool).await;
    let keys: [IssuedKey; 3] = s.keys().await;
    let other = s.app.partner("Other").await;
    let others = s.app.key(&other, &["reverify"]).await;
    assert!(s.works(&keys[1].token).await);
    while s.app.state.guard.usage().flush(&s.app.pool).await.unwrap() {}

    let asked = json!({"action": "rotate", "select": s.of_acme()});
    let preview = s.order("preview", asked).await.ok(200);
    let expected: Vec<String> = keys.iter().map(|key| key.key_id.to_string()).collect();
    let previewed: HashSet<String> = ids(&preview["keys"], "keyId").into_iter().collect();
    assert_eq!(previewed, expected.iter().cloned().collect());
    assert_eq!(
        (&preview["inUse"], &preview["more"], &preview["leftOut"]),
        (&json!(1), &json!(false), &json!([]))
    );
    assert_eq!(s.app.count("select count(*) from api_keys").await, 5);

    let answer = s
        .order("rotate", json!({"select": s.of_acme()}))
        .await
        .ok(201);
    let rotated = answer["rotated"].as_array().unwrap();
    assert_eq!(rotated.len(), 3);
    for key in rotated {
        assert_eq!(key["graceStarts"], "first_use");
        // Thirty days of waiting, then a day.
        assert_eq!(key["retiresAt"], "2027-02-15T12:00:00Z");
        let token = key["token"].as_str().unwrap();
        assert!(token.starts_with(key["keyId"].as_str().unwrap()));
        assert!(s.works(token).await);
    }
    for key in &keys {
        assert!(s.works(&key.token).await, "a grace cuts nobody off");
    }
    assert!(s.works(&others.token).await);
    assert_eq!(s.events("key.rotated").await, 3);

    // Again: the old ones have successors, and beside each successor an old one lives.
    let listed: Vec<String> = ids(&answer["rotated"], "keyId");
    let all: Vec<&String> = expected.iter().chain(&listed).collect();
    let again = json!({"select": {"keyIds": all}, "graceSeconds": 3600, "graceStarts": "now"});
    let again = s.order("rotate", again).await.ok(201);
    assert_eq!(again["rotated"], json!([]));
    let reasons: Vec<String> = left_out(&again).into_iter().map(|(_, why)| why).collect();
    let count = |reason: &str| reasons.iter().filter(|why| *why == reason).count();
    assert_eq!((count("already_rotated"), count("lineage_full")), (3, 3));
    let fitting = s
        .order("rotate", json!({"select": s.of_acme()}))
        .await
        .ok(201);
    assert_eq!(
        (left_out(&fitting).len(), fitting["rotated"].clone()),
        (3, json!([]))
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn listed_keys_are_revoked_and_skipped_keys_reported(pool: PgPool) {
    let s = Setting::new(pool).await;
    let [one, two, three]: [IssuedKey; 3] = s.keys().await;
    let path = format!("/api/admin/api-keys/{}/revoke", two.key_id);
    s.app.post(&path, &s.admin, json!({})).await.ok(200);
    let body = json!({
        "select": {"keyIds": [one.key_id, two.key_id, "mpk_000000000000"]},
        "reason": "privilege_withdrawn", "note": "the contract ended",
    });
    let answer = s.order("revoke", body).await.ok(200);
    assert_eq!(ids(&answer["revoked"], "keyId"), [one.key_id.as_str()]);
    let mut stayed = left_out(&answer);
    stayed.sort();
    let mut expected = [
        ("mpk_000000000000".to_owned(), "key_not_found".to_owned()),
        (two.key_id.to_string(), "already_revoked".to_owned()),
    ];
    expected.sort();
    assert_eq!(stayed, expected);
    assert!(!s.works(&one.token).await && s.works(&three.token).await);

    // A compromise outweighs the reason that a key was revoked for; the time stays.
    s.app.clock.advance(TimeDelta::minutes(5));
    let body =
        json!({"select": {"keyIds": [one.key_id, three.key_id]}, "reason": "key_compromise"});
    let answer = s.order("revoke", body).await.ok(200);
    assert_eq!(answer["revoked"].as_array().unwrap().len(), 2);
    let key = s
        .app
        .get(&format!("/api/admin/api-keys/{}", one.key_id), &s.admin)
        .await
        .ok(200);
    assert_eq!(
        (&key["key"]["revokedReason"], &key["key"]["revokedAt"]),
        (&json!("key_compromise"), &json!("2027-01-15T12:00:00Z"))
    );
    assert_eq!(s.events("key.revoked").await, 4);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn live_keys_are_selected_by_age(pool: PgPool) {
    let s = Setting::new(pool).await;
    let old = s.key().await;
    s.app.clock.advance(TimeDelta::days(10));
    let young = s.key().await;
    let of = |days: i64| json!({"action": "revoke", "select": {"partnerId": s.acme.partner_id, "olderThanDays": days}});
    let preview = s.order("preview", of(9)).await.ok(200);
    assert_eq!(ids(&preview["keys"], "keyId"), [old.key_id.as_str()]);
    // Not after exactly so many days, but from then on.
    let preview = s.order("preview", of(10)).await.ok(200);
    assert_eq!(preview["keys"], json!([]));
    s.app.clock.advance(TimeDelta::seconds(1));
    let select = json!({"partnerId": s.acme.partner_id, "olderThanDays": 10});
    s.order("revoke", json!({"select": select})).await.ok(200);
    assert!(!s.works(&old.token).await && s.works(&young.token).await);
    let preview = s.order("preview", of(1)).await.ok(200);
    assert_eq!(preview["keys"], json!([]));
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn invalid_requests_change_nothing(pool: PgPool) {
    let s = Setting::new(pool).await;
    let key = s.key().await;
    for (what, body, faults) in [
        ("preview", json!({"select": s.of_acme()}), vec!["action"]),
        ("rotate", json!({}), vec!["select"]),
        ("revoke", json!({"select": {}}), vec!["select"]),
        (
            "revoke",
            json!({"select": {"partner": "x"}}),
            vec!["select.partner"],
        ),
        (
            "revoke",
            json!({"select": {"partnerId": "x"}}),
            vec!["select.partnerId"],
        ),
        (
            "rotate",
            json!({"select": s.of_acme(), "graceSeconds": 0}),
            vec!["graceSeconds"],
        ),
        (
            "rotate",
            json!({"select": s.of_acme(), "graceSeconds": 3599, "graceStarts": "x"}),
            vec!["graceSeconds", "graceStarts"],
        ),
        (
            "revoke",
            json!({"select": {"keyIds": [key.key_id, key.key_id]}, "reason": "x", "note": "y".repeat(201)}),
            vec!["select.keyIds[1]", "reason", "note"],
        ),
        (
            "revoke",
            json!({"select": {"keyIds": [key.key_id], "olderThanDays": 3}}),
            vec!["select.keyIds"],
        ),
    ] {
        assert_eq!(s.order(what, body.clone()).await.faults(), faults, "{body}");
    }
    // No partner has this id, so nothing matches.
    let nobody = json!({"select": {"partnerId": "0b9ac1f5-7d3e-4c58-9d5e-2f1a3b4c5d6e"}});
    let answer = s.order("revoke", nobody).await.ok(200);
    assert_eq!(answer["revoked"], json!([]));
    assert!(s.works(&key.token).await);
    let reader = s.key().await.token;
    for what in ["preview", "rotate", "revoke"] {
        let path = format!("/api/admin/bulk/{what}");
        let refused = s.app.post(&path, &reader, json!({})).await;
        refused.problem(403, "forbidden", "");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_error_midway_leaves_every_key_unchanged(pool: PgPool) {
    let s = Setting::new(pool).await;
    let keys: [IssuedKey; 4] = s.keys().await;
    sqlx::raw_sql(
        "create function refuse() returns trigger language plpgsql as $$
         begin
             if (select count(*) from api_keys where rotated_from is not null) >= 2 then
                 raise exception 'as planned';
             end if;
             return new;
         end $$;
         create trigger refuse before insert on api_keys for each row execute function refuse()",
    )
    .execute(&s.app.pool)
    .await
    .unwrap();
    let answer = s.order("rotate", json!({"select": s.of_acme()})).await;
    answer.problem(500, "internal", "");
    assert_eq!(
        s.app
            .count("select count(*) from api_keys where rotated_from is not null or retires_at is not null")
            .await,
        0
    );
    assert_eq!(s.events("key.rotated").await, 0);
    for key in &keys {
        assert!(s.works(&key.token).await);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_requests_give_each_key_one_successor(pool: PgPool) {
    let s = Setting::new(pool).await;
    let keys: [IssuedKey; 6] = s.keys().await;
    let mut ids: Vec<String> = keys.iter().map(|key| key.key_id.to_string()).collect();
    let forth = json!({"select": {"keyIds": ids}});
    ids.reverse();
    let back = json!({"select": {"keyIds": ids}});
    let single = format!("/api/admin/api-keys/{}/rotate", ids[2]);
    let (bulk, alone) = futures::join!(
        join_all([
            s.order("rotate", forth.clone()),
            s.order("rotate", back),
            s.order("rotate", json!({"select": s.of_acme()})),
        ]),
        s.app.post(&single, &s.admin, json!({"graceSeconds": 60}))
    );
    let mut made = usize::from(alone.status == 201);
    for answer in bulk {
        made += answer.ok(201)["rotated"].as_array().unwrap().len();
    }
    assert_eq!(made, 6, "each was rotated once");
    assert_eq!(
        s.app
            .count("select count(*) from api_keys where rotated_from is not null")
            .await,
        6
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_request_takes_the_oldest_500(pool: PgPool) {
    let s = Setting::new(pool).await;
    let first = s.key().await;
    sqlx::query(
        "insert into api_keys (key_id, partner_id, environment, scopes, rate_per_minute, not_before,
                               created_at, created_by, secret_hash, check_tag, pepper_fingerprint)
         select 'mpk_' || lpad(to_hex(n), 12, '0'), partner_id, environment, scopes, rate_per_minute,
                not_before, created_at + n * interval '1 second', created_by, secret_hash, check_tag,
                pepper_fingerprint
           from api_keys, generate_series(1, 501) n where key_id = $1",
    )
    .bind(first.key_id.as_str())
    .execute(&s.app.pool)
    .await
    .unwrap();
    let asked = json!({"action": "revoke", "select": s.of_acme()});
    let preview = s.order("preview", asked.clone()).await.ok(200);
    assert_eq!(preview["more"], true);
    assert_eq!(preview["keys"].as_array().unwrap().len(), 500);
    assert_eq!(preview["keys"][0]["keyId"], first.key_id.as_str());
    let revoked = s
        .order("revoke", json!({"select": s.of_acme()}))
        .await
        .ok(200);
    assert_eq!(revoked["revoked"].as_array().unwrap().len(), 500);
    let preview = s.order("preview", asked).await.ok(200);
    assert_eq!(
        (&preview["more"], preview["keys"].as_array().unwrap().len()),
        (&json!(false), 2)
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn the_console_shows_rotation_progress(pool: PgPool) {
    let s = Setting::new(pool).await;
    let keys: [IssuedKey; 3] = s.keys().await;
    let admin = s.app.signed_in("ops@example.com", Role::Admin).await;
    let input = json!({"input": {"select": s.of_acme()}});
    let answer = s.app.rpc("bulk/rotate", Some(&admin), input).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    let lines: Vec<Value> = answer
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, before) = lines.split_last().unwrap();
    let hashed: Vec<Value> = (0..=3).map(|done| json!({"hashed": [done, 3]})).collect();
    assert_eq!(before, hashed);
    assert!(secret_in(&json!(before).to_string()).is_none());
    let rotated = last["done"]["rotated"].as_array().unwrap();
    assert_eq!(rotated.len(), keys.len());
    assert!(s.works(rotated[0]["token"].as_str().unwrap()).await);

    let bad = json!({"input": {"select": s.of_acme(), "graceSeconds": 60}});
    let answer = s.app.rpc("bulk/rotate", Some(&admin), bad).await;
    assert_eq!(answer.faults(), ["graceSeconds"]);
    let auditor = s.app.signed_in("aud@example.com", Role::Auditor).await;
    let input = json!({"input": {"select": s.of_acme()}});
    for function in ["bulk/rotate", "bulk/revoke"] {
        let answer = s.app.rpc(function, Some(&auditor), input.clone()).await;
        assert_eq!(answer.status, 403, "{function}");
    }
}
