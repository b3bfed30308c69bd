//! The second step of a sign-in: the code of the second factor. A plain form with and without WASM, since the
//! next page is a new document.

use std::time::Duration;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::session::error_from_url;
use crate::console::sign_in::server_fns::VerifyCode;
use crate::domain::routes;

#[component]
pub fn CodePage() -> impl IntoView {
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_default();
    let error = error_from_url();
    // A second post would find the code used, and the browser would show its answer.
    let sent = RwSignal::new(false);
    let once = move |event: SubmitEvent| {
        if sent.get_untracked() {
            event.prevent_default();
        }
        sent.set(true);
        // The navigation may be stopped, or the browser may return to this page.
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
            {move || error().map(|error| view! { <ErrorAlert error/> })}
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
            <p class="field-note"><a href=move || routes::login(&next()) rel="external">"Sign in as another operator"</a></p>
        </section>
    }
}
