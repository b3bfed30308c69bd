//! The first use of every key after a restart.

use std::path::Path;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use futures::future::join_all;
use myproof_registry::server::crypto::secret::MEMORY_KIB;
use tokio::runtime::Runtime;

use super::process::{cpu_seconds, forget_peak, peak, resident};
use super::support::Bench;
use super::{KEYS, Row};

/// Runs of Argon2id that one is averaged over.
const SINGLE_RUNS: u32 = 200;

/// The CPU that it takes, against as many single runs of Argon2id, and the memory at its peak while
/// all come at once.
pub fn measure(runtime: &Runtime, bench: &Bench, _folder: &Path) -> Vec<Row> {
    let fresh = runtime.block_on(bench.another(true));
    let before = cpu_seconds();
    runtime.block_on(fresh.warm_up(&bench.tokens));
    let used = cpu_seconds() - before;
    let ratio = used / (single_run() * KEYS as f64);

    let fresh = runtime.block_on(bench.another(true));
    forget_peak();
    let idle = resident();
    runtime.block_on(async {
        // More than the pool's queue takes: those beyond are told to come back.
        let checks = bench
            .tokens
            .iter()
            .map(|token| fresh.state.guard.verify(token, None));
        join_all(checks).await;
    });
    let cores = std::thread::available_parallelism().unwrap().get();
    let pool = cores as f64 * f64::from(MEMORY_KIB) / 1024.0;
    vec![
        Row::new(
            "CPU of the first use of 1,000 keys against 1,000 single runs of Argon2id",
            format!("{ratio:.2}"),
            "≤ 1.10",
        ),
        Row::new(
            "memory at the peak of 1,000 first uses at once, above idle, against what the pool's runs need",
            format!("{:.0} MiB of {pool:.0} MiB", peak() - idle),
            "bounded by the pool",
        ),
    ]
}

/// The CPU of one run as the library does it, in seconds.
fn single_run() -> f64 {
    let phc: PasswordHash = Argon2::default()
        .hash_password_with_salt(b"secret", &[7; 16])
        .unwrap();
    let before = cpu_seconds();
    for _ in 0..SINGLE_RUNS {
        Argon2::default().verify_password(b"secret", &phc).unwrap();
    }
    (cpu_seconds() - before) / f64::from(SINGLE_RUNS)
}
