//! Undoing a revocation.

use chrono::TimeDelta;
use myproof_registry::domain::key_input::IssueInput;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Answer, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

struct Setting {
    app: TestApp,
    admin: String,
    partner_id: String,
}

impl Setting {
    async fn new(pool: PgPool) -> Self {
        let app = TestApp::new(pool);
        let admin = app.admin().await;
        let partner_id = app.partner("Acme").await.partner_id.to_string();
        Self {
            app,
            admin,
            partner_id,
        }
    }

    /// A key's id and token.
    async fn key(&self, not_after: Option<&str>) -> (String, String) {
        let issued = self
            .app
            .issue(IssueInput {
                partner_id: Some(self.partner_id.clone()),
                scopes: Some(vec!["assets:read".into()]),
                not_after: not_after.map(str::to_owned),
                ..IssueInput::default()
            })
            .await;
        (issued.key_id.to_string(), issued.token.to_string())
    }

    async fn order(&self, key_id: &str, what: &str, body: Value) -> Answer {
        let path = format!("/api/admin/api-keys/{key_id}/{what}");
        self.app.post(&path, &self.admin, body).await
    }

    async fn revoke(&self, key_id: &str, reason: &str) {
        self.order(key_id, "revoke", json!({ "reason": reason }))
            .await
            .ok(200);
    }

