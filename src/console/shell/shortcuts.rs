//! Keys that spare a pointer: `?` tells them, `/` searches, `n` makes a key, `j` and `k` go through the
//! rows. They can be switched off (WCAG 2.2, 2.1.4).

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use super::browser;
use super::dialog_host::Desk;
#[cfg(feature = "hydrate")]
use super::dialog_host::OpenDialog;

/// Each key with what it does.
pub const SHORTCUTS: [(&str, &str); 5] = [
    ("?", "Show these shortcuts"),
    ("/", "Search"),
    ("n", "Generate a new key"),
    ("j", "Go to the next row"),
    ("k", "Go to the row before"),
];

/// Where the browser remembers that they are off. Nothing else is kept there.
#[cfg(feature = "hydrate")]
const REMEMBERED: &str = "myproof-shortcuts";
#[cfg(feature = "hydrate")]
const OFF: &str = "off";

/// Whether they are on.
#[derive(Clone, Copy)]
pub struct Shortcuts(RwSignal<bool>);

impl Shortcuts {
    /// On, unless they were switched off in this browser; in the context from now on.
    pub fn provide(desk: Desk) {
        let shortcuts = Self(RwSignal::new(true));
        provide_context(shortcuts);
        #[cfg(feature = "hydrate")]
        Effect::new(move || {
            if browser::remembered(REMEMBERED).as_deref() == Some(OFF) {
                shortcuts.0.set(false);
            }
            let keys = window_event_listener(leptos::ev::keydown, move |event| {
                let is_plain = !(event.ctrl_key() || event.alt_key() || event.meta_key());
                let listens = shortcuts.0.get_untracked() && desk.is_free();
                if is_plain && listens && !browser::is_typing(&event) && press(desk, &event.key()) {
                    event.prevent_default();
                }
            });
            on_cleanup(move || keys.remove());
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = desk;
    }

    /// Whether they are on.
    #[must_use]
    pub fn are_on(self) -> bool {
        self.0.get()
    }

    /// Switches them on or off, in this browser from now on.
    pub fn switch(self, on: bool) {
        self.0.set(on);
        #[cfg(feature = "hydrate")]
        browser::remember(REMEMBERED, (!on).then_some(OFF));
    }
}

/// Does what a key is for; whether it is for anything.
#[cfg(feature = "hydrate")]
fn press(desk: Desk, key: &str) -> bool {
    match key {
        "?" => {
            desk.open(OpenDialog::Shortcuts);
            true
        }
        "/" => browser::focus("[role=search] input[type=search]"),
        "n" => browser::click("#generate-key"),
        "j" => browser::step_focus(ROWS, 1),
        "k" => browser::step_focus(ROWS, -1),
        _ => false,
    }
}

/// What has the focus in a row.
#[cfg(feature = "hydrate")]
const ROWS: &str = "main tbody tr td:first-child a, main .events summary";
