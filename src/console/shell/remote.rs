//! Calls of server functions: none waits for ever, and a list shows the answer to its current query,
//! never an older one.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use leptos::prelude::*;
use leptos::server_fn::codec::TextStream;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::browser;
use crate::console::shell::refresh::Refresh;
use crate::domain::error::AppError;

/// The longest time to wait for an answer. Argon2 and the database are bounded far below.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Returns the answer of a call, or [`AppError::NoAnswer`] after the timeout.
pub async fn answer<T>(call: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    browser::timeout(TIMEOUT, call)
        .await
        .unwrap_or(Err(AppError::NoAnswer))
}

/// Returns the answer of a call that changes nothing: without one the outcome is not unknown.
pub async fn read<T>(call: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    answer(call).await.map_err(|error| match error {
        AppError::NoAnswer => AppError::UNAVAILABLE,
        other => other,
    })
}

/// Passes on each line of a stream of JSON until it ends. Fails with [`AppError::NoAnswer`] if the
/// connection breaks or is silent for too long.
pub async fn read_lines<T: DeserializeOwned>(
    stream: TextStream<AppError>,
    mut on_line: impl FnMut(T),
) -> Result<(), AppError> {
    let mut chunks = std::pin::pin!(stream.into_inner());
    let mut text = String::new();
    loop {
        match browser::timeout(TIMEOUT, chunks.next()).await {
            Some(Some(Ok(more))) => text.push_str(&more),
            Some(None) => return Ok(()),
            Some(Some(Err(_))) | None => return Err(AppError::NoAnswer),
        }
        while let Some(end) = text.find('\n') {
            let line: String = text.drain(..=end).collect();
            let event = serde_json::from_str(&line).map_err(|_| AppError::NoAnswer)?;
            on_line(event);
        }
    }
}

/// The server's time, from an answer on. A little late, never early.
#[derive(Clone, Copy)]
pub struct ServerTime {
    at_answer: DateTime<Utc>,
    millis_at_answer: f64,
}

impl ServerTime {
    /// Starts from the time in an answer that has just arrived.
    pub fn starting_at(now: DateTime<Utc>) -> Self {
        Self {
            at_answer: now,
            millis_at_answer: browser::locale::millis(),
        }
    }

    /// Returns the server's time now.
    pub fn now(self) -> DateTime<Utc> {
        let passed = (browser::locale::millis() - self.millis_at_answer).max(0.0);
        self.at_answer + TimeDelta::milliseconds(passed as i64)
    }
}

/// The latest answer to a query. The first one comes with the page, before hydration; each change of
/// the query loads another, and answers to older queries are dropped, however late they arrive.
pub struct Latest<T: Clone + Send + Sync + 'static> {
    first: Resource<Result<T, AppError>>,
    newer: RwSignal<Option<Result<T, AppError>>>,
    pending: RwSignal<bool>,
}

impl<T: Clone + Send + Sync + 'static> Clone for Latest<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Clone + Send + Sync + 'static> Copy for Latest<T> {}

impl<T> Latest<T>
where
    T: Clone + Send + Sync + serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    /// Loads now, and again whenever the query changes or the lists are to be reloaded.
    pub fn new<Q, F>(query: Memo<Q>, fetch: impl Fn(Q) -> F + Clone + Send + Sync + 'static) -> Self
    where
        Q: Clone + PartialEq + Send + Sync + 'static,
        F: Future<Output = Result<T, AppError>> + Send + 'static,
    {
        let version = expect_context::<Refresh>().version();
        let fetch_first = fetch.clone();
        let latest = Self {
            first: Resource::new_blocking(
                || (),
                move |()| read(fetch_first(query.get_untracked())),
            ),
            newer: RwSignal::new(None),
            pending: RwSignal::new(false),
        };
        let turn = StoredValue::new(0_u64);
        Effect::new(move |before: Option<(Q, u32)>| {
            let now = (query.get(), version.get());
            if before.is_some_and(|before| before != now) {
                turn.update_value(|turn| *turn += 1);
                let mine = turn.get_value();
                latest.pending.set(true);
                let call = fetch(now.0.clone());
                spawn_local(async move {
                    let outcome = read(call).await;
                    // The page and its signals may be gone by now.
                    if turn.try_get_value() == Some(mine) {
                        let focused = browser::focus::focused_id();
                        latest.newer.try_set(Some(outcome));
                        latest.pending.try_set(false);
                        // The focused element may have been rendered again.
                        if let Some(id) = focused {
                            let same = format!("[id=\"{id}\"]");
                            browser::focus::restore(vec![same, "main h1".to_owned()]);
                        }
                    }
                });
            }
            now
        });
        latest
    }

    /// True while a newer answer is loading.
    pub fn pending(self) -> Signal<bool> {
        self.pending.into()
    }

    /// The latest answer, if there is one. Not for rendering on the server, where it comes later.
    pub fn latest(self) -> Option<T> {
        self.newer.get().or_else(|| self.first.get())?.ok()
    }

    /// Shows the answers, or the failure of the latest one with a button to try again.
    pub fn view(
        self,
        show: impl Fn(ArcRwSignal<T>) -> AnyView + Send + Sync + 'static,
    ) -> impl IntoView {
        let refresh = expect_context::<Refresh>();
        self.view_or(show, move |error| {
            let on_retry = Callback::new(move |()| refresh.now());
            view! { <ErrorAlert error on_retry/> }.into_any()
        })
    }

    /// Shows the answers by a view that gets them as a signal and stays, so that what has not changed
    /// keeps its place; or the failure of the latest one.
    pub fn view_or(
        self,
        show: impl Fn(ArcRwSignal<T>) -> AnyView + Send + Sync + 'static,
        fail: impl Fn(AppError) -> AnyView + Send + Sync + 'static,
    ) -> impl IntoView {
        let shown = RwSignal::new(None::<Result<ArcRwSignal<T>, AppError>>);
        let take = move |outcome: Result<T, AppError>| {
            let kept = shown.with_untracked(|shown| match shown {
                Some(Ok(kept)) => Some(kept.clone()),
                _ => None,
            });
            match (kept, outcome) {
                (Some(kept), Ok(answer)) => kept.set(answer),
                (None, Ok(answer)) => shown.set(Some(Ok(ArcRwSignal::new(answer)))),
                (_, Err(error)) => shown.set(Some(Err(error))),
            }
        };
        Effect::new(move || {
            if let Some(outcome) = self.newer.get() {
                take(outcome);
            }
        });
        let (show, fail) = (Arc::new(show), Arc::new(fail));
        view! {
            <Suspense fallback=|| view! { <p class="loading" role="status">"Loading…"</p> }>
                {move || {
                    let (show, fail) = (Arc::clone(&show), Arc::clone(&fail));
                    Suspend::new(async move {
                        let first = self.first.await;
                        if shown.with_untracked(Option::is_none) {
                            take(first);
                        }
                        move || match shown.get() {
                            None => ().into_any(),
                            Some(Ok(answers)) => show(answers),
                            Some(Err(error)) => fail(error),
                        }
                    })
                }}
            </Suspense>
        }
    }
}
