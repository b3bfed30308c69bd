//! The operator's own sessions, each with a button to end it.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::console::kit::time::RelativeTime;
use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::browser;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::remote;
use crate::console::sign_in::server_fns::{SessionsPage, end_session};
use crate::domain::error::AppError;
use crate::domain::session::SessionView;

/// The sessions of the signed-in operator.
#[component]
pub fn SessionTable(page: SessionsPage) -> impl IntoView {
    let host = expect_context::<DialogHost>();
    let hydrated = expect_context::<Hydrated>();
    let SessionsPage { now, sessions } = page;
    let error = RwSignal::new(None::<AppError>);
    let row = move |session: SessionView| {
        let id = session.session_id;
        let from = session
            .ip
            .unwrap_or_else(|| "an unknown address".to_owned());
        let end = move |_| {
            error.set(None);
            spawn_local(async move {
                match remote::answer(end_session(id)).await {
                    Ok(()) => {
                        host.report("The session is ended.");
                        browser::focus::restore(vec!["main h1".to_owned()]);
                    }
                    Err(failed) => drop(error.try_set(Some(failed))),
                }
            });
        };
        let action = if session.is_this {
            view! { <span class="chip">"this one"</span> }.into_any()
        } else {
            view! {
                <button
                    class="button small" type="button" id=format!("end-{id}") aria-label=format!("End the session from {from}")
                    disabled=move || !hydrated.done() on:click=end
                >"End"</button>
            }
            .into_any()
        };
        view! {
            <tr>
                <td data-label="From"><bdi>{from.clone()}</bdi></td>
                <td data-label="Signed in"><RelativeTime id=format!("begun-{id}") at=Some(session.created_at) now/></td>
                <td data-label="Last used"><RelativeTime id=format!("seen-{id}") at=Some(session.last_seen_at) now/></td>
                <td data-label="Actions" class="row-actions">{action}</td>
            </tr>
        }
    };
    view! {
        <section class="panel" aria-labelledby="sessions-heading">
            <h2 id="sessions-heading">"Your sessions"</h2>
            <p class="lead">"Where you are signed in. A session ends after an hour without use, and after twelve hours at the latest."</p>
            {move || error.get().map(|error| view! { <ErrorAlert error/> })}
            <table class="keys" aria-labelledby="sessions-heading">
                <thead>
                    <tr>
                        <th scope="col">"From"</th>
                        <th scope="col">"Signed in"</th>
                        <th scope="col">"Last used"</th>
                        <th scope="col">"Actions"</th>
                    </tr>
                </thead>
                <tbody>{sessions.into_iter().map(row).collect_view()}</tbody>
            </table>
        </section>
    }
}
