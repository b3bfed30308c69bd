//! Tests against a real PostgreSQL: a database per test, the real router, a clock and a source of
//! randomness of their own. One program, so that it links once.

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
mod backup;
mod bad_input;
mod bulk;
mod cli;
mod clock_jumps;
mod columns;
mod console;
mod factors;
mod forward_auth;
mod glance;
mod grace;
mod guard;
mod health;
mod history;
mod history_page;
mod holder;
mod hostile;
mod import;
mod key_conditions;
mod kills;
mod lineage;
mod lists;
mod metrics;
mod minting;
mod nginx;
mod node_pack;
mod notices;
mod obeyed;
mod openapi;
mod operators;
mod outage;
mod partner_audit;
mod pepper;
mod pepper_walk;
mod policy;
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
mod sign_in_history;
mod starved;
mod stopping;
mod support;
mod usage;
mod warm;
mod wire;
