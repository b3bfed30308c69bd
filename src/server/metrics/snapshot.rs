//! What is read for one reading of the metrics.

use std::fmt;
use std::time::Duration;

use tokio::time::timeout;

use crate::server::service::notifications::Backlog;
use crate::server::state::AppState;

/// How long the database may take: while it is away, the rest is told all the same.
const PATIENCE: Duration = Duration::from_secs(1);

/// The state as it is, with what had to be asked for.
pub struct Snapshot {
    /// What counts.
    pub shared: AppState,
    /// What waits in the outbox; `None` while the database does not answer.
    pub outbox: Option<Backlog>,
    /// The process as the system sees it; `None` where it can't be asked.
    pub process: Option<Process>,
}

/// The process as the system sees it.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Memory that is resident.
    pub resident_bytes: u64,
    /// File descriptors that are open.
    pub open_fds: u64,
    /// Threads.
    pub threads: u64,
}

impl Snapshot {
    /// Reads.
    pub async fn take(state: AppState) -> Self {
        let outbox = timeout(PATIENCE, state.services.notifications.backlog()).await;
        Self {
            outbox: outbox.ok().and_then(Result::ok),
            process: Process::read(),
            shared: state,
        }
    }
}

impl Process {
    /// From Linux's `/proc` (proc(5)).
    fn read() -> Option<Self> {
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

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}
