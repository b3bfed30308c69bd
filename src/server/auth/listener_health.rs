//! The health of the listening connection, by its heartbeats: only a live listener hears of changes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a heartbeat is valid. A half-open connection looks alive for longer.
pub const HEARTBEAT_VALIDITY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct ListenerHealth {
    started: Instant,
    is_connected: AtomicBool,
    /// Milliseconds after `started`, plus one; 0 for never.
    last_heartbeat: AtomicU64,
    outage_grace: Duration,
}

impl ListenerHealth {
    /// `outage_grace` is how long keys verified by this process may be accepted after the last
    /// heartbeat while the database is unavailable.
    pub fn new(outage_grace: Duration) -> Self {
        Self {
            started: Instant::now(),
            is_connected: AtomicBool::new(false),
            last_heartbeat: AtomicU64::new(0),
            outage_grace,
        }
    }

    /// Records a successful heartbeat. It counts from when it was sent.
    pub fn heartbeat(&self, sent: Instant) {
        let sent = millis(sent.saturating_duration_since(self.started));
        self.last_heartbeat.store(sent + 1, Ordering::Release);
        self.is_connected.store(true, Ordering::Release);
    }

    pub fn disconnected(&self) {
        self.is_connected.store(false, Ordering::Release);
    }

    /// True if cached rows may be trusted.
    pub fn is_live(&self) -> bool {
        self.is_connected.load(Ordering::Acquire) && self.is_within(HEARTBEAT_VALIDITY)
    }

    /// True if the configured grace after the last heartbeat has not ended.
    pub fn within_outage_grace(&self) -> bool {
        !self.outage_grace.is_zero() && self.is_within(self.outage_grace)
    }

    fn is_within(&self, time: Duration) -> bool {
        match self.last_heartbeat.load(Ordering::Acquire) {
            0 => false,
            last => millis(self.started.elapsed()).saturating_sub(last - 1) <= millis(time),
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_is_valid_for_a_second_unless_the_connection_is_lost() {
        let health = ListenerHealth::new(Duration::ZERO);
        assert!(!health.is_live());
        health.heartbeat(Instant::now());
        assert!(health.is_live() && !health.within_outage_grace());
        health.disconnected();
        assert!(!health.is_live());
    }

    #[test]
    fn an_old_heartbeat_is_invalid_but_may_be_within_the_outage_grace() {
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap_or(now);
        let health = ListenerHealth {
            started: ago(100),
            ..ListenerHealth::new(Duration::from_secs(30))
        };
        health.heartbeat(ago(2));
        assert!(!health.is_live() && health.within_outage_grace());
        health.heartbeat(ago(31));
        assert!(!health.within_outage_grace());
    }
}
