//! The console: its HTML shell, its routes, the frame around its pages.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{StaticSegment, path};

use crate::rpc::session::{SignIn, SignOut};
use crate::ui::components::dialogs::Dialogs;
use crate::ui::components::frame::Frame;
use crate::ui::desk::Desk;
use crate::ui::hydration::Hydrated;
use crate::ui::pages::audit::AuditPage;
use crate::ui::pages::key::KeyPage;
use crate::ui::pages::keys::KeysPage;
use crate::ui::pages::login::LoginPage;
use crate::ui::pages::notices::NoticesPage;
use crate::ui::pages::partners::PartnersPage;
use crate::ui::pages::settings::SettingsPage;
use crate::ui::session::{SessionActions, read_operator};
use crate::ui::shortcuts::Shortcuts;

/// Names of the browser's files, as the shell links them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetPaths {
    /// The style sheet.
    pub css: String,
    /// The script that loads the WASM.
    pub js: String,
    /// The WASM.
    pub wasm: String,
}

/// The document around the app. Written by the server alone: the browser hydrates the body.
#[component]
pub fn Shell(
    /// What Leptos wants to know.
    options: LeptosOptions,
    /// The browser's files.
    assets: AssetPaths,
) -> impl IntoView {
    let nonce = use_nonce();
    let start = format!(
        "import start, {{ hydrate }} from '{}';await start({{ module_or_path: '{}' }});hydrate();",
        assets.js, assets.wasm
    );
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="preload" r#as="font" r#type="font/woff2" href="/fonts/inter-latin.woff2" crossorigin="anonymous"/>
                <link rel="stylesheet" href=assets.css/>
                <link rel="modulepreload" href=assets.js nonce=nonce.clone()/>
                <script type="module" nonce=nonce>{start}</script>
                <AutoReload options=options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// The app, the same on both sides.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    Shortcuts::provide(Desk::provide());
    let actions = SessionActions {
        sign_in: ServerAction::<SignIn>::new(),
        sign_out: ServerAction::<SignOut>::new(),
    };
    provide_context(actions);
    let operator = read_operator(actions);
    provide_context(operator);
    view! {
        <Title formatter=|title: String| format!("{title} · MyProof Registry")/>
        <Router>
            <Frame operator>
                <Routes fallback=NotFound>
                    <Route path=StaticSegment("login") view=LoginPage/>
                    <Route path=path!("/api-keys") view=KeysPage/>
                    <Route path=path!("/api-keys/:key_id") view=KeyPage/>
                    <Route path=path!("/partners") view=PartnersPage/>
                    <Route path=path!("/partners/:partner_id/notices") view=NoticesPage/>
                    <Route path=path!("/audit") view=AuditPage/>
                    <Route path=path!("/settings") view=SettingsPage/>
                    <Route path=path!("/styleguide") view=Styleguide/>
                </Routes>
            </Frame>
            <Dialogs/>
        </Router>
    }
}

/// Every component in every state, for whoever works on them.
#[cfg(debug_assertions)]
use crate::ui::pages::styleguide::StyleguidePage as Styleguide;
/// A release has no such page.
#[cfg(not(debug_assertions))]
use NotFound as Styleguide;

/// What no route has.
#[component]
fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found"/>
        <section class="panel">
            <h1>"Not found"</h1>
            <p>"There is no page at this address. " <a href=crate::ui::links::KEYS>"Go to the API keys"</a> "."</p>
        </section>
    }
}
