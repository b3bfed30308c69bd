//! What is known of every request.

use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::HeaderName;
use axum::http::request::Parts;
use uuid::Uuid;

use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::AppError;
use crate::server::auth::Caller;
use crate::server::http::problem::Problem;
use crate::server::service::{Origin, Whence};

/// The header that carries the request's id on every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is known of a request before anything is checked.
#[derive(Clone, Copy, Debug)]
pub struct RequestInfo {
    /// The request's id, drawn here: what a client sends is not believed.
    pub id: Uuid,
    /// The client's address, as `TRUSTED_PROXIES` decides.
    pub client: Option<IpAddr>,
}

impl RequestInfo {
    /// On whose behalf a key's request acts.
    #[must_use]
    pub fn origin_of_key(&self, caller: &Caller) -> Origin {
        self.origin(Actor::new(ActorKind::Key, caller.key_id().as_str()))
    }

    /// On whose behalf the request acts.
    #[must_use]
    pub fn origin(&self, actor: Actor) -> Origin {
        self.whence().of(actor)
    }

    /// From where the request comes.
    #[must_use]
    pub fn whence(&self) -> Whence {
        Whence {
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
