//! The sample for development: what it makes is as the product would have made it.

use myproof_registry::domain::key::KeyStatus;
use myproof_registry::server::service::sample::SampleSize;
use myproof_registry::server::store::overview;
use sqlx::PgPool;
use strum::VariantArray;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn sample_keys_are_like_others(pool: PgPool) {
    let app = TestApp::new(pool);
    let admin = app.admin().await;
    let size = SampleSize {
        partners: 20,
        keys: 3_000,
        seed: 3,
    };
    let token = app.services.keys.add_sample(size).await.unwrap();
    let own = app.get("/api/key", &token).await.ok(200);
    assert_eq!(own["key"]["createdBy"], "system:sample");
    assert_eq!(app.count("select count(*) from partners").await, 21);
    assert_eq!(app.count("select count(*) from api_keys").await, 3_001);
    // What the triggers would have written is what the rows brought along.
    for broken in [
        "select count(*) from api_keys k where lineage <> coalesce(
             (select lineage from api_keys o where o.key_id = k.rotated_from), k.key_id)",
        "select count(*) from api_keys k where generation <> coalesce(
             (select generation + 1 from api_keys o where o.key_id = k.rotated_from), 0)",
        "select count(*) from api_keys k left join api_key_last_use u using (key_id)
          where u.key_id is null or (k.partner_id, k.created_at) <> (u.partner_id, u.created_at)",
        // Whatever the sample had to switch off is on again, and as it was.
        "select count(*) from pg_trigger where tgrelid in ('api_keys'::regclass, 'partners'::regclass)
            and not tgisinternal and tgenabled <> case when tgname like '%announce%' then 'A' else 'O' end",
        "select count(*) from api_keys where not_after <= not_before or revoked_at < created_at",
    ] {
        assert_eq!(app.count(broken).await, 0, "{broken}");
    }
    let overview = app.services.keys.overview(None).await.unwrap();
    // A table this small is a sample of itself.
    let mut connection = app.pool.acquire().await.unwrap();
    let now = app.services.now();
    let mut estimates = overview::estimate_statuses(&mut connection, now)
        .await
        .unwrap();
    let mut counted = overview::count_statuses(&mut connection, None, now, 10_000)
        .await
        .unwrap();
    estimates.sort();
    counted.sort();
    assert_eq!(estimates, counted);
    drop(connection);
    for status in KeyStatus::VARIANTS.iter().copied() {
        let path = format!("/api/admin/api-keys?status={}&limit=5", status.into_str());
        let some = app.get(&path, &admin).await.ok(200);
        assert!(!some["keys"].as_array().unwrap().is_empty(), "{status:?}");
        assert!(!overview.of(status).unwrap().is_none(), "{status:?}");
    }
    // The indexes and triggers are back: a new key is found, and begins unused.
    assert_eq!(
        app.count("select count(*) from pg_indexes where tablename = 'api_keys' and indexname = 'api_keys_search'").await,
        1
    );
    let partner = app.partner("Later").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let found = app
        .get(
            &format!("/api/admin/api-keys?q={}&neverUsed=true", key.key_id),
            &admin,
        )
        .await
        .ok(200);
    assert_eq!(found["keys"].as_array().unwrap().len(), 1);
}
