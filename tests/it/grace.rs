//! Graces: from the rotation or from the successor's first use, ended early, extended.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestApp, start_of_time};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

fn path(key_id: &str, what: &str) -> String {
    format!("/api/admin/api-keys/{key_id}/{what}")
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// An app with an admin's token and a key that was rotated.
struct Rotated {
    app: TestApp,
    admin: String,
    old_id: String,
    old_token: String,
    answer: Value,
}

impl Rotated {
    async fn new(pool: PgPool, not_after: Option<&str>, body: Value) -> Self {
        let app = TestApp::new(pool);
        let admin = app.admin().await;
        let partner = app.partner("Acme").await;
        let old = app.key(&partner, &["assets:read"]).await;
        let end = json!({ "notAfter": not_after });
        let key_path = format!("/api/admin/api-keys/{}", old.key_id);
        app.patch(&key_path, &admin, end).await.ok(200);
        let rotate = path(old.key_id.as_str(), "rotate");
        let answer = app.post(&rotate, &admin, body).await.ok(201);
        Self {
            app,
            admin,
            old_id: old.key_id.to_string(),
            old_token: old.token.to_string(),
            answer,
        }
    }

    fn new_token(&self) -> &str {
        self.answer["token"].as_str().unwrap()
    }

    fn new_id(&self) -> &str {
        self.answer["keyId"].as_str().unwrap()
    }

    async fn show(&self, key_id: &str) -> Value {
        let path = format!("/api/admin/api-keys/{key_id}");
        self.app.get(&path, &self.admin).await.ok(200)["key"].clone()
    }

    async fn works(&self, token: &str) -> bool {
        self.app.get("/api/key", token).await.status == 200
    }

    async fn flush(&self) {
        self.app
            .state
            .guard
            .usage()
            .flush(&self.app.pool)
            .await
            .unwrap();
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_grace_period_starts_at_the_successor_s_first_use(pool: PgPool) {
    let order = json!({"graceSeconds": 3600, "graceStarts": "first_use"});
    let r = Rotated::new(pool, None, order).await;
    let latest = start_of_time() + TimeDelta::days(30) + TimeDelta::hours(1);
    assert_eq!(time(&r.answer["retiresAt"]), latest);
    assert_eq!(r.answer["graceStarts"], "first_use");
    let old = r.show(&r.old_id).await;
    assert_eq!(
        old["grace"],
        json!({"seconds": 3600, "starts": "first_use", "rotatedAt": "2027-01-15T12:00:00Z", "startedAt": null})
    );

    // The old key's own uses, its very first one included, start nothing.
    r.app.clock.advance(TimeDelta::days(3));
    assert!(r.works(&r.old_token).await);
    r.flush().await;
    let old = r.show(&r.old_id).await;
    assert_eq!(
        (&old["grace"]["startedAt"], time(&old["retiresAt"])),
        (&json!(null), latest)
    );

    let first_use = start_of_time() + TimeDelta::days(5);
    r.app.clock.advance(TimeDelta::days(2));
    assert!(r.works(r.new_token()).await);
    r.flush().await;
    let old = r.show(&r.old_id).await;
    assert_eq!(time(&old["grace"]["startedAt"]), first_use);
    assert_eq!(time(&old["retiresAt"]), first_use + TimeDelta::hours(1));
    assert_eq!(old["status"], "retiring");

    // Later uses don't move it.
    r.app.clock.advance(TimeDelta::minutes(59));
    assert!(r.works(r.new_token()).await && r.works(&r.old_token).await);
    r.flush().await;
    let again = r.show(&r.old_id).await;
    assert_eq!(again["retiresAt"], old["retiresAt"]);
    r.app.clock.advance(TimeDelta::minutes(1));
    assert!(!r.works(&r.old_token).await && r.works(r.new_token()).await);
    let ended = r.show(&r.old_id).await;
    assert_eq!(
        (
            &ended["status"],
            &ended["revokedReason"],
            &ended["revokedAt"]
        ),
        (&json!("revoked"), &json!("superseded"), &old["retiresAt"])
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn an_unused_grace_period_starts_after_30_days_unless_the_key_expires_first(pool: PgPool) {
    let order = json!({"graceSeconds": 0, "graceStarts": "first_use"});
    let r = Rotated::new(pool, None, order).await;
    assert_eq!(
        time(&r.answer["retiresAt"]),
        start_of_time() + TimeDelta::days(30)
    );
    r.app
        .clock
        .advance(TimeDelta::days(30) - TimeDelta::microseconds(1));
    assert!(r.works(&r.old_token).await);
    r.app.clock.advance(TimeDelta::microseconds(1));
    assert!(!r.works(&r.old_token).await);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_grace_period_never_outlives_the_old_key(pool: PgPool) {
    let order = json!({"graceSeconds": 86400, "graceStarts": "first_use", "notAfter": "2028-01-01T00:00:00Z"});
    let r = Rotated::new(pool, Some("2027-01-15T20:00:00Z"), order).await;
    assert_eq!(r.answer["retiresAt"], "2027-01-15T20:00:00Z");
    assert!(r.works(r.new_token()).await);
    r.flush().await;
    let old = r.show(&r.old_id).await;
    assert_eq!(
        (&old["retiresAt"], &old["grace"]["startedAt"]),
        (
            &json!("2027-01-15T20:00:00Z"),
            &json!("2027-01-15T12:00:00Z")
        )
    );
    // Extending doesn't either.
    let body = json!({"graceSeconds": 2592000});
    let key = r
        .app
        .post(&path(&r.old_id, "grace"), &r.admin, body)
        .await
        .ok(200);
    assert_eq!(key["key"]["retiresAt"], "2027-01-15T20:00:00Z");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn without_a_grace_period_the_first_use_ends_the_old_key(pool: PgPool) {
    let order = json!({"graceStarts": "first_use"});
    let r = Rotated::new(pool, None, order).await;
    assert!(r.works(&r.old_token).await);
    r.app.clock.advance(TimeDelta::seconds(9));
    assert!(r.works(r.new_token()).await);
    r.flush().await;
    assert!(!r.works(&r.old_token).await);
    let old = r.show(&r.old_id).await;
    assert_eq!(old["revokedAt"], "2027-01-15T12:00:09Z");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_grace_period_can_be_ended_and_extended(pool: PgPool) {
    let order = json!({"graceSeconds": 60, "graceStarts": "first_use"});
    let r = Rotated::new(pool, None, order).await;
    let grace = path(&r.old_id, "grace");
    r.app.clock.advance(TimeDelta::hours(1));
    let longer = r
        .app
        .post(&grace, &r.admin, json!({"graceSeconds": 7200}))
        .await
        .ok(200);
    assert_eq!(longer["key"]["retiresAt"], "2027-01-15T15:00:00Z");
    // It waits no longer: the successor's first use leaves it alone.
    assert!(r.works(r.new_token()).await);
    r.flush().await;
    assert_eq!(r.show(&r.old_id).await["retiresAt"], "2027-01-15T15:00:00Z");

    for (body, fault) in [
        (json!({"graceSeconds": -1}), "graceSeconds"),
        (json!({"graceSeconds": 2592001}), "graceSeconds"),
        (json!({"retiresAt": "2027-01-15T15:00:00Z"}), "retiresAt"),
    ] {
        assert_eq!(r.app.post(&grace, &r.admin, body).await.faults(), [fault]);
    }
    let ended = r.app.post(&grace, &r.admin, json!({})).await.ok(200);
    assert_eq!(
        (
            &ended["key"]["status"],
            &ended["key"]["revokedReason"],
            &ended["key"]["revokedAt"]
        ),
        (
            &json!("revoked"),
            &json!("superseded"),
            &json!("2027-01-15T13:00:00Z")
        )
    );
    assert!(!r.works(&r.old_token).await && r.works(r.new_token()).await);
    let again = r.app.post(&grace, &r.admin, json!({})).await;
    again.problem(409, "conflict", "not_retiring");
    let never = r
        .app
        .post(&path(r.new_id(), "grace"), &r.admin, json!({}))
        .await;
    never.problem(409, "conflict", "not_retiring");
    let events = r
        .app
        .get("/api/admin/audit?action=key.grace_changed", &r.admin)
        .await
        .ok(200);
    let changes: Vec<_> = events["events"].as_array().unwrap().iter().collect();
    assert_eq!(changes.len(), 2);
    assert_eq!(
        changes[0]["details"]["retiresAt"],
        json!({"from": "2027-01-15T15:00:00Z", "to": "2027-01-15T13:00:00Z"})
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_lineage_never_has_three_live_keys(pool: PgPool) {
    let order = json!({"graceSeconds": 3600, "graceStarts": "first_use"});
    let r = Rotated::new(pool, None, order).await;
    let rotate = path(r.new_id(), "rotate");
    for body in [
        json!({"graceSeconds": 60}),
        json!({"graceStarts": "first_use"}),
    ] {
        let refused = r.app.post(&rotate, &r.admin, body).await;
        let problem = refused.problem(409, "conflict", "lineage_full");
        assert_eq!(problem["liveKeys"], json!([r.old_id]));
    }
    // At once is fine: nobody has ever seen a token whose answer was lost. The first key's grace
    // then waits for the third one.
    let third = r.app.post(&rotate, &r.admin, json!({})).await.ok(201);
    let third_token = third["token"].as_str().unwrap();
    assert!(r.works(&r.old_token).await && !r.works(r.new_token()).await);
    assert_eq!(r.show(&r.old_id).await["grace"]["startedAt"], json!(null));
    assert!(r.works(third_token).await);
    r.flush().await;
    let old = r.show(&r.old_id).await;
    assert_eq!(old["retiresAt"], "2027-01-15T13:00:00Z");

    let rotate = path(third["keyId"].as_str().unwrap(), "rotate");
    let body = json!({"graceSeconds": 60});
    r.app
        .post(&rotate, &r.admin, body.clone())
        .await
        .problem(409, "conflict", "lineage_full");
    r.app
        .post(&path(&r.old_id, "grace"), &r.admin, json!({}))
        .await
        .ok(200);
    r.app.post(&rotate, &r.admin, body).await.ok(201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn concurrent_first_use_and_rotation_do_not_block_each_other(pool: PgPool) {
    let order = json!({"graceSeconds": 3600, "graceStarts": "first_use"});
    let r = Rotated::new(pool, None, order).await;
    assert!(r.works(r.new_token()).await);
    // The rotation has locked the first key of the lineage and waits for the second, when the first
    // use is written, which starts the first key's grace.
    let mut held = r.app.pool.begin().await.unwrap();
    sqlx::query("select from api_keys where key_id = $1 for share")
        .bind(r.new_id())
        .execute(&mut *held)
        .await
        .unwrap();
    let waiting = async |count| {
        const WAITING: &str = "select count(*) from pg_stat_activity
                                where datname = current_database() and wait_event_type = 'Lock'";
        while r.app.count(WAITING).await < count {
            tokio::task::yield_now().await;
        }
    };
    let rotate = path(r.new_id(), "rotate");
    let rotation = r.app.post(&rotate, &r.admin, json!({}));
    let flush = async {
        waiting(1).await;
        r.app.state.guard.usage().flush(&r.app.pool).await
    };
    let release = async {
        waiting(2).await;
        held.rollback().await.unwrap();
    };
    let (rotated, flushed, ()) = tokio::join!(rotation, flush, release);
    rotated.ok(201);
    flushed.unwrap();
    let old = r.show(&r.old_id).await;
    assert_eq!(old["retiresAt"], "2027-01-15T13:00:00Z");
}
