//! MyProof Registry: proof-of-asset records for partners who call REST with API keys, and a
//! console in which operators issue, rotate, revoke and watch those keys.
//!
//! One crate makes two programs: the server (`--features ssr`) and the browser's WASM
//! (`--features hydrate`), which takes over the HTML that the server wrote.
//!
//! | module | what it is | may use |
//! | --- | --- | --- |
//! | [`domain`] | ids, views, inputs and rules of the registry; pure, for both programs | std, serde, strum, chrono, uuid, utoipa |
//! | [`console`] | what operators see: a folder a feature, with its server functions | `domain`; inside server functions `server::{context, service}` |
//! | [`app`] | the HTML shell and the console's routes | `console`, `domain` |
//! | [`server::crypto`] | pepper, hashing, check tag: the only place that sees a secret | `domain` |
//! | [`server::store`] | SQL by table | `domain` |
//! | [`server::auth`] | verification of a presented token: the hot path | `domain`, `crypto`, `store` |
//! | [`server::service`] | use cases; opens the transactions | `domain`, `store`, `crypto` |
//! | [`server::http`] | REST and the middleware of every request | `domain`, `service`, `auth`, `state`; never `store` |
//! | [`server::context`] | state and operator of a server function's call | `service`, `http`, `state` |
//! | [`server::delivery`] | delivers notifications: webhooks, mail | `domain`, `service`, `config`, rows of `store` |
//! | [`server::jobs`] | periodic work beside the requests | `service`, `auth`, `delivery` |
//! | [`server::metrics`] | the Prometheus endpoint | `state`, `service`, `auth` |
//! | `server::{config, connections, telemetry, state, assets, package, router, startup, cli}` | the binary around it | everything |
//!
//! A test over the `use` lines (`tests/it/architecture.rs`) holds the table.

// A page is one type of all its components, nested, unless a build erases them as the debug one does.
#![recursion_limit = "512"]

pub mod app;
pub mod console;
pub mod domain;
#[cfg(feature = "ssr")]
pub mod server;

/// Takes over the page that the server rendered, unless a file that it needs does not come. Called once,
/// by the script in the page's head.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    if console::chunks::can_hydrate(&console::shell::browser::path()).await {
        leptos::mount::hydrate_body(app::App);
    }
}
