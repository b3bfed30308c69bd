//! State that the router's handlers share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::body::Bytes;
use axum::extract::FromRef;
use ipnet::IpNet;
use leptos::config::LeptosOptions;

use super::auth::Guard;
use super::metrics::requests::RequestMetrics;
use super::service::Services;
use crate::app::AssetPaths;

/// The router's state. A single pointer, since each layer clones it for every request.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

pub struct Shared {
    pub services: Services,
    /// Verifies API keys.
    pub guard: Arc<Guard>,
    pub site: Arc<Site>,
    pub leptos: LeptosOptions,
    pub documents: Documents,
    pub request_metrics: RequestMetrics,
    /// True once this instance is about to stop and is no longer ready.
    pub leaving: AtomicBool,
}

/// The rendered API documentation.
#[derive(Clone, Debug)]
pub struct Documents {
    /// OpenAPI document, JSON.
    pub openapi: Bytes,
    /// The same as HTML.
    pub page: Bytes,
}

impl AppState {
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// Public address of this server, and its cookies and assets.
#[derive(Clone, Debug)]
pub struct Site {
    /// Origin of the console: scheme, host and port.
    pub public_origin: String,
    /// Whether cookies are `Secure` and carry the `__Host-` prefix.
    pub secure_cookies: bool,
    /// Networks whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Paths of the browser's files.
    pub assets: AssetPaths,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