    async fn refused(&self, key_id: &str, reason: &str) -> Value {
        let answer = self.order(key_id, "restore", json!({})).await;
        answer.problem(409, "conflict", reason)
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn within_an_hour_the_same_token_works_again(pool: PgPool) {
    let s = Setting::new(pool).await;
    let (id, token) = s.key(Some("2027-06-01T00:00:00Z")).await;
    s.refused(&id, "not_revoked").await;
    let body = json!({"reason": "cessation_of_operation", "note": "wrong row"});
    s.order(&id, "revoke", body).await.ok(200);
    s.app
        .get("/api/key", &token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    s.app.clock.advance(TimeDelta::minutes(60));
    let answer = s
        .order(&id, "restore", json!({"note": "it was the other one"}))
        .await
        .ok(200);
    let key = &answer["key"];
    assert_eq!(
        (
            &key["status"],
            &key["revokedAt"],
            &key["revokedReason"],
            &key["notAfter"]
        ),
        (
            &json!("active"),
            &json!(null),
            &json!(null),
            &json!("2027-06-01T00:00:00Z")
        )
    );
    s.app.get("/api/key", &token).await.ok(200);
    s.refused(&id, "not_revoked").await;
    let events = s
        .app
        .get(&format!("/api/admin/audit?keyId={id}"), &s.admin)
        .await
        .ok(200);
    assert_eq!(events["events"][0]["action"], "key.restored");
    assert_eq!(
        events["events"][0]["details"],
        json!({"revokedAt": "2027-01-15T12:00:00Z", "reason": "cessation_of_operation", "note": "it was the other one"})
    );

    s.revoke(&id, "unspecified").await;
    s.app
        .clock
        .advance(TimeDelta::minutes(60) + TimeDelta::microseconds(1));
    s.refused(&id, "revoked_for_good").await;
    s.app
        .get("/api/key", &token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    let missing = s.order("mpk_000000000000", "restore", json!({})).await;
    missing.problem(404, "not_found", "key_not_found");
    let long = s
        .order(&id, "restore", json!({"note": "x".repeat(201)}))
        .await;
    assert_eq!(long.faults(), ["note"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn permanent_revocations_cannot_be_undone(pool: PgPool) {
    let s = Setting::new(pool).await;
    for reason in ["key_compromise", "superseded"] {
        let (id, _) = s.key(None).await;
        s.revoke(&id, reason).await;
        s.refused(&id, "revoked_for_good").await;
    }
    // A rotation at once, a grace that was ended, a grace that ran out.
    for (grace, end) in [(0, false), (600, true), (600, false)] {
        let (id, _) = s.key(None).await;
        s.order(&id, "rotate", json!({ "graceSeconds": grace }))
            .await
            .ok(201);
        if end {
            s.order(&id, "grace", json!({})).await.ok(200);
        }
        s.app.clock.advance(TimeDelta::seconds(600));
        s.refused(&id, "revoked_for_good").await;
    }
    let (expired, _) = s.key(Some("2027-01-15T13:00:00Z")).await;
    s.app.clock.advance(TimeDelta::minutes(30));
    s.revoke(&expired, "unspecified").await;
    s.app.clock.advance(TimeDelta::minutes(10));
    s.refused(&expired, "key_inactive").await;

    let (id, token) = s.key(None).await;
    s.revoke(&id, "privilege_withdrawn").await;
    let partner = format!("/api/admin/partners/{}", s.partner_id);
    s.app
        .patch(&partner, &s.admin, json!({"active": false}))
        .await
        .ok(200);
    s.refused(&id, "partner_inactive").await;
    s.app
        .patch(&partner, &s.admin, json!({"active": true}))
        .await
        .ok(200);
    s.order(&id, "restore", json!({})).await.ok(200);
    s.app.get("/api/key", &token).await.ok(200);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_undo_never_leaves_three_live_keys_and_keeps_the_grace(pool: PgPool) {
    let s = Setting::new(pool).await;
    let (first, first_token) = s.key(None).await;
    let grace = json!({"graceSeconds": 86400, "graceStarts": "first_use"});
    let second = s.order(&first, "rotate", grace.clone()).await.ok(201);
    let second_id = second["keyId"].as_str().unwrap();
    s.revoke(&first, "unspecified").await;
    // The successor's first use starts the grace of a key that is revoked for now, too.
    s.app
        .get("/api/key", second["token"].as_str().unwrap())
        .await
        .ok(200);
    s.app.state.guard.usage().flush(&s.app.pool).await.unwrap();
    s.order(second_id, "rotate", grace).await.ok(201);
    let problem = s.refused(&first, "lineage_full").await;
    assert_eq!(problem["liveKeys"].as_array().unwrap().len(), 2);
    s.revoke(second_id, "unspecified").await;
    let restored = s.order(&first, "restore", json!({})).await.ok(200);
    assert_eq!(
        (&restored["key"]["status"], &restored["key"]["retiresAt"]),
        (&json!("retiring"), &json!("2027-01-16T12:00:00Z"))
    );
    s.app.get("/api/key", &first_token).await.ok(200);
    s.refused(second_id, "lineage_full").await;
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_undo_and_rotation_leave_two_live_keys(pool: PgPool) {
    let s = Setting::new(pool).await;
    let (first, _) = s.key(None).await;
    let grace = json!({"graceSeconds": 3600});
    let second = s.order(&first, "rotate", grace.clone()).await.ok(201);
    let second = second["keyId"].as_str().unwrap();
    s.revoke(&first, "unspecified").await;
    // Both have begun and wait for the partner's row.
    let mut held = s.app.pool.begin().await.unwrap();
    sqlx::query("select from partners for update")
        .execute(&mut *held)
        .await
        .unwrap();
    let release = async {
        const WAITING: &str = "select count(*) from pg_stat_activity
                                where datname = current_database() and wait_event_type = 'Lock'";
        while s.app.count(WAITING).await < 2 {
            tokio::task::yield_now().await;
        }
        held.rollback().await.unwrap();
    };
    let restore = s.order(&first, "restore", json!({}));
    let rotate = s.order(second, "rotate", grace);
    let (restored, rotated, ()) = tokio::join!(restore, rotate, release);
    let statuses = [restored.status.as_u16(), rotated.status.as_u16()];
    assert!(
        statuses == [200, 409] || statuses == [409, 201],
        "{statuses:?}: {} {}",
        restored.text,
        rotated.text
    );
}
