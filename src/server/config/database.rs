//! `DATABASE_URL`.

use sqlx::postgres::PgConnectOptions;

use super::{ConfigError, Source, fault};

/// True if a database is configured.
pub fn names_database(source: &Source) -> bool {
    source.get("DATABASE_URL").is_some()
}

/// Reads `DATABASE_URL`. Errors never quote the value, which may contain a password.
pub fn database(source: &Source) -> Result<PgConnectOptions, ConfigError> {
    const VARIABLE: &str = "DATABASE_URL";
    let Some(url) = source.get(VARIABLE) else {
        return fault(
            VARIABLE,
            "is missing: set it to postgres://USER:PASSWORD@HOST/DATABASE",
        );
    };
    match postgres(&url) {
        Some(options) => Ok(options),
        None => fault(
            VARIABLE,
            "must be of the form postgres://USER:PASSWORD@HOST/DATABASE",
        ),
    }
}

/// Parses a PostgreSQL URL.
pub fn postgres(url: &str) -> Option<PgConnectOptions> {
    let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    url.parse().ok().filter(|_| is_postgres)
}

#[cfg(test)]
mod tests {
    use super::super::test_source as source;
    use super::*;

    #[test]
    fn database_url_is_wanted_and_never_shown() {
        assert!(database(&source(&[])).is_err());
        for url in [
            "mysql://u:hunter2@h/d",
            "postgres//u:hunter2@h/d",
            "u:hunter2",
        ] {
            let url: &'static str = url;
            let error = database(&source(&[("DATABASE_URL", url)]))
                .unwrap_err()
                .to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(
            database(&source(&[(
                "DATABASE_URL",
                "postgres://u@localhost/d?host=/tmp/x"
            )]))
            .is_ok()
        );
    }
}
