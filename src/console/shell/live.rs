//! Hears from the server that something shown is different, while anybody can see the page.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use super::browser;
#[cfg(feature = "hydrate")]
use super::browser::Events;
use crate::domain::routes;

/// When a stream that a server has refused is first asked for again: a proxy refuses while what is behind it
/// starts, and the server when the session is over.
#[cfg(feature = "hydrate")]
const AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

/// Calls `changed` whenever something is different, and whenever it begins to listen, since nothing was
/// heard before; and when it can't, so that the page asks, and is told why. Ends with the component.
pub fn follow(changed: impl Fn() + Clone + 'static) {
    #[cfg(feature = "hydrate")]
    {
        // How often in a row the stream was refused.
        let refused = RwSignal::new(0_u32);
        // Effects run in the browser alone, after the tree was taken over.
        Effect::new(move || {
            refused.track();
            let events = StoredValue::new_local(None::<Events>);
            let timer = StoredValue::new(None::<TimeoutHandle>);
            let forget_timer = move || {
                if let Some(Some(handle)) = timer.try_update_value(Option::take) {
                    handle.clear();
                }
            };
            let heard = {
                let changed = changed.clone();
                move || {
                    refused.update_untracked(|refused| *refused = 0);
                    changed();
                }
            };
            let ended = {
                let changed = changed.clone();
                move || {
                    changed();
                    let wait = AGAIN * 2_u32.pow(refused.get_untracked().min(4));
                    let again = move || {
                        let _ = refused.try_update(|refused| *refused += 1);
                    };
                    timer.set_value(set_timeout_with_handle(again, wait).ok());
                }
            };
            let look = move || {
                let is_open = events.with_value(Option::is_some);
                match (browser::is_visible(), is_open) {
                    (true, false) => {
                        forget_timer();
                        events.set_value(Events::open(routes::LIVE, heard.clone(), ended.clone()));
                    }
                    (false, true) => events.set_value(None),
                    _ => {}
                }
            };
            look();
            let seen = window_event_listener_untyped("visibilitychange", move |_| look());
            on_cleanup(move || {
                seen.remove();
                forget_timer();
                events.try_set_value(None);
            });
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (changed, routes::LIVE);
}
