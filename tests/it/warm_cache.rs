//! Cost of a cached verification: no query, no Argon2, no allocation.

use std::sync::Arc;

use futures::FutureExt;
use myproof_registry::server::jobs;
use myproof_registry::server::store::changes;
use sqlx::PgPool;
use tokio::sync::watch;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

#[sqlx::test(migrator = "MIGRATOR")]
async fn cached_verification_neither_allocates_nor_waits(pool: PgPool) {
    let app = TestApp::new(pool.clone());
    let guard = Arc::clone(&app.state.guard);
    let (stop, stopping) = watch::channel(false);
    let listening = changes::listening_pool((*pool.connect_options()).clone());
    let listener = jobs::spawn_listener(Arc::clone(&guard), listening, stopping);
    let partner = app.partner("Acme").await;
    let token = app.key(&partner, &["assets:read"]).await.token;
    let client = Some([192, 0, 2, 1].into());
    while !guard.listener_health().is_live() {
        tokio::task::yield_now().await;
    }
    // The change that made the key may still be on its way, and makes it be read once more.
    let is_warm = || guard.verify(&token, client).now_or_never().is_some();
    while !is_warm() {
        guard.verify(&token, client).await.unwrap();
    }
    let mut accepted = 0;
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            let outcome = guard.verify(&token, client).now_or_never();
            accepted += usize::from(outcome.is_some_and(|outcome| outcome.is_ok()));
        }
    });
    assert_eq!((accepted, counted.count_total), (100, 0));
    stop.send(true).unwrap();
    listener.await.unwrap();
}
