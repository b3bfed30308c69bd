//! Writes that wait for a held lock take every database connection: answers meanwhile, and
//! recovery soon after.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::PgPool;

use crate::support::process::{Server, call, database_url, program};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// Connections that an instance opens.
const CONNECTIONS: i64 = 16;
/// Concurrent writes, more than the connections.
const ORDERS: usize = 40;
/// A generous limit for noisy machines; not a measurement.
const PATIENCE: Duration = Duration::from_secs(10);

fn issue(pool: &PgPool, scope: &str) -> String {
    let arguments = ["key", "issue", "--partner", "Acme", "--scope", scope];
    let output = program(&database_url(pool), &arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// How many of the server's connections wait for a lock.
async fn waiting(pool: &PgPool) -> i64 {
    sqlx::query_scalar(
        "select count(*) from pg_stat_activity where datname = current_database()
            and application_name = 'myproof-registry' and wait_event_type = 'Lock'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn blocked_writes_do_not_delay_cached_verifications(pool: PgPool) {
    let (admin, warm, cold) = (
        issue(&pool, "admin:*"),
        issue(&pool, "assets:read"),
        issue(&pool, "assets:read"),
    );
    let server = Server::start(&pool);
    let verified = |token: &str| server.call("GET", "/api/auth/verify", token, "").0;
    assert_eq!((verified(&warm), verified(&admin)), (200, 200));
    let partner: uuid::Uuid = sqlx::query_scalar("select partner_id from partners")
        .fetch_one(&pool)
        .await
        .unwrap();
    let order = json!({"partnerId": partner, "scopes": ["assets:read"]}).to_string();
    let ordered = {
        let address = server.address.clone();
        move || {
            let headers = [
                ("X-API-Key", admin.as_str()),
                ("Content-Type", "application/json"),
            ];
            call(
                &address,
                "POST",
                "/api/admin/api-keys/issue",
                &headers,
                &order,
            )
            .0
        }
    };

    let mut lock = pool.begin().await.unwrap();
    sqlx::query("lock table partners in exclusive mode")
        .execute(&mut *lock)
        .await
        .unwrap();
    let orders: Vec<_> = (0..ORDERS)
        .map(|_| std::thread::spawn(ordered.clone()))
        .collect();
    let begun = Instant::now();
    while waiting(&pool).await < CONNECTIONS {
        assert!(begun.elapsed() < PATIENCE, "there are connections left");
    }
    // Cached keys are answered as fast as ever; requests that need the database get 503.
    let begun = Instant::now();
    for _ in 0..50 {
        assert_eq!(verified(&warm), 200);
    }
    let took = begun.elapsed();
    assert_eq!(verified(&cold), 503);
    assert_eq!(server.call("GET", "/readyz", "", "").0, 503);
    assert!(took < Duration::from_secs(1), "{took:?}");
    let statuses: Vec<u16> = orders
        .into_iter()
        .map(|order| order.join().unwrap())
        .collect();
    // All writes have been answered, and none was carried out.
    assert_eq!(statuses, [503; ORDERS]);
    lock.rollback().await.unwrap();
    assert_eq!((ordered(), verified(&cold)), (201, 200));
    let keys: i64 = sqlx::query_scalar("select count(*) from api_keys")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(keys, 4);
}
