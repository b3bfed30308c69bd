//! The schema: embedded migrations, and whether a database has them.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgConnection, PgPool};

use crate::domain::error::AppResult;

/// How long a database that is just starting is waited for.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The migrations of this build.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Brings the schema up to date. Several processes may do so at once: an advisory lock orders them.
///
/// # Errors
/// What failed, in one line.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    // Neither a migration nor waiting for another machine's has to be quick.
    let patient = (*pool.connect_options())
        .clone()
        .options([("statement_timeout", "0"), ("lock_timeout", "0")]);
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_TIMEOUT)
        .connect_lazy_with(patient);
    // One with newer migrations is served too: an instance that starts again during a rolling upgrade, or
    // a release that is taken back.
    let mut migrations = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    let outcome = migrations.set_ignore_missing(true).run(&pool).await;
    pool.close().await;
    outcome
}

/// Whether the database has every migration of this build, unchanged. One with newer ones too is
/// current: an older instance goes on during a rolling upgrade.
///
/// # Errors
/// [`crate::domain::error::AppError::Unavailable`] where the database can't be reached.
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
