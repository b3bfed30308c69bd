//! A clock that is set: an hour ahead, an hour back, a day back. What the past can't have meant is not held
//! against anybody, and nothing that ended begins again by itself.

use chrono::TimeDelta;
use myproof_registry::domain::operator::Role;
use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn clock_jumps_cause_no_lockout_and_revive_nothing(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let revoked = app.key(&partner, &["assets:read"]).await;
    app.get("/api/key", &key.token).await.ok(200);
    let path = format!("/api/admin/api-keys/{}/revoke", revoked.key_id);
    app.post(&path, &admin, json!({})).await.ok(200);
    // Not before a key begins: there it is right to refuse it.
    app.clock.advance(TimeDelta::hours(3));
    let cookie = app.signed_in("ops@example.com", Role::Admin).await;
    for jump in [
        TimeDelta::hours(1),
        TimeDelta::hours(-1),
        TimeDelta::minutes(-90),
        TimeDelta::minutes(90),
    ] {
        app.clock.advance(jump);
        let before = app.count("select count(*) from api_keys").await;
        app.get("/api/key", &key.token).await.ok(200);
        app.get("/api/key", &revoked.token)
            .await
            .problem(401, "unauthorized", "key_inactive");
        // A write succeeds and follows the previous one in the audit log, whatever the clock says.
        let body =
            json!({"partnerId": partner.partner_id, "scopes": ["assets:read"], "name": "Later"});
        app.post("/api/admin/api-keys/issue", &admin, body)
            .await
            .ok(201);
        assert_eq!(app.count("select count(*) from api_keys").await, before + 1);
        let report = app.services.audit.verify_chain(&[]).await.unwrap();
        assert_eq!(report.broken, None);
    }
    // The whole minute's allowance is there, not an hour's debt.
    let left = app.get("/api/key", &key.token).await;
    assert!(
        left.header("ratelimit").contains("r=29"),
        "{}",
        left.header("ratelimit")
    );
    // A session that was seen in the future is no immortal one.
    app.clock.advance(TimeDelta::hours(13));
    assert_eq!(app.page("/api-keys", Some(&cookie)).await.status, 303);
}
