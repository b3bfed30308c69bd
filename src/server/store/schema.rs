//! Embedded migrations.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use crate::domain::error::AppResult;

/// Maximum wait for a database that is starting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Applies pending migrations. Safe to run concurrently: sqlx takes an advisory lock.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    // Migrations, and waiting for another process's, may take long.
    let options = (*pool.connect_options())
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_lazy_with(options);
    // Newer migrations are accepted: an older instance may restart during a rolling upgrade or after a
    // rollback.
    let mut migrations = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    let outcome = migrations.set_ignore_missing(true).run(&pool).await;
    pool.close().await;
    outcome
}

/// True if the database has all migrations of this build, unchanged. Newer ones are accepted, since an
/// older instance keeps running during a rolling upgrade.
pub async fn is_current(connection: &mut PgConnection) -> AppResult<bool> {
    let exists: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(false);
    }
    let applied: HashMap<i64, Vec<u8>> = sqlx::query_as::<_, (i64, Vec<u8>)>(
        "select version, checksum from _sqlx_migrations where success",
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .collect();
    Ok(MIGRATIONS.iter().all(|migration| {
        applied
            .get(&migration.version)
            .is_some_and(|sum| **sum == *migration.checksum)
    }))
}
