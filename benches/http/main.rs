//! Key verification over HTTP on loopback, compared with a bare route of the same process and with an nginx
//! that looks raw tokens up in a `map`; first use, memory, and propagation of revocations to another
//! instance. Prints one table. Ratios compare medians of interleaved runs. `-- PART…` measures only these
//! parts.
//!
//! Needs `DATABASE_URL`, wrk and nginx; `make bench` sets them up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "unexpected results fail the benchmark"
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

/// Same allocator as the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KEYS: usize = 1_000;

/// Row of the table.
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

/// Parts in the order of measurement: first use comes before anything is cached.
const PARTS: [(&str, Part); 7] = [
    ("first-use", first_use::measure),
    ("check", throughput::in_process),
    ("throughput", throughput::over_http),
    ("flood", throughput::during_flood),
    ("uses", throughput::with_usage_writes),
    ("revocation", revocation::measure),
    ("memory", memory::measure),
];

fn main() {
    let selected: Vec<String> = std::env::args()
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
        if selected.is_empty() || selected.iter().any(|part| part == name) {
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
