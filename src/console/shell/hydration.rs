//! Whether hydration is done: until then whatever would reveal a token is disabled, because its answer
//! would be lost without WASM.

#[cfg(feature = "hydrate")]
use std::time::Duration;

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use crate::console::chunks;

/// Delay before the other chunks are fetched, so that the page itself loads first.
#[cfg(feature = "hydrate")]
const FETCH_AHEAD_AFTER: Duration = Duration::from_millis(500);

/// False on the server and until hydration is done.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Creates the signal, puts it into the context, and sets `<html data-hydrated="true">` once
    /// hydration is done.
    pub fn provide() -> Self {
        let hydrated = Self(RwSignal::new(false));
        provide_context(hydrated);
        // Effects run in the browser only, after hydration.
        Effect::new(move || {
            hydrated.0.set(true);
            if let Some(root) = document().document_element() {
                // Without the mark the page still works.
                let _ = root.set_attribute("data-hydrated", "true");
            }
            #[cfg(feature = "hydrate")]
            set_timeout(
                || leptos::task::spawn_local(chunks::fetch_ahead()),
                FETCH_AHEAD_AFTER,
            );
        });
        hydrated
    }

    /// True once hydration is done.
    pub fn done(self) -> bool {
        self.0.get()
    }
}
