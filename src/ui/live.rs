//! Hears from the server that something shown is different, while anybody can see the page.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

use super::links;
#[cfg(feature = "hydrate")]
use super::{browser, browser::Events};

/// Calls `changed` whenever something is different, and whenever it begins to listen, since nothing was
/// heard before. Ends with the component.
pub fn follow(changed: impl Fn() + Clone + 'static) {
    #[cfg(feature = "hydrate")]
    // Effects run in the browser alone, after the tree was taken over.
    Effect::new(move || {
        let events = StoredValue::new_local(None::<Events>);
        let changed = changed.clone();
        let look = move || {
            let is_open = events.with_value(Option::is_some);
            match (browser::is_visible(), is_open) {
                (true, false) => events.set_value(Events::open(links::LIVE, changed.clone())),
                (false, true) => events.set_value(None),
                _ => {}
            }
        };
        look();
        let seen = window_event_listener_untyped("visibilitychange", move |_| look());
        on_cleanup(move || {
            seen.remove();
            events.try_set_value(None);
        });
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = (changed, links::LIVE);
}
