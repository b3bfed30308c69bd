//! Whether this process would hear of a change: its listener's connection, by its heartbeat.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A heartbeat holds for so long. A connection that is only half open looks alive for longer.
pub const HEARTBEAT_HOLDS: Duration = Duration::from_secs(1);

/// The state of the listener's connection. Down at first.
#[derive(Debug)]
pub struct Link {
    started: Instant,
    is_up: AtomicBool,
    /// Milliseconds after `started`, plus one; 0 for never.
    last_heartbeat: AtomicU64,
    outage: Duration,
}

impl Link {
    /// A link that was never up. `outage` is how long keys that were proven here may still be
    /// accepted while neither it nor the database can be reached.
    #[must_use]
    pub fn new(outage: Duration) -> Self {
        Self {
            started: Instant::now(),
            is_up: AtomicBool::new(false),
            last_heartbeat: AtomicU64::new(0),
            outage,
        }
    }

    /// A heartbeat that was sent at `sent` has succeeded.
    pub fn heartbeat(&self, sent: Instant) {
        let sent = millis(sent.saturating_duration_since(self.started));
        self.last_heartbeat.store(sent + 1, Ordering::Release);
        self.is_up.store(true, Ordering::Release);
    }

    /// The connection is gone.
    pub fn cut(&self) {
        self.is_up.store(false, Ordering::Release);
    }

    /// Whether what is remembered may be relied on.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.is_up.load(Ordering::Acquire) && self.is_within(HEARTBEAT_HOLDS)
    }

    /// Whether the operator's bridge over an outage still holds.
    #[must_use]
    pub fn is_bridged(&self) -> bool {
        !self.outage.is_zero() && self.is_within(self.outage)
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
    fn a_heartbeat_holds_for_a_second_unless_the_connection_is_cut() {
        let link = Link::new(Duration::ZERO);
        assert!(!link.is_live());
        link.heartbeat(Instant::now());
        assert!(link.is_live() && !link.is_bridged());
        link.cut();
        assert!(!link.is_live());
    }

    #[test]
    fn an_old_heartbeat_holds_no_more_but_may_bridge() {
        let now = Instant::now();
        let ago = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap_or(now);
        let link = Link {
            started: ago(100),
            ..Link::new(Duration::from_secs(30))
        };
        link.heartbeat(ago(2));
        assert!(!link.is_live() && link.is_bridged());
        link.heartbeat(ago(31));
        assert!(!link.is_bridged());
    }
}
