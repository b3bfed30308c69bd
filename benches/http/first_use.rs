//! First use of every key after a restart.

use std::path::Path;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use futures::future::join_all;
use myproof_registry::server::crypto::secret::MEMORY_KIB;
use tokio::runtime::Runtime;

use super::process::{cpu_seconds, peak, reset_peak, resident};
use super::support::{Bench, UsageWrites};
use super::{KEYS, Row};

/// Runs of Argon2id for the average.
const SINGLE_RUNS: u32 = 200;

/// CPU time compared with the same number of single Argon2id runs, and peak memory with concurrent
/// requests.
pub fn measure(runtime: &Runtime, bench: &Bench, _folder: &Path) -> Vec<Row> {
    let fresh = runtime.block_on(bench.start_instance(UsageWrites::On));
    let before = cpu_seconds();
    runtime.block_on(fresh.warm_up(&bench.tokens));
    let used = cpu_seconds() - before;
    let ratio = used / (single_run() * KEYS as f64);

    let fresh = runtime.block_on(bench.start_instance(UsageWrites::On));
    reset_peak();
    let idle = resident();
    runtime.block_on(async {
        // More than the pool's queue holds; the excess is rejected.
        let verifications = bench
            .tokens
            .iter()
            .map(|token| fresh.state.guard.verify(token, None));
        join_all(verifications).await;
    });
    let cores = std::thread::available_parallelism().unwrap().get();
    let pool = cores as f64 * f64::from(MEMORY_KIB) / 1024.0;
    vec![
        Row::new(
            "CPU time of the first use of 1,000 keys, relative to 1,000 single runs of Argon2id",
            format!("{ratio:.2}"),
            "≤ 1.10",
        ),
        Row::new(
            "peak memory of 1,000 concurrent first uses above idle, and the need of the pool",
            format!("{:.0} MiB of {pool:.0} MiB", peak() - idle),
            "bounded by the pool",
        ),
    ]
}

/// CPU time of one run by the library, in seconds.
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
