//! Where a sign-in goes on with the second factor. A plain form, with WASM and without: what it leads to is
//! a page of its own.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::domain::error::AppError;
use crate::rpc::session::VerifyCode;
use crate::ui::components::notice::ErrorNotice;
use crate::ui::links;

/// Asks for a code.
#[component]
pub fn CodePage() -> impl IntoView {
    let query = use_query_map();
    let next = move || query.read().get("next").unwrap_or_default();
    // Anybody may write what they like into the address: only what this form itself says is repeated.
    let error = move || {
        let query = query.read();
        let is_ours = query.get("__path").as_deref() == Some(VerifyCode::PATH);
        query
            .get("__err")
            .filter(|_| is_ours)
            .map(|error| ServerFnUrlError::decode_err(&error))
            .filter(|error| {
                matches!(
                    error,
                    AppError::WrongCode
                        | AppError::SignedOut
                        | AppError::RateLimited { .. }
                        | AppError::Unavailable { .. }
                        | AppError::Internal
                )
            })
    };
    view! {
        <Title text="Second factor"/>
        <section class="panel narrow">
            <h1 tabindex="-1">"Second factor"</h1>
            <p class="lead">"Enter the code that your app shows, or one of your recovery codes."</p>
            {move || error().map(|error| view! { <ErrorNotice error/> })}
            <form method="post" action=VerifyCode::PATH>
                <input type="hidden" name="next" value=next/>
                <div class="field">
                    <label for="code">"Code"</label>
                    <input
                        id="code" name="code" type="text" autocomplete="one-time-code" autocapitalize="off"
                        spellcheck="false" required autofocus
                    />
                </div>
                <button class="button primary wide" type="submit">"Continue"</button>
            </form>
            <p class="field-note"><a href=move || links::login(&next()) rel="external">"Sign in as somebody else"</a></p>
        </section>
    }
}
