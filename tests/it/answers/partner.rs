//! Partner routes: proof assets, own key, forward-auth.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::admin::{key, partner};
use super::recorder::Recorder;
use super::{MIGRATOR, NOBODY};

const ASSETS: &str = "/api/proof-assets";

const ALL: &[&str] = &[
    "assets:mint",
    "assets:read",
    "status:update",
    "transfer:execute",
    "reverify",
    "audit:read",
];

/// The hash of the n-th content.
fn hash(n: u8) -> String {
    format!("{n:02x}").repeat(32)
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn assets(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let (acme, bcme, gone) = (
        partner(r, "Acme").await,
        partner(r, "Bcme").await,
        partner(r, "Gone").await,
    );
    let (_, token) = key(r, &acme, ALL).await;
    let (_, other) = key(r, &bcme, ALL).await;
    let path = format!("PATCH /api/admin/partners/{gone}");
    r.admin(&path, json!({"active": false})).await;

    r.section("Minting");
    let mint = format!("POST {ASSETS}");
    let full = json!({
        "contentHash": hash(0xab).to_uppercase(), "title": " Deed \"Ω\" 🚀 ", "externalRef": " R-1 ",
        "metadata": {"z": [1, -2, 31.245270191439438, 1e300, null, true], "a": {"": "ä\n"}},
    });
    let minted = r.with(&token, &mint, full.clone()).await;
    r.with(&token, &mint, full).await;
    let once = [("X-API-Key", &*token), ("Idempotency-Key", "order-7")];
    let deed = |n| json!({"contentHash": hash(n), "title": format!("Deed {n}")});
    for n in [2, 2, 3] {
        r.call(&mint, &once, deed(n)).await;
    }
    let malformed = [("X-API-Key", &*token), ("Idempotency-Key", "a b")];
    r.call(&mint, &malformed, deed(3)).await;
    for body in [
        json!({"contentHash": "abc", "title": "", "externalRef": " ", "metadata": []}),
        json!({"contentHash": hash(3), "title": "De\u{0}ed", "status": "active"}),
        json!({"title": 7}),
    ] {
        r.with(&token, &mint, body).await;
    }

    r.section("Lists");
    let page = r
        .with(&token, &format!("GET {ASSETS}?limit=1"), Value::Null)
        .await;
    let next = page["nextCursor"].as_str().unwrap();
    for query in [
        format!("?limit=1&cursor={next}"),
        format!("?contentHash={}&status=active", hash(0xab)),
        "?status=lost&contentHash=x&limit=x&cursor=x".to_owned(),
    ] {
        r.with(&token, &format!("GET {ASSETS}{query}"), Value::Null)
            .await;
    }
    r.with(&other, &format!("GET {ASSETS}"), Value::Null).await;
    r.admin(&format!("GET {ASSETS}"), Value::Null).await;

    let one = format!("{ASSETS}/{}", minted["asset"]["assetId"].as_str().unwrap());
    r.section("One");
    r.with(&token, &format!("GET {one}"), Value::Null).await;
    r.with(&other, &format!("GET {one}"), Value::Null).await;
    r.with(&token, &format!("GET {ASSETS}/7"), Value::Null)
        .await;

    r.section("Checking its content");
    let reverify = format!("POST {one}/reverify");
    for body in [
        json!({"contentHash": hash(0xab)}),
        json!({"contentHash": hash(1)}),
        json!({"contentHash": 7}),
    ] {
        r.with(&token, &reverify, body).await;
    }
    r.with(&other, &reverify, json!({"contentHash": hash(1)}))
        .await;

    r.section("Changing its status");
    let status = format!("POST {one}/status");
    let suspended = json!({"status": "suspended", "reason": " under review "});
    r.with(&token, &status, suspended.clone()).await;
    let faults = json!({"status": "lost", "reason": "x".repeat(201)});
    r.with(&token, &status, faults).await;
    r.with(&other, &status, suspended.clone()).await;

    r.section("Handing it on");
    let transfer = format!("POST {one}/transfer");
    for to in [json!("x"), json!(NOBODY), json!(gone), json!(acme)] {
        r.with(&token, &transfer, json!({"toPartnerId": to})).await;
    }
    let to_other = json!({"toPartnerId": bcme});
    r.with(&token, &transfer, to_other.clone()).await;
    r.with(&token, &transfer, to_other).await;

    r.section("Retiring it");
    r.with(&other, &status, json!({"status": "retired"})).await;
    r.with(&other, &status, suspended).await;
    r.with(&other, &transfer, json!({"toPartnerId": acme}))
        .await;
    recorder.compare("assets");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn own_key(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "Acme").await;
    let (_, token) = key(r, &acme, ALL).await;
    r.with(&token, "GET /api/key", Value::Null).await;
    r.with(&token, "GET /api/audit", Value::Null).await;
    for _ in 0..2 {
        r.with(&token, "POST /api/key/revoke", Value::Null).await;
    }
    r.with(&token, "GET /api/key", Value::Null).await;
    r.with("junk", "POST /api/key/revoke", Value::Null).await;
    r.section("Guesses at an imported key");
    r.app
        .sql(
            "insert into api_keys (key_id, partner_id, scopes, secret_hash, legacy, created_by, not_before)
             select 'old-key', partner_id, scopes, secret_hash, true, 'system:import', not_before
               from api_keys where key_id = $1",
            token.split('.').next().unwrap(),
        )
        .await;
    let guess = format!("old-key.{}", hash(7));
    let headers = [("X-API-Key", &*guess)];
    for _ in 0..10 {
        r.unrecorded("POST /api/key/revoke", &headers, "").await;
    }
    r.with(&guess, "POST /api/key/revoke", Value::Null).await;
    recorder.compare("own_key");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn forward_auth(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "Acme").await;
    let (_, token) = key(r, &acme, &["reverify", "assets:read"]).await;
    r.section("Whatever the method");
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
    ] {
        for scope in ["assets:read", "assets:mint"] {
            let line = format!("{method} /api/auth/verify?scope={scope}&scope=reverify");
            let headers = [("X-API-Key", &*token), ("X-Partner-Id", "forged")];
            r.send(&line, &headers, "anything").await;
        }
    }
    r.section("Queries");
    for query in [
        "",
        "?scope=nothing",
        "?limited=429",
        "?limited=403&limited=403",
        "?scopes=reverify",
    ] {
        let line = format!("GET /api/auth/verify{query}");
        r.with(&token, &line, Value::Null).await;
    }
    r.with("junk", "GET /api/auth/verify", Value::Null).await;
    r.section("Limited");
    let body = json!({"partnerId": acme, "scopes": ["reverify"], "ratePerMinute": 1});
    let issued = r.admin("POST /api/admin/api-keys/issue", body).await;
    let slow = issued["token"].as_str().unwrap();
    for query in ["", "", "?limited=403", "?limited=403&scope=assets:mint"] {
        let line = format!("GET /api/auth/verify{query}");
        r.with(slow, &line, Value::Null).await;
    }
    r.app.clock.advance(TimeDelta::minutes(1));
    r.with(slow, "GET /api/auth/verify", Value::Null).await;
    recorder.compare("forward_auth");
}
