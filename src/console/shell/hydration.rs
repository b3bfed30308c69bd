//! Whether the browser has taken over: until then whatever would reveal a token stays disabled,
//! because without WASM its answer would be lost.

#[cfg(feature = "hydrate")]
use std::time::Duration;

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use crate::console::chunks;

/// When the files that come later are fetched ahead: what is shown comes first.
#[cfg(feature = "hydrate")]
const FETCH_AHEAD_AFTER: Duration = Duration::from_millis(500);

/// False on the server and until hydration is done.
#[derive(Clone, Copy)]
pub struct Hydrated(RwSignal<bool>);

impl Hydrated {
    /// Makes the signal, puts it into the context, and marks `<html data-hydrated="true">` once
    /// hydration is done.
    pub fn provide() -> Self {
        let hydrated = Self(RwSignal::new(false));
        provide_context(hydrated);
        // Effects run in the browser alone, after the tree was taken over.
        Effect::new(move || {
            hydrated.0.set(true);
            if let Some(root) = document().document_element() {
                // A document that can't be marked is still a working page.
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

    /// Whether hydration is done.
    #[must_use]
    pub fn done(self) -> bool {
        self.0.get()
    }
}
