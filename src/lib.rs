//! MyProof Registry: proof-of-asset records for partners who call REST with API keys, and a
//! console in which operators issue, rotate, revoke and watch those keys.
//!
//! One crate makes two programs: the server (`--features ssr`) and the browser's WASM
//! (`--features hydrate`), which takes over the HTML that the server wrote.
//!
//! | module | what it is | may use |
//! | --- | --- | --- |
//! | [`domain`] | words and rules of the registry; pure, for both programs | std, serde, chrono, uuid, utoipa |
//! | [`rpc`] | server functions: what the console calls | `domain`, `ui::links`; inside bodies `server::context` |
//! | [`ui`] | components and pages | `domain`, `rpc` |
//! | [`app`] | the HTML shell and the console's routes | `ui`, `rpc`, `domain` |
//! | [`server::crypto`] | pepper, hashing, check tag: the only place that sees a secret | `domain` |
//! | [`server::db`] | SQL by table | `domain` |
//! | [`server::verify`] | from the presented token to the key that it is | `domain`, `crypto`, `db` |
//! | [`server::services`] | what the product does; opens the transactions | `domain`, `db`, `crypto` |
//! | [`server::http`] | REST, and what every request gets | `domain`, `services`, `verify`, `state`; never `db` |
//! | [`server::context`] | what a server function's body asks of its surroundings | `services`, `http`, `state` |
//! | [`server::courier`] | takes notices out: webhooks, mail | `domain`, `services`, `config`, rows of `db` |
//! | [`server::jobs`] | what runs beside the requests | `services`, `verify`, `courier` |
//! | [`server::metrics`] | what Prometheus is told | `state`, `services`, `verify` |
//! | `server::{config, connections, telemetry, state, assets, package, security_headers, router, run, cli}` | the program around it | everything |
//!
//! A test over the `use` lines (`tests/architecture.rs`) holds the table.

// A page is one type of all its components, nested, unless a build erases them as the debug one does.
#![recursion_limit = "512"]

pub mod app;
pub mod domain;
pub mod rpc;
#[cfg(feature = "ssr")]
pub mod server;
pub mod ui;

/// Takes over the page that the server rendered, unless a file that it needs does not come. Called once,
/// by the script in the page's head.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    if ui::chunks::can_take_over(&ui::browser::path()).await {
        leptos::mount::hydrate_body(app::App);
    }
}
