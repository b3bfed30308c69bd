//! Sign-ins and denied actions in the audit log: each sign-in and sign-out, and a minute's refusals in one
//! event, so that no flood of them drowns the rest.

use myproof_registry::domain::audit::Action;
use myproof_registry::domain::error::AppError;
use myproof_registry::domain::operator::Role;
use myproof_registry::server::service::ClientInfo;
use serde_json::{Value, json};
use sqlx::PgPool;
use zeroize::Zeroizing;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const EMAIL: &str = "ops@example.com";

/// The events of an action, newest first.
async fn events(app: &TestApp, admin: &str, action: Action) -> Vec<Value> {
    let path = format!("/api/admin/audit?action={}", action.into_str());
    let body = app.get(&path, admin).await.ok(200);
    body["events"].as_array().unwrap().clone()
}

async fn fail(app: &TestApp, email: &str, client: &str) -> AppError {
    let client_info = ClientInfo {
        ip: Some(client.parse().unwrap()),
        request_id: None,
    };
    let password = Zeroizing::new("wrong".to_owned());
    let outcome = app
        .services
        .sessions
        .sign_in(email, password, client_info, None)
        .await;
    outcome.map(|_| ()).unwrap_err()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn each_sign_in_and_sign_out_is_audited_once(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let cookie = app.signed_in(EMAIL, Role::Auditor).await;
    let signed_in = events(&app, &admin, Action::OperatorSignedIn).await;
    assert_eq!(signed_in.len(), 1);
    let actor = json!({"type": "operator", "id": EMAIL});
    assert_eq!(signed_in[0]["actor"], actor);
    for _ in 0..2 {
        let answer = app.rpc("session/sign-out", Some(&cookie), json!({})).await;
        assert!(answer.status.is_redirection() || answer.status.is_success());
    }
    let signed_out = events(&app, &admin, Action::OperatorSignedOut).await;
    assert_eq!(signed_out.len(), 1, "{signed_out:?}");
    assert_eq!(signed_out[0]["actor"], actor);
    assert_eq!(signed_out[0]["ip"], "192.0.2.1");
    assert!(signed_out[0]["requestId"].is_string());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_flood_of_failures_is_one_event(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    app.signed_in(EMAIL, Role::Admin).await;
    for n in 0..30 {
        fail(&app, &format!("canary typed password {n}"), "203.0.113.9").await;
    }
    for n in 0..8 {
        fail(&app, "OPS@example.com", &format!("198.51.100.{n}")).await;
    }
    assert!(
        events(&app, &admin, Action::OperatorSignInFailed)
            .await
            .is_empty()
    );
    app.services.audit.write_denied_actions().await.unwrap();
    app.services.audit.write_denied_actions().await.unwrap();
    let failed = events(&app, &admin, Action::OperatorSignInFailed).await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    let (details, text) = (&failed[0]["details"], failed[0].to_string());
    assert_eq!(failed[0]["actor"]["type"], "system");
    assert_eq!(details["attempts"], 38);
    assert_eq!(details["accounts"], json!({EMAIL: 8}));
    assert_eq!(details["unknownAccounts"], 30);
    // 5 free ones on the account and one more, 20 free ones from the address and one more.
    assert_eq!(details["tooSoon"], 2 + 9);
    assert_eq!(details["addresses"].as_array().unwrap().len(), 9);
    assert_eq!(details["moreAddresses"], false);
    assert!(!text.contains("typed"), "{text}");
    // What comes next is a new event.
    fail(&app, EMAIL, "203.0.113.10").await;
    app.services.audit.write_denied_actions().await.unwrap();
    let failed = events(&app, &admin, Action::OperatorSignInFailed).await;
    assert_eq!(failed.len(), 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn denied_actions_are_audited_per_operator(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let cookie = app.signed_in(EMAIL, Role::Auditor).await;
    let body = json!({"key_id": "mpk_1", "input": {}});
    for _ in 0..3 {
        let answer = app.rpc("keys/revoke", Some(&cookie), body.clone()).await;
        answer.problem(403, "forbidden", "");
    }
    app.services.audit.write_denied_actions().await.unwrap();
    let refused = events(&app, &admin, Action::OperatorRefused).await;
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert_eq!(
        refused[0]["actor"],
        json!({"type": "operator", "id": EMAIL})
    );
    assert_eq!(refused[0]["ip"], "192.0.2.1");
    let functions = json!({"/rpc/keys/revoke": 3});
    assert_eq!(refused[0]["details"]["functions"], functions);
    assert_eq!(refused[0]["details"]["attempts"], 3);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn unwritten_events_are_retried(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let admin = app.admin().await;
    fail(&app, EMAIL, "203.0.113.9").await;
    sqlx::raw_sql("alter table audit_head rename to audit_head_away")
        .execute(&pool)
        .await
        .unwrap();
    app.services.audit.write_denied_actions().await.unwrap_err();
    fail(&app, EMAIL, "203.0.113.9").await;
    sqlx::raw_sql("alter table audit_head_away rename to audit_head")
        .execute(&pool)
        .await
        .unwrap();
    app.services.audit.write_denied_actions().await.unwrap();
    let failed = events(&app, &admin, Action::OperatorSignInFailed).await;
    assert_eq!(failed[0]["details"]["attempts"], 2);
    assert_eq!(failed.len(), 1);
}
