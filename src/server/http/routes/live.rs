//! `GET /live`: tells an open console that something it shows is different, as server-sent events
//! (WHATWG HTML §9.2). What it is, the page asks for itself.

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

/// Changes that come closer together are told as one.
const PAUSE: Duration = Duration::from_millis(250);
/// How often it is looked whether the session has ended.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How often something is sent where nothing changes, so that proxies keep the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

struct Following {
    heard: watch::Receiver<Option<u64>>,
    services: Services,
    cookie: String,
    next_look: Instant,
}

/// Tells until the session ends or the server stops.
pub async fn changes(
    State(state): State<AppState>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let cookie = cookies::session(&state.site, &headers).filter(|_| session.signed_in.is_some());
    let Some(cookie) = cookie else {
        return Problem(AppError::SignedOut).into_response();
    };
    let following = Following {
        heard: state.guard.changes().subscribe(),
        services: state.services.clone(),
        cookie: cookie.to_owned(),
        next_look: Instant::now() + LOOK_EVERY,
    };
    let events = stream::unfold(following, |mut following| async {
        following.next().await.then(|| {
            // Browsers drop an event without data.
            let event = Event::default().event("changed").data("keys");
            (Ok::<_, Infallible>(event), following)
        })
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    // nginx would gather the events in its buffer.
    let unbuffered = [("x-accel-buffering", "no")];
    (unbuffered, Sse::new(events).keep_alive(keep_alive)).into_response()
}

impl Following {
    /// Waits for something to tell; `false` when there will be nothing more.
    async fn next(&mut self) -> bool {
        loop {
            tokio::select! {
                changed = self.heard.changed() => {
                    if changed.is_err() || self.heard.borrow_and_update().is_none() {
                        return false;
                    }
                    sleep(PAUSE).await;
                    let goes_on = self.heard.borrow_and_update().is_some();
                    return goes_on && self.session_lives().await;
                }
                () = sleep_until(self.next_look) => {
                    self.next_look = Instant::now() + LOOK_EVERY;
                    if !self.session_lives().await {
                        return false;
                    }
                }
            }
        }
    }

    async fn session_lives(&self) -> bool {
        // While the database is away nothing is shown either: the page's own question will say so.
        self.services
            .sessions
            .is_live(&self.cookie)
            .await
            .unwrap_or(true)
    }
}
