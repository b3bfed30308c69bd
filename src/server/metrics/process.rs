//! The process as the operating system reports it.

#[derive(Clone, Copy, Debug)]
pub struct Process {
    pub resident_bytes: u64,
    pub open_fds: u64,
    pub threads: u64,
}

impl Process {
    /// Reads Linux's `/proc` (proc(5)); `None` on other systems.
    pub fn read() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let value = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Self {
            resident_bytes: value("VmRSS:")? * 1024,
            open_fds: std::fs::read_dir("/proc/self/fd").ok()?.count() as u64,
            threads: value("Threads:")?,
        })
    }
}
