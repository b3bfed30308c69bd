//! Connections: accepted, answered over HTTP/1.1, ended with the process.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http_body::Body as _;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::config;
use super::http::middleware::http_service::Frame;

/// Most bytes of a request's head, its line included: 431 beyond.
const MOST_OF_A_HEAD: usize = 32 * 1024;

/// What clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the head of a request, and between two requests of a connection.
    pub head: Duration,
    /// For the acknowledgement of what was sent to it (RFC 5482): one that reads no more is cut off.
    pub reading: Duration,
    /// Connections at once. Further ones wait in the system's queue until one ends.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            reading: Duration::from_secs(60),
            connections: 16_384,
        }
    }
}

/// How long nothing is accepted after the system refused to, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts connections until `stop`, then lets requests in flight end.
///
/// Each core has a thread of its own for its share of the connections, which reads, answers what
/// memory alone can answer, and writes. A runtime whose threads take over each other's tasks would
/// wake one of them for every request; what takes longer is done by the caller's runtime, so that
/// no connection waits for another one's work.
///
/// # Errors
/// The threads can't be started.
pub async fn serve(
    listener: TcpListener,
    frame: Frame,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let frame = Arc::new(frame.with_routes_on(Handle::current()));
    let threads: Vec<_> = (0..config::cores())
        .map(|_| Connections::start(Arc::clone(&frame), limits.head))
        .collect::<io::Result<_>>()?;
    let places = Places(Arc::new(Semaphore::new(limits.connections)));
    let mut stop = std::pin::pin!(stop);
    for thread in threads.iter().cycle() {
        let next = async {
            let place = places.next().await;
            (place, accept(&listener, limits.reading).await)
        };
        tokio::select! {
            (place, connection) = next => thread.take(place, connection),
            () = &mut stop => break,
        }
    }
    drop(listener);
    // All are told before any is waited for.
    let ending: Vec<_> = threads.into_iter().map(Connections::end).collect();
    for ended in ending {
        let _ = ended.await;
    }
    Ok(())
}

/// A connection, with the place that it takes as long as it lives.
type Accepted = (std::net::TcpStream, SocketAddr, Place);
type Place = Option<OwnedSemaphorePermit>;

/// The places for connections.
struct Places(Arc<Semaphore>);

impl Places {
    async fn next(&self) -> Place {
        let places = Arc::clone(&self.0);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Some(place);
        }
        tracing::warn!("as many connections are open as may be: further ones wait");
        places.acquire_owned().await.ok()
    }
}

/// A thread that holds connections.
struct Connections {
    accepted: mpsc::UnboundedSender<Accepted>,
    ended: oneshot::Receiver<()>,
}

impl Connections {
    fn start(frame: Arc<Frame>, head: Duration) -> io::Result<Self> {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("connections".to_owned())
            .spawn(move || {
                runtime.block_on(hold(receiver, frame, head));
                let _ = end.send(());
            })?;
        Ok(Self { accepted, ended })
    }

    fn take(&self, place: Place, (stream, peer): (TcpStream, SocketAddr)) {
        // A thread that is gone, or a stream that can't change its runtime, is a lost connection.
        if let Ok(stream) = stream.into_std() {
            let _ = self.accepted.send((stream, peer, place));
        }
    }

    /// Lets the requests in flight end, and tells when they have.
    fn end(self) -> oneshot::Receiver<()> {
        self.ended
    }
}

/// Holds connections until there will be no more and each has ended.
async fn hold(mut accepted: mpsc::UnboundedReceiver<Accepted>, frame: Arc<Frame>, head: Duration) {
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    // One small buffer a request is cheaper than a list of buffers.
    http.timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_header_size(MOST_OF_A_HEAD)
        .writev(false);
    while let Some((stream, peer, place)) = accepted.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else {
            continue;
        };
        let frame = Arc::clone(&frame);
        let service = service_fn(move |request: Request<Incoming>| {
            let frame = Arc::clone(&frame);
            async move {
                let answer = frame.answer(request.map(body), Some(peer.ip())).await;
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "a connection broke off");
            }
            drop(place);
        });
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener, reading: Duration) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer of several parts must not wait for the client's acknowledgements.
                let _ = stream.set_nodelay(true);
                let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(reading));
                return (stream, peer);
            }
            Err(error) if is_the_client_s(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether a connection failed before it was accepted.
fn is_the_client_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// A body in the form that handlers take; most requests have none.
fn body(incoming: Incoming) -> Body {
    if incoming.is_end_stream() {
        Body::empty()
    } else {
        Body::new(incoming)
    }
}
