//! Peppers: retired ones, unknown ones, and rows of the earlier Node pack.

use chrono::TimeDelta;
use myproof_registry::server::crypto::pepper::Pepper;
use sqlx::PgPool;

use crate::support::{PEPPER, Setting, TestApp};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;
const NEXT: &str = "canary-pepper-of-next-year-0123456789";
const NODE_PEPPER: &str = "change-this-pepper-now";
const NODE_HASH: &str = "$argon2id$v=19$m=19456,p=1,t=2$JdAXGzHCixT9VSvB3FDcRw$X78bc9cdHhLCJ49VJDi3dfZCakimSrY3BwBGdwYiFg8";
const NODE_TOKEN: &str =
    "mpk_0f1e2d3c4b5a.7d0e1f2a3b4c5d6e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9012a3b4c5d6e7";

async fn stored(pool: &PgPool, key_id: &str) -> (String, Option<Vec<u8>>, Option<Vec<u8>>) {
    sqlx::query_as(
        "select secret_hash, check_tag, pepper_fingerprint from api_keys where key_id = $1",
    )
    .bind(key_id)
    .fetch_one(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_success_under_a_retired_pepper_rehashes_the_row(pool: PgPool) {
    let token = {
        let app = TestApp::new(pool.clone());
        let partner = app.partner("Acme").await;
        app.key(&partner, &["assets:read"]).await.token
    };
    let (key_id, _) = token.split_once('.').unwrap();
    let before = stored(&pool, key_id).await;
    assert_eq!(
        before.2.as_deref(),
        Some(&Pepper::new(PEPPER).fingerprint()[..])
    );

    let app = TestApp::with(
        pool.clone(),
        Setting {
            pepper: NEXT,
            retired: &[PEPPER],
            seed: 2,
            ..Setting::default()
        },
    );
    let uses = (0..5).map(|_| app.get("/api/key", &token));
    assert!(
        futures::future::join_all(uses)
            .await
            .iter()
            .all(|answer| answer.status == 200)
    );
    let after = stored(&pool, key_id).await;
    assert_eq!(
        after.2.as_deref(),
        Some(&Pepper::new(NEXT).fingerprint()[..])
    );
    assert_ne!(before.0, after.0);

    // From now on the retired one is not needed; without the new one the key is refused.
    let app = TestApp::with(
        pool.clone(),
        Setting {
            pepper: NEXT,
            retired: &[],
            seed: 3,
            ..Setting::default()
        },
    );
    assert_eq!(app.get("/api/key", &token).await.status, 200);
    let app = TestApp::with(
        pool,
        Setting {
            seed: 4,
            ..Setting::default()
        },
    );
    app.get("/api/key", &token)
        .await
        .problem(401, "unauthorized", "secret_mismatch");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_node_pack_row_verifies_and_gets_its_check_tag(pool: PgPool) {
    let app = node_app(pool).await;
    let (key_id, _) = NODE_TOKEN.split_once('.').unwrap();
    assert_eq!(stored(&app.pool, key_id).await.1, None);
    assert_eq!(app.get("/api/key", NODE_TOKEN).await.status, 200);
    let (hash, tag, fingerprint) = stored(&app.pool, key_id).await;
    assert!(
        hash.contains("p=1,t=2"),
        "a hash under the current pepper stays as it is"
    );
    assert!(tag.is_some());
    assert_eq!(
        fingerprint.as_deref(),
        Some(&Pepper::new(NODE_PEPPER).fingerprint()[..])
    );
    assert_eq!(app.get("/api/key", NODE_TOKEN).await.status, 200);
    let wrong = NODE_TOKEN.replace("7d0e", "7d0f");
    app.get("/api/key", &wrong)
        .await
        .problem(401, "unauthorized", "secret_mismatch");
    // Its form alone is no excuse for other rows.
    app.get("/api/key", &NODE_TOKEN.replace("mpk_0f", "mpk_0e"))
        .await
        .problem(401, "unauthorized", "bad_format");
    let partner = app.partner("Acme").await;
    let modern = app.key(&partner, &["assets:read"]).await;
    let (_, secret) = NODE_TOKEN.split_once('.').unwrap();
    app.get("/api/key", &format!("{}.{secret}", modern.key_id))
        .await
        .problem(401, "unauthorized", "bad_format");
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn guesses_at_a_legacy_key_are_rate_limited(pool: PgPool) {
    let app = node_app(pool).await;
    let wrong = NODE_TOKEN.replace("7d0e", "7d0f");
    for _ in 0..10 {
        app.get("/api/key", &wrong)
            .await
            .problem(401, "unauthorized", "secret_mismatch");
    }
    let refused = app.get("/api/key", &wrong).await;
    refused.problem(429, "rate_limited", "");
    assert_eq!(refused.header("retry-after"), "61");
    app.clock.advance(TimeDelta::minutes(1));
    assert_eq!(app.get("/api/key", NODE_TOKEN).await.status, 200);
}

/// An application with the row of the earlier pack, as an import leaves it.
async fn node_app(pool: PgPool) -> TestApp {
    let app = TestApp::with(
        pool,
        Setting {
            pepper: NODE_PEPPER,
            retired: &[PEPPER],
            seed: 1,
            ..Setting::default()
        },
    );
    let partner = app.partner("Imported").await;
    sqlx::query(
        "insert into api_keys (key_id, partner_id, scopes, secret_hash, legacy, created_by, not_before)
         values ('mpk_0f1e2d3c4b5a', $1, '{assets:read}',
                 $2, true, 'system:import', '2020-01-01Z')",
    )
    .bind(partner.partner_id)
    .bind(NODE_HASH)
    .execute(&app.pool)
    .await
    .unwrap();
    app
}
