//! The sample for development: what it makes is as the product would have made it.

use myproof_registry::domain::key::KeyStatus;
use myproof_registry::server::service::sample::SampleSize;
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
        // The test's clock stands at this moment.
        "select count(*) from api_keys where created_by = 'system:sample' and (
             listed_status <> api_key_status(revoked_at, retires_at, not_before, not_after, '2027-01-15T12:00:00Z')
             or listed_until is distinct from
                api_key_status_ends(revoked_at, retires_at, not_before, not_after, '2027-01-15T12:00:00Z'))",
        "select count(*) from api_keys where search_text <> api_key_search_text(key_id, name)",
        "select count(*) from api_keys where name not in (select name from key_names)",
        "select count(*) from api_keys k where exists (select from api_key_last_use u where u.key_id = k.key_id)
             = exists (select from api_key_never_used n where n.key_id = k.key_id)",
        "select count(*) from api_keys k left join api_key_last_use u using (key_id)
             left join api_key_never_used n using (key_id)
             where k.partner_id <> coalesce(u.partner_id, n.partner_id)",
        "select count(*) from api_keys where not_after <= not_before or revoked_at < created_at",
    ] {
        assert_eq!(app.count(broken).await, 0, "{broken}");
    }
    let overview = app.services.keys.overview(None).await.unwrap();
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
