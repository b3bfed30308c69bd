//! REST: routes, authentication, request and response formats.

pub mod answers;
pub mod extract;
pub mod middleware;
pub mod openapi;
pub mod problem;
pub mod routes;

use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use super::state::AppState;
use middleware::guard::Gate;
use routes::{
    admin_audit, admin_bulk, admin_keys, admin_notifications, admin_partners, admin_policy,
    audit_export, forward_auth, health, own_key, partner_audit, proof_assets,
};

/// Returns the OpenAPI document of all routes.
pub fn document() -> Value {
    openapi::complete(routes(Gate::for_docs()).into_openapi())
}

/// REST routes with their OpenAPI description, authenticated by API key only.
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
        .merge(admin_notifications::routes(gate))
        .merge(admin_audit::routes(gate))
        .merge(audit_export::routes(gate))
        .merge(health::routes())
        .merge(openapi::routes())
}
