//! REST: routes, the guard in front of them, the form of requests and answers.

pub mod admin_audit;
pub mod admin_keys;
pub mod admin_partners;
pub mod client_addr;
pub mod cookies;
pub mod credential;
pub mod drain;
pub mod forward_auth;
pub mod guard;
pub mod health;
pub mod json;
pub mod origin;
pub mod own_key;
pub mod partner_audit;
pub mod path;
pub mod problem;
pub mod proof_assets;
pub mod query;
pub mod request;
pub mod session;

use serde::Serialize;

/// The body of a success: `ok: true` and the members of the answer beside it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Success<T> {
    ok: bool,
    #[serde(flatten)]
    body: T,
}

/// Makes a success's body.
pub fn success<T: Serialize>(body: T) -> axum::Json<Success<T>> {
    axum::Json(Success { ok: true, body })
}
