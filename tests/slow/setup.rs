//! Setup shared by the slow tests.

use std::sync::atomic::{AtomicBool, Ordering};

use myproof_registry::server::clock::{Clock, SystemClock};
use sqlx::PgPool;

use crate::support::{TestApp, start_of_time};

pub const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// A server's log as an operator would keep it, with the line that names its address. The one at
/// `trace`, which the tests read for secrets, would be most of what is measured.
pub const QUIET: (&str, &str) = ("RUST_LOG", "warn,myproof_registry::server::startup=info");

/// The forward-auth route.
pub const VERIFY: &str = "/api/auth/verify?scope=assets:read";
/// Where keys are managed.
pub const KEYS: &str = "/api/admin/api-keys";
/// Where they are ordered.
pub const ISSUE: &str = "/api/admin/api-keys/issue";

/// An application whose clock shows the time: its keys are for servers that have no other.
pub fn app(pool: PgPool) -> TestApp {
    let app = TestApp::new(pool);
    app.clock.advance(SystemClock.now() - start_of_time());
    app
}

/// Has no rate slow the keys that there are.
pub async fn lift_rates(app: &TestApp) {
    sqlx::query("update api_keys set rate_per_minute = 2147483647")
        .execute(&app.pool)
        .await
        .unwrap();
}

/// Stops the threads even if the test fails.
pub struct StopAtLast<'a>(pub &'a AtomicBool);

impl Drop for StopAtLast<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
