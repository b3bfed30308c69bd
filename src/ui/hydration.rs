//! Whether the browser has taken over: until then whatever would reveal a token stays disabled,
//! because without WASM its answer would be lost.

use leptos::prelude::*;

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
        });
        hydrated
    }

    /// Whether hydration is done.
    #[must_use]
    pub fn done(self) -> bool {
        self.0.get()
    }
}
