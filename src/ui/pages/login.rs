//! The sign-in page. A plain form: it works without WASM too.

use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::domain::error::AppError;
use crate::rpc::session::SignIn;
use crate::ui::components::notice::ErrorNotice;
use crate::ui::session::SessionActions;

/// Asks for e-mail and password.
#[component]
pub fn LoginPage() -> impl IntoView {
    let sign_in = expect_context::<SessionActions>().sign_in;
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_default();
    // Without WASM a refused form comes back here with its error in the address, where anybody may
    // write what they like: only what sign-in itself says is repeated.
    let told_before = move || {
        let query = query.read();
        let is_ours = query.get("__path").as_deref() == Some(SignIn::PATH);
        query
            .get("__err")
            .filter(|_| is_ours)
            .map(|error| ServerFnUrlError::decode_err(&error))
            .filter(|error| {
                matches!(
                    error,
                    AppError::WrongCredentials
                        | AppError::RateLimited { .. }
                        | AppError::Unavailable { .. }
                        | AppError::Internal
                )
            })
    };
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
