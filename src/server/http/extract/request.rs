//! Id and client of a request.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use uuid::Uuid;

use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::AppError;
use crate::server::auth::Caller;
use crate::server::http::problem::Problem;
use crate::server::service::{AuditContext, ClientInfo};

/// Header with the request's id, on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Id and client of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo {
    /// Generated here; a client's header is ignored.
    pub id: Uuid,
    /// Address of the client, according to `TRUSTED_PROXIES`.
    pub client: Option<IpAddr>,
}

impl RequestInfo {
    /// The audit context of a request with this key.
    pub fn audit_context_of_key(&self, caller: &Caller) -> AuditContext {
        self.audit_context(Actor::new(ActorKind::Key, caller.key_id().as_str()))
    }

    pub fn audit_context(&self, actor: Actor) -> AuditContext {
        self.client_info().acting_as(actor)
    }

    pub fn client_info(&self) -> ClientInfo {
        ClientInfo {
            ip: self.client,
            request_id: Some(self.id.to_string()),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestInfo {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or(Problem(AppError::Internal))
    }
}
