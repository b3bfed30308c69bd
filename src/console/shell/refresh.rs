//! Reloading of what a page shows after changes.

use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;

/// The longest time to wait for the event of a change made here. The server collects changes for 250 ms.
const EVENT_TIMEOUT: Duration = Duration::from_secs(1);

/// Reloads lists whenever something changed, here or elsewhere.
#[derive(Clone, Copy)]
pub struct Refresh {
    version: RwSignal<u32>,
    is_streaming: StoredValue<bool>,
    pending: StoredValue<Option<TimeoutHandle>>,
}

impl Refresh {
    /// Creates it and puts it into the context.
    pub fn provide() -> Self {
        let refresh = Self {
            version: RwSignal::new(0),
            is_streaming: StoredValue::new(false),
            pending: StoredValue::new(None),
        };
        provide_context(refresh);
        refresh
    }

    /// Counts the reloads: lists depend on it.
    pub fn version(self) -> RwSignal<u32> {
        self.version
    }

    /// Reloads now.
    pub fn now(self) {
        self.cancel_pending();
        self.version.update(|version| *version += 1);
    }

    /// Reloads after a change made here. While the event stream is open, the event of this change
    /// does that, so that nothing is loaded twice; a timeout stands in for an event that is lost.
    pub fn after_own_change(self) {
        if !self.is_streaming.get_value() {
            return self.now();
        }
        self.cancel_pending();
        let timer = set_timeout_with_handle(move || self.now(), EVENT_TIMEOUT);
        self.pending.set_value(timer.ok());
    }

    /// Records whether the event stream is open.
    #[cfg(feature = "hydrate")]
    pub fn set_streaming(self, is_open: bool) {
        self.is_streaming.set_value(is_open);
    }

    fn cancel_pending(self) {
        if let Some(timer) = self.pending.try_update_value(Option::take).flatten() {
            timer.clear();
        }
    }
}
