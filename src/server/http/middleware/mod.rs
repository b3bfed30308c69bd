//! Middleware of all requests or of groups of routes.

pub mod drain;
pub mod guard;
pub mod http_service;
pub mod origin;
pub mod security_headers;
pub mod session;
pub mod trace_context;
