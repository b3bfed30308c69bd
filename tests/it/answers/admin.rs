//! `/api/admin` except keys: partners, bulk actions, webhooks, policy, audit log.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::recorder::Recorder;
use super::{MIGRATOR, NO_KEY, NOBODY};

const PARTNERS: &str = "/api/admin/partners";
const ISSUE: &str = "POST /api/admin/api-keys/issue";

/// Creates a partner and returns its id.
pub async fn partner(recorder: &mut Recorder, name: &str) -> String {
    let made = recorder
        .admin(&format!("POST {PARTNERS}"), json!({"name": name}))
        .await;
    made["partner"]["partnerId"].as_str().unwrap().to_owned()
}

/// Issues a key and returns its id and its token.
pub async fn key(recorder: &mut Recorder, partner_id: &str, scopes: &[&str]) -> (String, String) {
    let body = json!({"partnerId": partner_id, "scopes": scopes});
    let issued = recorder.admin(ISSUE, body).await;
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    (text("keyId"), text("token"))
}

/// Requests a list with each of these queries.
pub async fn lists(recorder: &mut Recorder, path: &str, queries: &[&str]) {
    for query in queries {
        recorder
            .admin(&format!("GET {path}{query}"), Value::Null)
            .await;
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn partners(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let create = format!("POST {PARTNERS}");
    let full =
        json!({"name": " Acme Ltd ", "contactEmail": "ops@acme.example", "maxKeyAgeDays": 90});
    let made = r.admin(&create, full).await;
    let one = format!(
        "{PARTNERS}/{}",
        made["partner"]["partnerId"].as_str().unwrap()
    );
    partner(r, "Bcme").await;
    for body in [
        json!({"name": "", "contactEmail": "nobody", "maxKeyAgeDays": 0}),
        json!({"name": null}),
        json!({"name": "A\u{202e}B"}),
        json!({"name": 7}),
        json!({"name": "Acme", "maxKeyAgeDays": "7"}),
    ] {
        r.admin(&create, body).await;
    }
    r.section("Lists");
    let page = r
        .admin(&format!("GET {PARTNERS}?limit=1"), Value::Null)
        .await;
    let next = page["nextCursor"].as_str().unwrap();
    let next = format!("?limit=1&cursor={next}");
    lists(
        r,
        PARTNERS,
        &[
            &next,
            "",
            "?q=aCM&active=true",
            "?active=false",
            "?limit=0&cursor=x&active=maybe&q=%00",
            "?limit=201",
            "?q=a&q=b",
        ],
    )
    .await;
    r.section("One");
    r.admin(&format!("GET {one}"), Value::Null).await;
    for id in [NOBODY, "7"] {
        r.admin(&format!("GET {PARTNERS}/{id}"), Value::Null).await;
    }
    for body in [
        json!({"name": "Acme Inc", "contactEmail": null, "maxKeyAgeDays": null}),
        json!({"active": false}),
        json!({}),
        json!({"name": null, "active": null, "contactEmail": "@", "maxKeyAgeDays": 3651}),
    ] {
        r.admin(&format!("PATCH {one}"), body).await;
    }
    r.admin(
        &format!("PATCH {PARTNERS}/{NOBODY}"),
        json!({"active": true}),
    )
    .await;
    recorder.compare("partners");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn bulk(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "Acme").await;
    let (first, _) = key(r, &acme, &["assets:read"]).await;
    let (second, _) = key(r, &acme, &["reverify"]).await;
    let (third, _) = key(r, &acme, &["reverify"]).await;
    r.admin(
        &format!("POST /api/admin/api-keys/{third}/revoke"),
        json!({}),
    )
    .await;
    let of_acme = json!({"partnerId": acme});
    let named = json!({"keyIds": [second, third, NO_KEY]});
    r.section("Previews");
    for body in [
        json!({"action": "rotate", "select": of_acme}),
        json!({"action": "revoke", "select": named}),
        json!({"action": "rotate", "select": {"olderThanDays": 1, "rotationDue": true}}),
        json!({"action": "burn", "select": {"keyIds": [], "partnerId": "x", "olderThanDays": -1}}),
        json!({"action": "rotate", "select": {}}),
        json!({"action": "rotate", "select": {"partner": 1}}),
    ] {
        r.admin("POST /api/admin/bulk/preview", body).await;
    }
    r.section("Rotating");
    for body in [
        json!({"select": {"keyIds": [first, third]}, "graceSeconds": 86400, "graceStarts": "first_use"}),
        json!({"select": {"keyIds": [first]}}),
        json!({"select": of_acme, "graceSeconds": 0, "graceStarts": "later"}),
    ] {
        r.admin("POST /api/admin/bulk/rotate", body).await;
    }
    r.section("Revoking");
    for body in [
        json!({"select": {"keyIds": [second, third]}, "reason": "key_compromise", "note": "leaked"}),
        json!({"select": {"keyIds": [second]}}),
        json!({"select": of_acme, "reason": "because", "note": "x".repeat(201)}),
    ] {
        r.admin("POST /api/admin/bulk/revoke", body).await;
    }
    recorder.compare("bulk");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn webhooks(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "Acme").await;
    let (key_id, _) = key(r, &acme, &["assets:read"]).await;
    let hooks = format!("{PARTNERS}/{acme}/webhooks");
    let create = format!("POST {hooks}");
    let made = r
        .admin(
            &create,
            json!({"url": "https://hooks.acme.example/registry"}),
        )
        .await;
    let webhook_id = made["webhook"]["webhookId"].as_str().unwrap();
    let kinds =
        json!({"url": "https://hooks.acme.example/2", "kinds": ["key.revoked", "key.expiring"]});
    let second = r.admin(&create, kinds).await;
    for body in [
        json!({"url": "http://hooks.acme.example/", "kinds": ["nonsense", "key.issued", "key.issued"]}),
        json!({"url": "https://169.254.169.254/", "kinds": ["key.issued"]}),
        json!({"url": "https://hooks.acme.example/", "kinds": []}),
    ] {
        r.admin(&create, body).await;
    }
    let valid = json!({"url": "https://hooks.acme.example/"});
    r.admin(&format!("POST {PARTNERS}/{NOBODY}/webhooks"), valid.clone())
        .await;
    r.section("Lists");
    lists(r, &hooks, &[""]).await;
    r.section("One");
    let one = format!("/api/admin/webhooks/{webhook_id}");
    for body in [
        json!({"url": "https://hooks.acme.example/new", "kinds": ["key.issued"], "active": false}),
        json!({}),
        json!({"url": null, "kinds": null, "active": null}),
        json!({"url": "ftp://x.example/"}),
    ] {
        r.admin(&format!("PATCH {one}"), body).await;
    }
    r.admin(
        &format!("PATCH /api/admin/webhooks/{NOBODY}"),
        json!({"active": true}),
    )
    .await;
    r.section("Deliveries");
    deliveries(r, &acme, &key_id, webhook_id).await;
    r.section("Deleting");
    let second = second["webhook"]["webhookId"].as_str().unwrap();
    for _ in 0..2 {
        r.admin(&format!("DELETE /api/admin/webhooks/{second}"), Value::Null)
            .await;
    }
    r.section("As many as there may be");
    for _ in 1..10 {
        let headers = [("X-API-Key", r.admin.as_str())];
        let with_type = [headers[0], ("Content-Type", "application/json")];
        r.unrecorded(&create, &with_type, &valid.to_string()).await;
    }
    r.admin(&create, valid).await;
    recorder.compare("webhooks");
}

/// Inserts a failed and a pending delivery, then lists and resends them.
async fn deliveries(r: &mut Recorder, acme: &str, key_id: &str, webhook_id: &str) {
    sqlx::query(
        "with notice as (
            insert into notices (kind, partner_id, key_id, at, handed_out)
            values ('key.rotated', $1::uuid, $2, '2027-01-15T12:00:00Z', true) returning notice_id
        )
        insert into deliveries (notice_id, partner_id, webhook_id, email, status, attempts, created_at,
                                next_attempt_at, give_up_at, last_attempt_at, last_code, last_error, last_millis)
        select notice_id, $1::uuid, $3::uuid, null, 'failed', 8, '2027-01-15T12:00:00Z'::timestamptz,
               '2027-01-15T12:00:05Z'::timestamptz, '2027-01-16T12:00:00Z'::timestamptz,
               '2027-01-15T12:00:01Z'::timestamptz, 500, null, 12 from notice
        union all
        select notice_id, $1::uuid, null, 'ops@acme.example', 'pending', 1, '2027-01-15T12:00:02Z',
               '2027-01-15T12:00:07Z', '2027-01-16T12:00:02Z', '2027-01-15T12:00:02Z', null,
               'the connection was refused', 7 from notice",
    )
    .bind(acme)
    .bind(key_id)
    .bind(webhook_id)
    .execute(&r.app.pool)
    .await
    .unwrap();
    let path = format!("{PARTNERS}/{acme}/deliveries");
    let page = r.admin(&format!("GET {path}?limit=1"), Value::Null).await;
    let next = format!("?cursor={}", page["nextCursor"].as_str().unwrap());
    let by_webhook = format!("?webhookId={webhook_id}&status=failed");
    lists(
        r,
        &path,
        &[
            &next,
            &by_webhook,
            "?status=lost&webhookId=x&limit=x&cursor=x",
        ],
    )
    .await;
    let found = r
        .admin(&format!("GET {path}{by_webhook}"), Value::Null)
        .await;
    let delivery_id = found["deliveries"][0]["deliveryId"].as_str().unwrap();
    for id in [delivery_id, NOBODY, "7"] {
        r.admin(
            &format!("POST /api/admin/deliveries/{id}/send-again"),
            Value::Null,
        )
        .await;
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn policy(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    const POLICY: &str = "/api/admin/policy";
    r.admin(&format!("GET {POLICY}"), Value::Null).await;
    for body in [
        json!({"maxKeyAgeDays": 180, "maxLifetimeDays": 365, "staleAfterDays": null}),
        json!({}),
        json!({"maxKeyAgeDays": 0, "maxLifetimeDays": 3651, "staleAfterDays": -1}),
        json!({"maxKeyAgeDays": "7"}),
    ] {
        r.admin(&format!("PATCH {POLICY}"), body).await;
    }
    r.section("What it asks of keys");
    let acme = partner(r, "Acme").await;
    for not_after in [Value::Null, json!("2029-01-01T00:00:00Z")] {
        let body = json!({"partnerId": acme, "scopes": ["reverify"], "notAfter": not_after});
        r.admin(ISSUE, body).await;
    }
    recorder.compare("policy");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn audit(pool: PgPool) {
    let mut recorder = Recorder::new(pool).await;
    let r = &mut recorder;
    let acme = partner(r, "=Acme, \"Ltd\"").await;
    let (key_id, token) = key(r, &acme, &["assets:mint", "audit:read"]).await;
    let deed = json!({"contentHash": "ab".repeat(32), "title": "Deed"});
    r.with(&token, "POST /api/proof-assets", deed).await;
    let rotate = format!("POST /api/admin/api-keys/{key_id}/rotate");
    r.admin(&rotate, json!({"graceSeconds": 3600})).await;
    let revoke = format!("POST /api/admin/api-keys/{key_id}/revoke");
    let reason = json!({"reason": "superseded", "note": "a, \"note\""});
    r.admin(&revoke, reason).await;
    r.section("Audit log");
    const AUDIT: &str = "/api/admin/audit";
    let page = r.admin(&format!("GET {AUDIT}?limit=3"), Value::Null).await;
    let next = format!("?limit=200&cursor={}", page["nextCursor"].as_str().unwrap());
    let filters = format!(
        "?keyId={key_id}&partnerId={acme}&action=key.revoked&since=2027-01-15T12:00:00Z&until=2028-01-01T00:00:00Z"
    );
    let actor = format!("?actor={}&limit=1", r.admin.split('.').next().unwrap());
    lists(
        r,
        AUDIT,
        &[
            &next,
            &filters,
            &actor,
            "?action=key.burnt&since=x&until=y&limit=x&cursor=x&partnerId=x&keyId=%20",
            "/checkpoint",
        ],
    )
    .await;
    r.section("Exports");
    lists(
        r,
        AUDIT,
        &[
            "/export",
            "/export?format=ndjson",
            "/export?format=csv",
            "/export?format=csv&action=partner.created",
            "/export?format=pdf&since=x",
            "/export?limit=1",
        ],
    )
    .await;
    r.section("A partner's own");
    let own = key(r, &acme, &["audit:read"]).await.1;
    for query in [
        "",
        "?action=asset.minted&limit=1",
        "?action=nonsense",
        "?limit=0",
    ] {
        let line = format!("GET /api/audit{query}");
        r.with(&own, &line, Value::Null).await;
    }
    recorder.compare("audit");
}
