//! `GET /metrics` for Prometheus (OpenMetrics 1.0), on an address of its own. It exposes numbers only:
//! no key, partner, address or text of a request.

mod process;
mod registry;
pub mod requests;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::server::state::AppState;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// While the database is unavailable, the other metrics are exposed without its own.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

pub fn routes(state: AppState) -> Router {
    Router::new()
        .route("/metrics", get(expose))
        .with_state(state)
}

async fn expose(State(state): State<AppState>) -> Response {
    let backlog = timeout(DATABASE_TIMEOUT, state.services.notifications.backlog()).await;
    let registry = registry::collect(&state, backlog.ok().and_then(Result::ok));
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => ([(CONTENT_TYPE, OPENMETRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Serves the metrics until the server stops.
pub async fn serve(listener: TcpListener, state: AppState, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let served = axum::serve(listener, routes(state)).with_graceful_shutdown(stopped);
    if let Err(error) = served.await {
        tracing::error!(%error, "metrics can't be served any more");
    }
}
