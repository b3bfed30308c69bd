//! What the listener has heard, for whoever shows keys: no more than that something is different.

use tokio::sync::watch;

/// Counts what was heard. Ended when the server stops.
#[derive(Debug)]
pub struct Heard(watch::Sender<Option<u64>>);

impl Default for Heard {
    fn default() -> Self {
        Self(watch::Sender::new(Some(0)))
    }
}

impl Heard {
    /// Something is different.
    pub fn something(&self) {
        self.0
            .send_modify(|count| *count = count.map(|count| count.wrapping_add(1)));
    }

    /// Nothing will be heard any more.
    pub fn end(&self) {
        self.0.send_replace(None);
    }

    /// Changes whenever something was heard; `None` once nothing will be.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Option<u64>> {
        self.0.subscribe()
    }
}
