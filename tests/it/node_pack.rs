//! What the registry's earlier Node pack did wrong, each as a test. Where another file holds the
//! fault more closely, it is named.
//!
//! `one_of_twenty_concurrent_rotations_succeeds` (rotation): 20 rotations left 20 live keys.
//! `the_validity_window_is_exact_to_the_microsecond` (verification): notBefore was ignored.
//! `deactivating_a_partner_disables_its_keys_until_reactivation` (verification): its keys went on working.
//! `queries` (bad_input): a repeated parameter or `q=%00` crashed it.
//! `the_first_admin_key_comes_from_the_command_line` (cli): there was no way to make one.
//! `end2end/tests/journey.spec.ts`: the new token was drawn inside the dialog that had just closed.

use serde_json::json;
use sqlx::PgPool;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn no_answer_carries_a_hash(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    for path in [
        "/api/admin/api-keys".to_owned(),
        format!("/api/admin/api-keys/{}", key.key_id),
        "/api/admin/partners".to_owned(),
        "/api/admin/audit".to_owned(),
        "/api/key".to_owned(),
    ] {
        let answer = app.get(&path, &admin).await;
        answer.ok(200);
        for forbidden in ["argon2", "hash", "tag\"", "fingerprint", &key.token] {
            assert!(!answer.text.contains(forbidden), "{path}: {forbidden}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_list_in_one_scope_makes_no_admin_key(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let body = json!({"partnerId": partner.partner_id, "scopes": ["assets:read,admin:*"]});
    assert_eq!(
        app.post("/api/admin/api-keys/issue", &admin, body)
            .await
            .faults(),
        ["scopes[0]"]
    );
    assert_eq!(app.count("select count(*) from api_keys").await, 1);
}

/// A kill between revoking the old key and making the new one left none: both are one transaction,
/// so a failure after the first half undoes it.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_failed_rotation_leaves_the_old_key_unchanged(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}/rotate", key.key_id);
    for fault in [
        "create function fail() returns trigger language plpgsql as $$ begin raise exception 'killed'; end $$",
        "create trigger fail before update of retires_at on api_keys for each row execute function fail()",
    ] {
        sqlx::query(fault).execute(&app.pool).await.unwrap();
    }
    app.post(&path, &admin, json!({}))
        .await
        .problem(500, "internal", "");
    assert_eq!(app.count("select count(*) from api_keys").await, 2);
    assert_eq!(app.get("/api/key", &key.token).await.status, 200);
    sqlx::query("drop trigger fail on api_keys")
        .execute(&app.pool)
        .await
        .unwrap();
    app.post(&path, &admin, json!({})).await.ok(201);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_revoked_key_can_t_be_rotated_back_to_life(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let path = format!("/api/admin/api-keys/{}", key.key_id);
    app.post(&format!("{path}/revoke"), &admin, json!({}))
        .await
        .ok(200);
    app.post(&format!("{path}/rotate"), &admin, json!({}))
        .await
        .problem(409, "conflict", "key_inactive");
    assert_eq!(app.count("select count(*) from api_keys").await, 2);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_key_needs_a_partner_that_exists(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let body =
        json!({"partnerId": "00000000-0000-4000-8000-000000000000", "scopes": ["assets:read"]});
    app.post("/api/admin/api-keys/issue", &admin, body)
        .await
        .problem(404, "not_found", "partner_not_found");
    assert_eq!(app.count("select count(*) from api_keys").await, 1);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn revoking_an_unknown_key_is_an_error(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    app.post(
        "/api/admin/api-keys/mpk_ffffffffffff/revoke",
        &admin,
        json!({}),
    )
    .await
    .problem(404, "not_found", "key_not_found");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nothing_may_follow_the_token(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    app.get("/api/key", &format!("{}.junk", &*key.token))
        .await
        .problem(401, "unauthorized", "bad_format");
}
