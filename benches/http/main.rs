//! The guard as its callers meet it: over HTTP on loopback, beside a bare route of the same process
//! and an nginx that looks raw tokens up in a `map`; its first uses, its memory, its obedience to
//! another instance. Prints one table. Every ratio is of one run, each side the median of
//! interleaved runs. `-- PART…` measures these parts alone.
//!
//! Needs `DATABASE_URL`, wrk and nginx; `make bench` sets them up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a benchmark that meets what it did not expect has failed"
)]

mod first_use;
mod load;
mod memory;
mod nginx;
mod process;
mod revocation;
#[path = "../support/mod.rs"]
mod support;
mod throughput;

use std::fs;
use std::path::Path;

use tokio::runtime::Runtime;

use support::Bench;

/// The server's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KEYS: usize = 1_000;

/// One line of the table.
pub struct Row {
    what: &'static str,
    measured: String,
    target: &'static str,
}

impl Row {
    fn new(what: &'static str, measured: impl Into<String>, target: &'static str) -> Self {
        Self {
            what,
            measured: measured.into(),
            target,
        }
    }
}

type Part = fn(&Runtime, &Bench, &Path) -> Vec<Row>;

/// The parts, in the order in which they can be measured: first uses before anything is warm.
const PARTS: [(&str, Part); 7] = [
    ("first-use", first_use::measure),
    ("check", throughput::in_process),
    ("throughput", throughput::over_http),
    ("flood", throughput::beside_a_flood),
    ("uses", throughput::with_uses_written),
    ("revocation", revocation::measure),
    ("memory", memory::measure),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let folder = std::env::temp_dir().join(format!("myproof-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let bench = runtime.block_on(Bench::new("bench_http", KEYS));
    let mut rows = Vec::new();
    for (name, measure) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|part| part == name) {
            eprintln!("measuring: {name}");
            rows.extend(measure(&runtime, &bench, &folder));
        }
    }
    println!("| what | measured | target |\n| --- | --- | --- |");
    for Row {
        what,
        measured,
        target,
    } in rows
    {
        println!("| {what} | {measured} | {target} |");
    }
    fs::remove_dir_all(folder).unwrap();
}
