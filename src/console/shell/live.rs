//! Live updates: reloads what is shown when the server reports a change, while the page is visible.

#[cfg(feature = "hydrate")]
use leptos::prelude::*;

#[cfg(feature = "hydrate")]
use super::browser::{self, events::Events};
use super::refresh::Refresh;
use crate::domain::routes;

/// First delay before a refused stream is requested again: a proxy refuses it while the server
/// starts, and the server when the session has ended.
#[cfg(feature = "hydrate")]
const RETRY_DELAY: std::time::Duration = std::time::Duration::from_secs(5);

/// Reloads at each change and whenever the stream opens, since changes before that were missed; also
/// when the stream is refused, so that the page learns why. Ends with the component.
pub fn follow(refresh: Refresh) {
    #[cfg(feature = "hydrate")]
    {
        // Consecutive refusals of the stream.
        let refusals = RwSignal::new(0_u32);
        // Effects run in the browser only, after hydration.
        Effect::new(move || {
            refusals.track();
            let events = StoredValue::new_local(None::<Events>);
            let retry = StoredValue::new(None::<TimeoutHandle>);
            let cancel_retry = move || {
                if let Some(timer) = retry.try_update_value(Option::take).flatten() {
                    timer.clear();
                }
            };
            let on_change = move || {
                refusals.update_untracked(|refusals| *refusals = 0);
                refresh.now();
            };
            let on_open = move || {
                refresh.set_streaming(true);
                on_change();
            };
            let on_error = move |gave_up: bool| {
                refresh.set_streaming(false);
                if gave_up {
                    refresh.now();
                    let delay = RETRY_DELAY * 2_u32.pow(refusals.get_untracked().min(4));
                    let again = move || {
                        let _ = refusals.try_update(|refusals| *refusals += 1);
                    };
                    retry.set_value(set_timeout_with_handle(again, delay).ok());
                }
            };
            let follow_visibility = move || {
                let is_open = events.with_value(Option::is_some);
                match (browser::is_visible(), is_open) {
                    (true, false) => {
                        cancel_retry();
                        events.set_value(Events::open(routes::LIVE, on_change, on_open, on_error));
                    }
                    (false, true) => {
                        events.set_value(None);
                        refresh.set_streaming(false);
                    }
                    _ => {}
                }
            };
            follow_visibility();
            let listener =
                window_event_listener_untyped("visibilitychange", move |_| follow_visibility());
            on_cleanup(move || {
                listener.remove();
                cancel_retry();
                events.try_set_value(None);
                refresh.set_streaming(false);
            });
        });
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (refresh, routes::LIVE);
}
