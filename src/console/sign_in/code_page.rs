//! Where a sign-in goes on with the second factor. A plain form, with WASM and without: what it leads to is
//! a page of its own.

use std::time::Duration;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::session::told_before;
use crate::console::sign_in::server_fns::VerifyCode;
use crate::domain::routes;

/// Asks for a code.
#[component]
pub fn CodePage() -> impl IntoView {
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_default();
    let error = told_before();
    // A second post would find the code taken, and its answer would be the one that the browser keeps.
    let sent = RwSignal::new(false);
    let once = move |event: SubmitEvent| {
        if sent.get_untracked() {
            event.prevent_default();
        }
        sent.set(true);
        // It may have been stopped, or the browser may come back to this very page.
        let again = move || {
            let _ = sent.try_set(false);
        };
        set_timeout(again, Duration::from_secs(10));
    };
    view! {
        <Title text="Second factor"/>
        <section class="panel narrow">
            <h1 tabindex="-1">"Second factor"</h1>
            <p class="lead">"Enter the code that your app shows, or one of your recovery codes."</p>
            {move || error().map(|error| view! { <ErrorNotice error/> })}
            <form method="post" action=VerifyCode::PATH on:submit=once>
                <input type="hidden" name="next" value=next/>
                <div class="field">
                    <label for="code">"Code"</label>
                    <input
                        id="code" name="code" type="text" autocomplete="one-time-code" autocapitalize="off"
                        spellcheck="false" required autofocus
                    />
                </div>
                <button class="button primary wide" type="submit" aria-busy=move || sent.get().to_string()>"Continue"</button>
            </form>
            <p class="field-note"><a href=move || routes::login(&next()) rel="external">"Sign in as somebody else"</a></p>
        </section>
    }
}
