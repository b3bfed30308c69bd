//! The sign-in page. A plain form: it works without WASM too.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::console::shell::alert::ErrorNotice;
use crate::console::shell::session::{SessionActions, told_before};

/// Asks for e-mail and password.
#[component]
pub fn LoginPage() -> impl IntoView {
    let sign_in = expect_context::<SessionActions>().sign_in;
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_default();
    let told_before = told_before();
    let error = move || match sign_in.value().get() {
        None => told_before(),
        Some(outcome) => outcome.err(),
    };
    let pending = sign_in.pending();
    view! {
        <Title text="Sign in"/>
        <section class="panel narrow">
            <h1>"Sign in"</h1>
            <p class="lead">"The registry's console is for its operators."</p>
            {move || error().map(|error| view! { <ErrorNotice error/> })}
            <ActionForm action=sign_in>
                <input type="hidden" name="next" value=next/>
                <div class="field">
                    <label for="email">"Email"</label>
                    <input id="email" name="email" type="email" autocomplete="username" required autofocus/>
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input id="password" name="password" type="password" autocomplete="current-password" required/>
                </div>
                <button class="button primary wide" type="submit" aria-busy=move || pending.get().to_string()>"Sign in"</button>
            </ActionForm>
        </section>
    }
}
