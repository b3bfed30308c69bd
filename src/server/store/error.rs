//! Classification and logging of database errors.

use crate::domain::error::AppError;

impl From<sqlx::Error> for AppError {
    /// Maps to [`AppError::Unavailable`] if a retry may help, otherwise to [`AppError::Internal`]. Logs
    /// the cause without row values.
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) {
            tracing::warn!(cause = %describe(&error), "the database is unavailable");
            Self::UNAVAILABLE
        } else {
            tracing::error!(cause = %describe(&error), "a query failed");
            Self::Internal
        }
    }
}

/// Name of the constraint that a write violated.
pub fn violated_constraint(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.constraint()
}

/// True if a statement was cancelled by its timeout.
pub fn is_timeout(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.as_deref() == Some("57014")
}

/// Loggable text of an error. A database error's `Debug` contains the failing row, its message does not.
pub fn describe(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(database) => format!(
            "{} (SQLSTATE {})",
            database.message(),
            database.code().as_deref().unwrap_or("unknown")
        ),
        None => error.to_string(),
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Connection exceptions, insufficient resources, operator intervention (a shutdown, a
        // cancelled statement), lock timeouts, deadlocks, and a standby that can't write.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            ["08", "53", "57", "40"]
                .iter()
                .any(|class| code.starts_with(class))
                || code == "55P03"
                || code == "25006"
        }),
        _ => false,
    }
}
