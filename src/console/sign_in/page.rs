//! The sign-in page: a plain form, which also works without WASM.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::console::shell::alert::ErrorAlert;
use crate::console::shell::session::{SessionActions, error_from_url};

#[component]
pub fn LoginPage() -> impl IntoView {
    let sign_in = expect_context::<SessionActions>().sign_in;
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_default();
    let error_from_url = error_from_url();
    let error = move || match sign_in.value().get() {
        None => error_from_url(),
        Some(outcome) => outcome.err(),
    };
    let pending = sign_in.pending();
    view! {
        <Title text="Sign in"/>
        <section class="panel narrow">
            <h1>"Sign in"</h1>
            <p class="lead">"This console is for operators of the registry."</p>
            {move || error().map(|error| view! { <ErrorAlert error/> })}
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
