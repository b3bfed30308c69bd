//! A signal that something shown in the console may have changed, for open pages.

use tokio::sync::watch;

/// A counter of changes; `None` once the server stops.
#[derive(Debug)]
pub struct ChangeBroadcast(watch::Sender<Option<u64>>);

impl Default for ChangeBroadcast {
    fn default() -> Self {
        Self(watch::Sender::new(Some(0)))
    }
}

impl ChangeBroadcast {
    pub fn notify(&self) {
        self.0
            .send_modify(|count| *count = count.map(|count| count.wrapping_add(1)));
    }

    pub fn close(&self) {
        self.0.send_replace(None);
    }

    pub fn subscribe(&self) -> watch::Receiver<Option<u64>> {
        self.0.subscribe()
    }
}
