//! Discards the part of a request's body that the handler did not read.
//!
//! If a server responds and closes while the client is still sending, the client's system may discard
//! the response (RFC 9112 §9.6). So an unread body is read first, up to a limit.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};
use parking_lot::Mutex;

const MAX_BYTES: usize = 2 * 1024 * 1024;
const MAX_TIME: Duration = Duration::from_secs(5);

/// A layer of all routes. A body that has arrived already, or that the client holds back until
/// `100 Continue`, needs no draining.
pub async fn discard_unread_body(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = SharedBody(Arc::new(Mutex::new(body)));
    let request = Request::from_parts(parts, Body::new(body.clone()));
    let response = next.run(request).await;
    if !body.is_end_stream() {
        // A slow or interrupted body does not change the response.
        let _ = tokio::time::timeout(MAX_TIME, drain(body)).await;
    }
    response
}

async fn drain(body: SharedBody) {
    let mut body = pin!(body);
    let mut dropped = 0;
    while dropped < MAX_BYTES {
        match std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            Some(Ok(frame)) => dropped += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => break,
        }
    }
}

/// A body that the handler and this layer can read.
#[derive(Clone)]
struct SharedBody(Arc<Mutex<Body>>);

impl http_body::Body for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut *self.0.lock()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().size_hint()
    }
}
