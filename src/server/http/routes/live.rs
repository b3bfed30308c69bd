//! `GET /live`: notifies open consoles of changes with server-sent events (WHATWG HTML §9.2). The page
//! then fetches the data itself.

use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::domain::error::AppError;
use crate::server::http::extract::cookies;
use crate::server::http::middleware::session::Session;
use crate::server::http::problem::Problem;
use crate::server::service::Services;
use crate::server::state::AppState;

/// Changes within this interval are combined into one event.
const DEBOUNCE: Duration = Duration::from_millis(250);
/// Interval at which the session is checked.
const SESSION_CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Interval of keep-alive comments, which prevent proxies from closing an idle connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct ChangeStream {
    changes: watch::Receiver<Option<u64>>,
    services: Services,
    cookie: String,
    next_check: Instant,
}

/// Streams change events until the session ends or the server stops.
pub async fn changes(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let cookie = cookies::session(&state.site, &headers).filter(|_| session.signed_in.is_some());
    let Some(cookie) = cookie else {
        return Problem(AppError::SignedOut).into_response();
    };
    let stream_state = ChangeStream {
        changes: state.guard.changes().subscribe(),
        services: state.services.clone(),
        cookie: cookie.to_owned(),
        next_check: Instant::now() + SESSION_CHECK_INTERVAL,
    };
    let events = stream::unfold(stream_state, |mut stream_state| async {
        stream_state.next().await.then(|| {
            // Browsers drop an event without data.
            let event = Event::default().event("changed").data("keys");
            (Ok::<_, Infallible>(event), stream_state)
        })
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // nginx would buffer the events.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(events).keep_alive(keep_alive)).into_response()
}

impl ChangeStream {
    /// Waits for the next change. Returns false at the end of the stream.
    async fn next(&mut self) -> bool {
        loop {
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() || self.changes.borrow_and_update().is_none() {
                        return false;
                    }
                    sleep(DEBOUNCE).await;
                    let is_open = self.changes.borrow_and_update().is_some();
                    return is_open && self.session_is_live().await;
                }
                () = sleep_until(self.next_check) => {
                    self.next_check = Instant::now() + SESSION_CHECK_INTERVAL;
                    if !self.session_is_live().await {
                        return false;
                    }
                }
            }
        }
    }

    async fn session_is_live(&self) -> bool {
        // Keep the stream open while the database is unavailable: the page's own requests report that.
        self.services
            .sessions
            .is_live(&self.cookie)
            .await
            .unwrap_or(true)
    }
}
