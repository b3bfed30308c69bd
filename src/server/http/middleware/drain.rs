//! Reading what a handler left of a request's body.
//!
//! A server that answers and closes while the client still sends makes the client's system throw
//! the answer away (RFC 9112 §9.6). So an unread body is read and dropped first, up to a bound.

use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::EXPECT;
use http_body::{Body as _, Frame, SizeHint};

/// Most bytes that are dropped.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Longest time that is spent on it.
const MOST_TIME: Duration = Duration::from_secs(5);

/// What the rest of the stack may leave of a request's body.
pub struct Unread(Option<SharedBody>);

/// Watches how far the body is read. A body that is there already, or that a client holds back until
/// `100 Continue`, needs no watching.
pub fn watch(request: Request) -> (Request, Unread) {
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return (request, Unread(None));
    }
    let (parts, body) = request.into_parts();
    let shared = SharedBody(Arc::new(Mutex::new(body)));
    let request = Request::from_parts(parts, Body::new(shared.clone()));
    (request, Unread(Some(shared)))
}

impl Unread {
    /// Reads and drops the rest.
    pub async fn drop_rest(self) {
        if let Some(body) = self.0.filter(|body| !body.is_end_stream()) {
            // That it took too long, or broke off, changes nothing about the answer.
            let _ = tokio::time::timeout(MOST_TIME, drain(body)).await;
        }
    }
}

async fn drain(body: SharedBody) {
    let mut body = pin!(body);
    let mut dropped = 0;
    while dropped < MOST_BYTES {
        match std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            Some(Ok(frame)) => dropped += frame.data_ref().map_or(0, Bytes::len),
            Some(Err(_)) | None => break,
        }
    }
}

/// A body that the handler reads and this layer reads on.
#[derive(Clone)]
struct SharedBody(Arc<Mutex<Body>>);

impl http_body::Body for SharedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .size_hint()
    }
}
