//! SQL, by table. Functions on a connection; who opens the transaction is the service's business.
//!
//! Every query is run against a real PostgreSQL by the tests of `tests/`.

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
pub mod sign_in_attempts;
pub mod usage;
pub mod webhooks;

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};

/// How long a request waits for a connection before it is told that the database is away.
const ACQUIRE_TIMEOUT: Duration = Duration::from_millis(1500);

/// A pool that connects when it is first used.
#[must_use]
pub fn lazy_pool(options: PgConnectOptions, max_connections: u32) -> PgPool {
    let options = options
        .application_name("myproof-registry")
        // No statement of the product runs for seconds; one that does has met a fault.
        .options([
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("timezone", "UTC"),
            // What a list reads is in memory or on a disk without arms.
            ("random_page_cost", "1.1"),
        ])
        .log_statements(tracing::log::LevelFilter::Off)
        .log_slow_statements(tracing::log::LevelFilter::Warn, Duration::from_secs(1));
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options)
}

/// The pattern that finds `text` anywhere by LIKE: `%`, `_` and `\` match themselves.
#[must_use]
pub fn contains_pattern(text: &str) -> String {
    begins_pattern("%", text)
}

/// The pattern that finds `text` by LIKE after what the pattern `before` finds.
#[must_use]
pub fn begins_pattern(before: &str, text: &str) -> String {
    let mut pattern = String::with_capacity(before.len() + text.len() + 1);
    pattern.push_str(before);
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
    fn wildcards_match_themselves() {
        assert_eq!(super::contains_pattern(r"50%_a\b"), r"%50\%\_a\\b%");
        assert_eq!(super::begins_pattern("", "%"), r"\%%");
    }
}
