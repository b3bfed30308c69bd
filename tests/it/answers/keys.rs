//! `/api/admin/api-keys`.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::admin::{key, lists, partner};
use super::recorder::Recorder;
use super::{MIGRATOR, NO_KEY, NOBODY};

const KEYS: &str = "/api/admin/api-keys";

/// Posts to a route of a key.
async fn order(r: &mut Recorder, key_id: &str, what: &str, body: Value) -> Value {
    r.admin(&format!("POST {KEYS}/{key_id}/{what}"), body).await
}

fn id(answer: &Value) -> &str {
    answer["keyId"].as_str().unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn issuing_showing_changing(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let (acme, gone) = (partner(r, "Acme").await, partner(r, "Gone").await);
    r.admin(
        &format!("PATCH /api/admin/partners/{gone}"),
        json!({"active": false}),
    )
    .await;
    r.section("Issuing");
    let issue = format!("POST {KEYS}/issue");
    let full = json!({
        "partnerId": acme, "scopes": ["reverify", "assets:read"], "name": " Billing ", "environment": "test",
        "ratePerMinute": 10000, "notBefore": "2020-01-01T00:00:00+01:00", "notAfter": "2027-01-20T12:00:00.5Z",
    });
    let issued = r.admin(&issue, full).await;
    let (second, _) = key(r, &acme, &["admin:*"]).await;
    for body in [
        json!({
            "partnerId": "x", "scopes": ["a", "reverify", "reverify"], "name": "", "environment": "live",
            "ratePerMinute": 0, "notBefore": "x", "notAfter": "2027-01-01T00:00:00Z",
        }),
        json!({"partnerId": acme, "scopes": []}),
        json!({"partnerId": acme, "scopes": "reverify"}),
        json!({"partnerId": acme, "scopes": [1]}),
        json!({"partnerId": NOBODY, "scopes": ["reverify"]}),
        json!({"partnerId": gone, "scopes": ["reverify"]}),
    ] {
        r.admin(&issue, body).await;
    }
    r.section("Lists");
    let page = r.admin(&format!("GET {KEYS}?limit=1"), Value::Null).await;
    let next = format!("?cursor={}&limit=1", page["nextCursor"].as_str().unwrap());
    let filters = format!(
        "?partnerId={acme}&q=bIll&status=active&environment=test&rotationDue=false&stale=false&expiring=true\
         &stillUsed=false&refused=false&neverUsed=true&sort=-notAfter"
    );
    lists(
        r,
        KEYS,
        &[
            &next,
            "",
            &filters,
            "?q=nothing",
            "?partnerId=x&q=%00&status=x&environment=x&rotationDue=x&stale=x&sort=x&limit=x&cursor=x",
        ],
    )
    .await;
    r.section("One");
    let one = format!("{KEYS}/{}", id(&issued));
    lists(
        r,
        KEYS,
        &[&format!("/{second}"), &format!("/{NO_KEY}"), "/%00"],
    )
    .await;
    r.admin(&format!("GET {one}"), Value::Null).await;
    for body in [
        json!({"name": null, "environment": "development", "ratePerMinute": 7, "notAfter": null}),
        json!({}),
        json!({"name": "", "environment": null, "ratePerMinute": null, "notAfter": "x"}),
        json!({"scopes": ["admin:*"]}),
    ] {
        r.admin(&format!("PATCH {one}"), body).await;
    }
    order(r, &second, "revoke", json!({})).await;
    for key_id in [&*second, NO_KEY] {
        r.admin(&format!("PATCH {KEYS}/{key_id}"), json!({"name": "x"}))
            .await;
    }
    recorder.compare("keys");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn rotating(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "Acme").await;
    let (first, token) = key(r, &acme, &["reverify"]).await;
    r.section("With a grace period");
    let grace = json!({"graceSeconds": 86400});
    let rotated = order(r, &first, "rotate", grace.clone()).await;
    r.with(&token, "GET /api/key", Value::Null).await;
    for key_id in [&*first, id(&rotated)] {
        r.admin(&format!("GET {KEYS}/{key_id}"), Value::Null).await;
    }
    order(r, &first, "rotate", grace.clone()).await;
    order(r, id(&rotated), "rotate", grace).await;
    r.section("The grace period");
    for seconds in [json!(7200), json!(0), json!(60), json!(-1)] {
        order(r, &first, "grace", json!({"graceSeconds": seconds})).await;
    }
    for key_id in [id(&rotated), NO_KEY] {
        order(r, key_id, "grace", json!({"graceSeconds": 60})).await;
    }
    r.section("At once");
    let second = order(r, id(&rotated), "rotate", json!({})).await;
    r.section("From the first use, with an end");
    let body = json!({"graceSeconds": 3600, "graceStarts": "first_use", "notAfter": "2028-01-01T00:00:00Z"});
    let third = order(r, id(&second), "rotate", body).await;
    r.admin(&format!("GET {KEYS}/{}", id(&second)), Value::Null)
        .await;
    r.section("Refusals");
    for body in [
        json!({"graceSeconds": -1, "graceStarts": "later", "notAfter": "2020-01-01T00:00:00Z"}),
        json!({"graceSeconds": 2_592_001}),
    ] {
        order(r, id(&third), "rotate", body).await;
    }
    order(r, NO_KEY, "rotate", json!({})).await;
    order(r, id(&third), "revoke", json!({})).await;
    order(r, id(&third), "rotate", json!({})).await;
    let gone = partner(r, "Gone").await;
    let (of_gone, _) = key(r, &gone, &["reverify"]).await;
    let path = format!("PATCH /api/admin/partners/{gone}");
    r.admin(&path, json!({"active": false})).await;
    order(r, &of_gone, "rotate", json!({})).await;
    recorder.compare("rotation");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn revoking_and_restoring(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "Acme").await;
    let (first, _) = key(r, &acme, &["reverify"]).await;
    r.section("Revoking");
    let why = json!({"reason": "privilege_withdrawn", "note": " by mistake "});
    order(r, &first, "revoke", why).await;
    order(r, &first, "revoke", json!({})).await;
    let faults = json!({"reason": "because", "note": "x".repeat(201)});
    order(r, &first, "revoke", faults).await;
    order(r, NO_KEY, "revoke", json!({})).await;
    r.section("Restoring");
    let note = json!({"note": "the wrong key was revoked"});
    for (key_id, body) in [
        (&*first, json!({"note": "x".repeat(201)})),
        (&*first, note.clone()),
        (&*first, note.clone()),
        (NO_KEY, note),
    ] {
        order(r, key_id, "restore", body).await;
    }
    let for_good = json!({"reason": "key_compromise"});
    order(r, &first, "revoke", for_good).await;
    order(r, &first, "restore", json!({})).await;

    r.section("Restoring what has ended meanwhile");
    let body =
        json!({"partnerId": acme, "scopes": ["reverify"], "notAfter": "2027-01-15T12:30:00Z"});
    let short = r.admin(&format!("POST {KEYS}/issue"), body).await;
    order(r, id(&short), "revoke", json!({})).await;
    r.app.clock.advance(TimeDelta::minutes(40));
    order(r, id(&short), "restore", json!({})).await;

    r.section("Restoring where two others live");
    let (old, _) = key(r, &acme, &["reverify"]).await;
    let next = order(r, &old, "rotate", json!({"graceSeconds": 86400})).await;
    order(r, &old, "revoke", json!({})).await;
    order(r, id(&next), "rotate", json!({"graceSeconds": 86400})).await;
    order(r, &old, "restore", json!({})).await;

    r.section("Restoring a key of a deactivated partner");
    let (last, _) = key(r, &acme, &["reverify"]).await;
    order(r, &last, "revoke", json!({})).await;
    let path = format!("PATCH /api/admin/partners/{acme}");
    r.admin(&path, json!({"active": false})).await;
    order(r, &last, "restore", json!({})).await;
    recorder.compare("revocation");
}
