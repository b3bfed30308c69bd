//! REST: routes, the guard in front of them, the form of requests and answers.

pub mod admin_audit;
pub mod admin_bulk;
pub mod admin_keys;
pub mod admin_notices;
pub mod admin_partners;
pub mod admin_policy;
pub mod answers;
pub mod audit_export;
pub mod client_addr;
pub mod cookies;
pub mod credential;
pub mod drain;
pub mod forward_auth;
pub mod frame;
pub mod guard;
pub mod health;
pub mod json;
pub mod live;
pub mod openapi;
pub mod origin;
pub mod own_key;
pub mod partner_audit;
pub mod path;
pub mod problem;
pub mod proof_assets;
pub mod query;
pub mod request;
pub mod session;
pub mod trace_context;

use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use super::state::AppState;
use guard::Gate;

/// The OpenAPI document of all routes.
#[must_use]
pub fn document() -> Value {
    openapi::complete(routes(Gate::on_paper()).into_openapi())
}

/// All routes of REST, with their description. They take keys, never cookies.
#[must_use]
pub fn routes(gate: Gate<'_>) -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::base())
        .merge(proof_assets::routes(gate))
        .merge(own_key::routes(gate))
        .merge(partner_audit::routes(gate))
        .merge(forward_auth::routes())
        .merge(admin_keys::routes(gate))
        .merge(admin_bulk::routes(gate))
        .merge(admin_partners::routes(gate))
        .merge(admin_policy::routes(gate))
        .merge(admin_notices::routes(gate))
        .merge(admin_audit::routes(gate))
        .merge(audit_export::routes(gate))
        .merge(health::routes())
        .merge(openapi::routes())
}
