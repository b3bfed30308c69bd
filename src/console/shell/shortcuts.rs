//! Keyboard shortcuts: `?` lists them, `/` searches, `n` generates a key, `j` and `k` move through the
//! rows. They can be switched off (WCAG 2.2, 2.1.4).

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use super::browser;
use super::dialog_host::DialogHost;
#[cfg(feature = "hydrate")]
use super::dialog_host::OpenDialog;

/// Each key with its description.
pub const SHORTCUTS: [(&str, &str); 5] = [
    ("?", "Show these shortcuts"),
    ("/", "Search"),
    ("n", "Generate a new key"),
    ("j", "Go to the next row"),
    ("k", "Go to the previous row"),
];

/// The entry of local storage that says that they are off; the only one.
#[cfg(feature = "hydrate")]
const STORAGE_KEY: &str = "myproof-shortcuts";
#[cfg(feature = "hydrate")]
const OFF: &str = "off";

/// Whether shortcuts are on.
#[derive(Clone, Copy)]
pub struct Shortcuts(RwSignal<bool>);

impl Shortcuts {
    /// Puts them into the context: on, unless they were switched off in this browser.
    pub fn provide(host: DialogHost) {
        let shortcuts = Self(RwSignal::new(true));
        provide_context(shortcuts);
        #[cfg(feature = "hydrate")]
        Effect::new(move || {
            if browser::stored(STORAGE_KEY).as_deref() == Some(OFF) {
                shortcuts.0.set(false);
            }
            let keys = window_event_listener(leptos::ev::keydown, move |event| {
                let is_plain = !(event.ctrl_key() || event.alt_key() || event.meta_key());
                let listens = shortcuts.0.get_untracked() && host.is_free();
                if is_plain && listens && !browser::is_typing(&event) && press(host, &event.key()) {
                    event.prevent_default();
                }
            });
            on_cleanup(move || keys.remove());
        });
        #[cfg(not(feature = "hydrate"))]
        let _ = host;
    }

    /// True if they are on.
    pub fn are_on(self) -> bool {
        self.0.get()
    }

    /// Switches them on or off in this browser.
    pub fn set(self, on: bool) {
        self.0.set(on);
        #[cfg(feature = "hydrate")]
        browser::store(STORAGE_KEY, (!on).then_some(OFF));
    }
}

/// Runs the shortcut of a key; returns whether there is one.
#[cfg(feature = "hydrate")]
fn press(host: DialogHost, key: &str) -> bool {
    match key {
        "?" => {
            host.open(OpenDialog::Shortcuts);
            true
        }
        "/" => browser::focus::set("[role=search] input[type=search]"),
        "n" => browser::focus::click("#generate-key"),
        "j" => browser::focus::step(ROWS, 1),
        "k" => browser::focus::step(ROWS, -1),
        _ => false,
    }
}

/// The focusable elements of rows.
#[cfg(feature = "hydrate")]
const ROWS: &str = "main tbody tr td:first-child a, main .events summary";
