//! Revocation of a key by the holder of its token.

use chrono::TimeDelta;
use myproof_registry::domain::key_input::IssueInput;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

const PATH: &str = "/api/key/revoke";

#[sqlx::test(migrator = "MIGRATOR")]
async fn only_the_right_secret_revokes_the_key(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let other = app.key(&partner, &["assets:read"]).await;
    let call = async |token: Option<&str>| app.call("POST", PATH, token, None).await;

    call(None)
        .await
        .problem(401, "unauthorized", "missing_header");
    call(Some("mpk_1.x"))
        .await
        .problem(401, "unauthorized", "bad_format");
    let (_, secret) = other.token.split_once('.').unwrap();
    // Anybody can write a keyId and a valid checksum.
    let forged = myproof_registry::domain::token::compose(&key.key_id, &[7; 32]);
    call(Some(&forged))
        .await
        .problem(401, "unauthorized", "secret_mismatch");
    let swapped = format!("{}.{secret}", key.key_id);
    call(Some(&swapped))
        .await
        .problem(401, "unauthorized", "bad_format");
    app.get("/api/key", &key.token).await.ok(200);

    let body = call(Some(&key.token)).await.ok(200);
    assert_eq!(
        (&body["keyId"], &body["status"]),
        (&key.key_id.as_str().into(), &"revoked".into())
    );
    app.get("/api/key", &key.token)
        .await
        .problem(401, "unauthorized", "key_inactive");
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(call(Some(&key.token)).await.ok(200), body);
    app.get("/api/key", &other.token).await.ok(200);

    let admin = app.admin().await;
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    let shown = app.get(&path, &admin).await.ok(200);
    assert_eq!(shown["key"]["revokedReason"], "key_compromise");
    let path = format!("/api/admin/audit?keyId={}&action=key.revoked", key.key_id);
    let events = app.get(&path, &admin).await.ok(200)["events"].clone();
    assert_eq!(events.as_array().unwrap().len(), 1);
    let actor = serde_json::json!({ "type": "key", "id": key.key_id.as_str() });
    assert_eq!(events[0]["actor"], actor);
}

/// No scope, window, rate or partner stands in the way of the finder of a leak.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_holder_can_revoke_a_key_in_any_state(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let gone = app.partner("Gone").await;
    let issue = async |partner: &myproof_registry::domain::partner::Partner, from, until| {
        let input = IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(vec!["reverify".to_owned()]),
            rate_per_minute: Some(1),
            not_before: from,
            not_after: until,
            ..IssueInput::default()
        };
        app.issue(input).await
    };
    let scheduled = issue(&partner, Some("2030-01-01T00:00:00Z".to_owned()), None).await;
    let expired = issue(&partner, None, Some("2027-01-15T12:00:01Z".to_owned())).await;
    let limited = issue(&partner, None, None).await;
    let of_nobody = issue(&gone, None, None).await;
    app.sql("update partners set active = false where name = $1", "Gone")
        .await;
    app.clock.advance(TimeDelta::seconds(2));
    app.get("/api/key", &limited.token).await.ok(200);
    app.get("/api/key", &limited.token)
        .await
        .problem(429, "rate_limited", "");

    for (key, reason) in [
        (scheduled, "not_yet_valid"),
        (expired, "expired"),
        (limited, "rate_limited"),
        (of_nobody, "partner_inactive"),
    ] {
        let before = app.get("/api/key", &key.token).await;
        assert!(before.text.contains(reason), "{reason}: {}", before.text);
        let answer = app.call("POST", PATH, Some(&key.token), None).await;
        assert_eq!(answer.ok(200)["status"], "revoked", "{reason}");
        app.get("/api/key", &key.token)
            .await
            .problem(401, "unauthorized", "key_inactive");
    }
}
