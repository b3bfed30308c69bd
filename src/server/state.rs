//! What the router's handlers share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::body::Bytes;
use axum::extract::FromRef;
use ipnet::IpNet;
use leptos::config::LeptosOptions;

use super::auth::Guard;
use super::metrics::requests::RequestMetrics;
use super::service::Registry;
use crate::app::AssetPaths;

/// The router's state. One pointer: every layer of every request takes a copy.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What the state holds.
pub struct Shared {
    /// What the product does.
    pub registry: Registry,
    /// Who may call REST.
    pub guard: Arc<Guard>,
    /// How this server is reached.
    pub site: Arc<Site>,
    /// What Leptos wants to know.
    pub leptos: LeptosOptions,
    /// What is told of REST.
    pub documents: Documents,
    pub request_metrics: RequestMetrics,
    /// Set once this instance is about to stop: requests should go to others.
    pub leaving: AtomicBool,
}

/// The description of REST's routes, made once.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The OpenAPI document, JSON.
    pub openapi: Bytes,
    /// The same as a page, HTML.
    pub page: Bytes,
}

impl AppState {
    /// Puts the parts together.
    #[must_use]
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

/// How this server is reached, and how it answers browsers.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where users reach the console: scheme, host and port.
    pub public_origin: String,
    /// Whether cookies are `Secure` and carry the `__Host-` prefix.
    pub secure_cookies: bool,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// The names of the browser's files.
    pub assets: AssetPaths,
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}
