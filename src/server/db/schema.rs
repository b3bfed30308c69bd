//! The schema: embedded migrations, and whether a database has them.

use std::collections::HashMap;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{PgConnection, PgPool};

use crate::domain::error::AppResult;

/// The migrations of this build.
pub static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Brings the schema up to date. Several processes may do so at once: an advisory lock orders them.
///
/// # Errors
/// What failed, in one line.
pub async fn migrate(pool: &PgPool) -> Result<(), MigrateError> {
    MIGRATIONS.run(pool).await
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
