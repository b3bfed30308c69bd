//! Tests against a real PostgreSQL: a database per test, the real router, a clock and a source of
//! randomness of their own. One binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets what it did not expect has failed"
)]

mod admin_keys;
mod admin_partners;
mod answers;
mod architecture;
mod audit;
mod audit_log;
mod audit_page;
mod backup;
mod bad_input;
mod bulk;
mod cache_invalidation;
mod cli;
mod clock_jumps;
mod column_contents;
mod console;
mod crash_recovery;
mod forward_auth;
mod grace;
mod health;
mod holder_auth;
mod hostile_requests;
mod http_limits;
mod import;
mod key_conditions;
mod lineage;
mod lists;
mod metrics;
mod mfa;
mod minting;
mod nginx;
mod node_pack;
mod notifications;
mod openapi;
mod operators;
mod outage;
mod overview;
mod partner_audit;
mod pepper;
mod pepper_rotation;
mod policy;
mod pool_exhaustion;
mod processes;
mod proof_assets;
mod rates;
mod restore;
mod rolling_upgrade;
mod rotation;
#[cfg(feature = "sample")]
mod sample;
mod scan;
mod schema;
mod security_headers;
mod sign_in;
mod sign_in_audit;
mod stopping;
mod support;
mod usage;
mod verification;
mod warm_cache;
