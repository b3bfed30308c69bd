//! SQL statements, one module per table. Functions take a connection; services open the transactions.
//!
//! The integration tests run every statement against a real PostgreSQL.

pub mod asset_events;
pub mod assets;
pub mod audit;
pub mod audit_chain;
pub mod bulk;
pub mod changes;
pub mod deliveries;
pub mod error;
pub mod factors;
pub mod guard_rows;
pub mod idempotency;
pub mod import;
pub mod key_changes;
pub mod key_conditions;
pub mod key_list;
pub mod keys;
pub mod notices;
pub mod operators;
pub mod overview;
pub mod partner_audit;
pub mod partners;
pub mod policy;
#[cfg(feature = "sample")]
pub mod sample;
pub mod schema;
pub mod sessions;
pub mod sign_in_attempts;
pub mod usage;
pub mod webhooks;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

/// Maximum wait for a connection before a request fails as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1500);

/// Creates a pool that connects on first use.
pub fn lazy_pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    let options = options
        .application_name("myproof-registry")
        // No regular statement runs for seconds; a longer one indicates a problem.
        .options([
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("timezone", "UTC"),
            // Data is in memory or on SSD, where random reads cost little more than sequential ones.
            ("random_page_cost", "1.1"),
        ])
        .log_statements(tracing::log::LevelFilter::Off)
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// LIKE pattern that matches `text` anywhere, with `%`, `_` and `\` escaped.
pub fn contains_pattern(text: &str) -> String {
    prefix_pattern("%", text)
}

/// LIKE pattern that matches `text` after the pattern `prefix`.
pub fn prefix_pattern(prefix: &str, text: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + text.len() + 1);
    pattern.push_str(prefix);
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    #[test]
    fn wildcards_are_escaped() {
        assert_eq!(super::contains_pattern(r"50%_a\b"), r"%50\%\_a\\b%");
        assert_eq!(super::prefix_pattern("", "%"), r"\%%");
    }
}
