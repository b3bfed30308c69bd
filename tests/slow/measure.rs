//! Process measurements and percentiles.

use std::fs;
use std::time::Duration;

/// Resident memory, in KiB.
pub fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    number(&status, "VmRSS:")
}

/// File descriptors that are open.
pub fn open_files(process: u32) -> usize {
    let entries = fs::read_dir(format!("/proc/{process}/fd"));
    entries.unwrap().count()
}

/// How many file descriptors this process may have, and each that it starts.
pub fn most_open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    number(&limits, "Max open files")
}

/// The first number of the line that begins so.
fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.expect("a process that lives has this line");
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A time in whole microseconds.
pub fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// Microseconds in milliseconds, to be shown.
pub fn millis(micros: u32) -> f64 {
    f64::from(micros) / 1000.0
}

/// The time that so many of a hundred stay below; 0 where none was measured. Sorts them.
pub fn percentile(times: &mut [u32], percent: usize) -> u32 {
    times.sort_unstable();
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or(0)
}
