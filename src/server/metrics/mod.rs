//! `GET /metrics` on an address of its own, for Prometheus. It tells numbers alone: no key, partner,
//! address or text of a request.

mod exposition;
mod snapshot;
pub mod traffic;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::snapshot::Snapshot;
use crate::server::state::AppState;

/// The one route.
pub fn routes(state: AppState) -> Router {
    Router::new().route("/metrics", get(read)).with_state(state)
}

async fn read(State(state): State<AppState>) -> Response {
    match exposition::text(Snapshot::take(state).await) {
        Ok(text) => ([(CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Tells the metrics until the process is told to stop.
pub async fn serve(listener: TcpListener, state: AppState, mut stopping: watch::Receiver<bool>) {
    let stopped = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let served = axum::serve(listener, routes(state)).with_graceful_shutdown(stopped);
    if let Err(error) = served.await {
        tracing::error!(%error, "metrics can't be served any more");
    }
}
