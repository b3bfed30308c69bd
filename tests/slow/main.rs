//! Slow tests: they take minutes, a release build, or a file system of their own. Not part of `cargo test`;
//! `scripts/soak.sh` and `scripts/chaos.sh` run them. docs/reliability.md has their results.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets what it did not expect has failed"
)]

mod client;
mod crash_recovery;
mod deadline;
mod disk_full;
mod herd;
mod idle;
mod measure;
mod setup;
mod slow_network;
mod soak;
#[path = "../it/support/mod.rs"]
#[allow(dead_code, reason = "the tests of tests/it need more of it")]
mod support;
