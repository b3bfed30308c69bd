//! Accepts connections and serves HTTP/1.1 on them.

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
use super::http::middleware::http_service::HttpService;

/// Maximum size of a request's head including its line; larger heads get status 431.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Limits for client connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time for a request's head, and between two requests of a connection.
    pub head: Duration,
    /// Time for the acknowledgement of sent data (RFC 5482), after which the connection is closed.
    pub reading: Duration,
    /// Concurrent connections. Further ones wait in the system's queue.
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

/// Pause after the system refused to accept a connection, for example for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts connections until `stop`, then lets requests in flight finish.
///
/// Each core has a thread for its share of the connections, which reads, serves from memory, and
/// writes. A work-stealing runtime would wake another thread for every request. Routes run on the
/// caller's runtime, so that no connection waits for another one's work.
pub async fn serve(
    listener: TcpListener,
    service: HttpService,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let service = Arc::new(service.with_routes_on(Handle::current()));
    let threads: Vec<_> = (0..config::cores())
        .map(|_| Connections::start(Arc::clone(&service), limits.head))
        .collect::<io::Result<_>>()?;
    let permits = ConnectionLimit(Arc::new(Semaphore::new(limits.connections)));
    let mut stop = std::pin::pin!(stop);
    for thread in threads.iter().cycle() {
        let next = async {
            let permit = permits.next().await;
            (permit, accept(&listener, limits.reading).await)
        };
        tokio::select! {
            (permit, connection) = next => thread.take(permit, connection),
            () = &mut stop => break,
        }
    }
    drop(listener);
    // Stop all threads before waiting for the first.
    let stopping: Vec<_> = threads.into_iter().map(Connections::stop).collect();
    for ended in stopping {
        let _ = ended.await;
    }
    Ok(())
}

/// A connection and its semaphore permit.
type Accepted = (std::net::TcpStream, SocketAddr, Permit);
type Permit = Option<OwnedSemaphorePermit>;

/// Semaphore for the connection limit.
struct ConnectionLimit(Arc<Semaphore>);

impl ConnectionLimit {
    async fn next(&self) -> Permit {
        let permits = Arc::clone(&self.0);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return Some(permit);
        }
        tracing::warn!("connection limit reached: further connections wait");
        permits.acquire_owned().await.ok()
    }
}

/// A thread that serves connections.
struct Connections {
    accepted: mpsc::UnboundedSender<Accepted>,
    ended: oneshot::Receiver<()>,
}

impl Connections {
    fn start(service: Arc<HttpService>, head: Duration) -> io::Result<Self> {
        let (accepted, receiver) = mpsc::unbounded_channel();
        let (end, ended) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("connections".to_owned())
            .spawn(move || {
                runtime.block_on(serve_all(receiver, service, head));
                let _ = end.send(());
            })?;
        Ok(Self { accepted, ended })
    }

    fn take(&self, permit: Permit, (stream, peer): (TcpStream, SocketAddr)) {
        // If the thread is gone or the stream can't change its runtime, the connection is lost.
        if let Ok(stream) = stream.into_std() {
            let _ = self.accepted.send((stream, peer, permit));
        }
    }

    /// Lets the requests in flight finish; the receiver resolves once they have.
    fn stop(self) -> oneshot::Receiver<()> {
        self.ended
    }
}

/// Serves connections until no more will come and each has ended.
async fn serve_all(
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    service: Arc<HttpService>,
    head: Duration,
) {
    let connections = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    // Responses are small: one buffer is cheaper than vectored writes.
    http.timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_header_size(MAX_HEAD_BYTES)
        .writev(false);
    while let Some((stream, peer, permit)) = accepted.recv().await {
        let Ok(stream) = TcpStream::from_std(stream) else {
            continue;
        };
        let service = Arc::clone(&service);
        let answer = service_fn(move |request: Request<Incoming>| {
            let service = Arc::clone(&service);
            async move {
                let answer = service.answer(request.map(body), Some(peer.ip())).await;
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, %error, "connection aborted");
            }
            drop(permit);
        });
    }
    connections.shutdown().await;
}

async fn accept(listener: &TcpListener, reading: Duration) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Without TCP_NODELAY, a response of several packets waits for the client's acknowledgements.
                let _ = stream.set_nodelay(true);
                let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(reading));
                return (stream, peer);
            }
            Err(error) if is_client_abort(&error) => {}
            Err(error) => {
                tracing::error!(%error, "can't accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// True if the connection failed before it was accepted.
fn is_client_abort(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};

    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Avoids a boxed body for the majority of requests, which have none.
fn body(incoming: Incoming) -> Body {
    if incoming.is_end_stream() {
        Body::empty()
    } else {
        Body::new(incoming)
    }
}
