//! Hears from the server that something shown is different, while anybody can see the page.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

use super::links;
#[cfg(feature = "hydrate")]
use super::{browser, browser::Events};

/// When a stream that a server has refused is asked for again: a proxy says so while what is behind it
/// starts, and the server when the session is over.
#[cfg(feature = "hydrate")]
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Calls `changed` whenever something is different, and whenever it begins to listen, since nothing was
/// heard before; and when it can't, so that the page asks, and is told why. Ends with the component.
pub fn follow(changed: impl Fn() + Clone + 'static) {
    #[cfg(feature = "hydrate")]
    {
        let again = RwSignal::new(());
        // Effects run in the browser alone, after the tree was taken over.
        Effect::new(move || {
            again.track();
            let events = StoredValue::new_local(None::<Events>);
            let changed = changed.clone();
            let ended = {
                let changed = changed.clone();
                move || {
                    changed();
                    set_timeout(
                        move || {
                            // The page may be gone.
                            let _ = again.try_set(());
                        },
                        AGAIN,
                    );
                }
            };
            let look = move || {
                let is_open = events.with_value(Option::is_some);
                match (browser::is_visible(), is_open) {
                    (true, false) => {
                        let opened = Events::open(links::LIVE, changed.clone(), ended.clone());
                        events.set_value(opened);
                    }
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
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (changed, links::LIVE);
}
