//! Root of the console: HTML shell, routes, page frame.

use std::collections::HashMap;

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{StaticSegment, path};

use crate::console::chunks::LazyPage;
use crate::console::dialogs::Dialogs;
use crate::console::keys::page::KeysPage;
use crate::console::shell::dialog_host::DialogHost;
use crate::console::shell::frame::Frame;
use crate::console::shell::hydration::Hydrated;
use crate::console::shell::refresh::Refresh;
use crate::console::shell::session::{SessionActions, read_operator};
use crate::console::shell::shortcuts::Shortcuts;
use crate::console::sign_in::page::LoginPage;
use crate::console::sign_in::server_fns::{SignIn, SignOut};

/// The style guide, in development builds only.
#[cfg(feature = "styleguide")]
const STYLEGUIDE: LazyPage = LazyPage::Styleguide;
#[cfg(not(feature = "styleguide"))]
use NotFound as STYLEGUIDE;

/// URLs of the client assets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssetPaths {
    pub css: String,
    /// The script that loads the WASM.
    pub js: String,
    /// The initial WASM file.
    pub wasm: String,
    /// The script that loads the lazy WASM chunks.
    pub loader: String,
    /// For each chunk, the names of its WASM files, without folder and extension.
    pub chunks: HashMap<String, Vec<String>>,
    /// ETags (RFC 9110 §8.8.3) of files whose names do not contain a hash, by name.
    pub validators: HashMap<String, String>,
}

/// HTML document around the app. Rendered on the server; the browser hydrates the body only.
#[component]
pub fn Shell(options: LeptosOptions, assets: AssetPaths) -> impl IntoView {
    let nonce = use_nonce();
    let start = format!(
        "import start, {{ hydrate }} from '{}';await start({{ module_or_path: '{}' }});await hydrate();",
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
                <link rel="modulepreload" href=assets.loader nonce=nonce.clone()/>
                <link rel="preload" r#as="fetch" r#type="application/wasm" href=assets.wasm crossorigin="anonymous"/>
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

/// Root component, shared by server and browser.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    Hydrated::provide();
    Shortcuts::provide(DialogHost::provide(Refresh::provide()));
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
                <FlatRoutes fallback=NotFound>
                    <Route path=StaticSegment("login") view=LoginPage/>
                    <Route path=path!("/login/code") view=LazyPage::Code/>
                    <Route path=path!("/api-keys") view=KeysPage/>
                    <Route path=path!("/api-keys/:key_id") view=LazyPage::Key/>
                    <Route path=path!("/partners") view=LazyPage::Partners/>
                    <Route path=path!("/partners/:partner_id/notices") view=LazyPage::Notifications/>
                    <Route path=path!("/audit") view=LazyPage::Audit/>
                    <Route path=path!("/settings") view=LazyPage::Settings/>
                    <Route path=path!("/styleguide") view=STYLEGUIDE/>
                </FlatRoutes>
            </Frame>
            <Dialogs/>
        </Router>
    }
}

/// Page for unknown routes.
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
            <p>"There is no page at this URL. " <a href=crate::domain::routes::KEYS>"Go to the API keys"</a> "."</p>
        </section>
    }
}
