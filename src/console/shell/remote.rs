//! Calls of server functions, as pages make them: none waits for ever, and a list shows the answer
//! to what is asked now, never an older one.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use leptos::prelude::*;
use leptos::server_fn::codec::TextStream;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;

use crate::console::shell::browser;
use crate::domain::error::AppError;

/// How long an answer may take. Issuing waits for Argon2 and the database, both bounded far below.
const PATIENCE: Duration = Duration::from_secs(15);

/// The call's answer, or [`AppError::NoAnswer`] where none comes.
///
/// # Errors
/// What the call refuses, or that there is no answer.
pub async fn answer<T>(call: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    browser::within(PATIENCE, call)
        .await
        .unwrap_or(Err(AppError::NoAnswer))
}

/// The answer of a call that changes nothing: where none comes, that says no more than that.
async fn read<T>(call: impl Future<Output = Result<T, AppError>>) -> Result<T, AppError> {
    answer(call).await.map_err(|error| match error {
        AppError::NoAnswer => AppError::UNAVAILABLE,
        other => other,
    })
}

/// Hears what an order tells as it goes, lines of JSON, until it is done.
///
/// # Errors
/// [`AppError::NoAnswer`] where the connection breaks off or nothing is told for too long.
pub async fn follow<T: DeserializeOwned>(
    told: TextStream<AppError>,
    mut hear: impl FnMut(T),
) -> Result<(), AppError> {
    let mut told = std::pin::pin!(told.into_inner());
    let mut text = String::new();
    loop {
        match browser::within(PATIENCE, told.next()).await {
            Some(Some(Ok(more))) => text.push_str(&more),
            Some(None) => return Ok(()),
            Some(Some(Err(_))) | None => return Err(AppError::NoAnswer),
        }
        while let Some(end) = text.find('\n') {
            let line: String = text.drain(..=end).collect();
            let event = serde_json::from_str(&line).map_err(|_| AppError::NoAnswer)?;
            hear(event);
        }
    }
}

/// The server's time, as it was told once and goes on since. A little late, never early.
#[derive(Clone, Copy)]
pub struct ServerTime {
    told: DateTime<Utc>,
    at_millis: f64,
}

impl ServerTime {
    /// What an answer that has just arrived says.
    #[must_use]
    pub fn told(now: DateTime<Utc>) -> Self {
        Self {
            told: now,
            at_millis: browser::millis(),
        }
    }

    /// What time it is there by now.
    #[must_use]
    pub fn now(self) -> DateTime<Utc> {
        let passed = (browser::millis() - self.at_millis).max(0.0);
        self.told + TimeDelta::milliseconds(passed as i64)
    }
}

/// A list as the server answers it. The first answer comes with the page; every change of what is
/// asked calls again, and whatever was asked before is forgotten, however late it answers.
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
    /// Asks now, and again with every change of `asked` or `version`.
    pub fn new<Q, F>(
        asked: Memo<Q>,
        version: RwSignal<u32>,
        fetch: impl Fn(Q) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        Q: Clone + PartialEq + Send + Sync + 'static,
        F: Future<Output = Result<T, AppError>> + Send + 'static,
    {
        let ask_first = fetch.clone();
        let latest = Self {
            first: Resource::new_blocking(|| (), move |()| read(ask_first(asked.get_untracked()))),
            newer: RwSignal::new(None),
            pending: RwSignal::new(false),
        };
        let turn = StoredValue::new(0_u64);
        Effect::new(move |before: Option<(Q, u32)>| {
            let now = (asked.get(), version.get());
            if before.is_some_and(|before| before != now) {
                turn.update_value(|turn| *turn += 1);
                let mine = turn.get_value();
                latest.pending.set(true);
                let call = fetch(now.0.clone());
                spawn_local(async move {
                    let outcome = read(call).await;
                    // The page may be gone by now, and then so are its signals.
                    if turn.try_get_value() == Some(mine) {
                        let focused = browser::focused_id();
                        latest.newer.try_set(Some(outcome));
                        latest.pending.try_set(false);
                        // What had the focus may have been drawn anew.
                        if let Some(id) = focused {
                            let same = format!("[id=\"{id}\"]");
                            browser::focus_lost_to(vec![same, "main h1".to_owned()]);
                        }
                    }
                });
            }
            now
        });
        latest
    }

    /// Whether a newer answer is under way.
    #[must_use]
    pub fn pending(self) -> Signal<bool> {
        self.pending.into()
    }

    /// Shows the latest answer by a view that stays while answers come: it is given the signal of
    /// them, so that what has not changed keeps its place, and a reader theirs. A failure is shown
    /// instead until there is an answer again.
    pub fn view_kept(
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

    /// The latest answer, as soon as there is one. Not for what the server renders: there the answer
    /// comes later.
    #[must_use]
    pub fn latest(self) -> Option<T> {
        self.newer.get().or_else(|| self.first.get())?.ok()
    }

    /// Shows the latest answer; until the first one is there, a line that says so.
    pub fn view(
        self,
        show: impl Fn(Result<T, AppError>) -> AnyView + Send + Sync + 'static,
    ) -> impl IntoView {
        let show = Arc::new(show);
        move || match self.newer.get() {
            Some(outcome) => show(outcome),
            None => {
                let show = Arc::clone(&show);
                view! {
                    <Suspense fallback=|| view! { <p class="loading" role="status">"Loading…"</p> }>
                        {
                            let show = Arc::clone(&show);
                            move || {
                                let show = Arc::clone(&show);
                                Suspend::new(async move { show(self.first.await) })
                            }
                        }
                    </Suspense>
                }
                .into_any()
            }
        }
    }
}
