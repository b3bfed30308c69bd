//! CPU time and memory of this process.

use std::fs;

/// User and system CPU time, in seconds.
pub fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

/// Current resident memory, in MiB.
pub fn resident() -> f64 {
    status("VmRSS:")
}

/// Peak resident memory since [`reset_peak`], in MiB.
pub fn peak() -> f64 {
    status("VmHWM:")
}

/// Resets the peak (proc(5), `clear_refs`).
pub fn reset_peak() {
    fs::write("/proc/self/clear_refs", "5").unwrap();
}

fn status(name: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<f64>().unwrap() / 1024.0
}
