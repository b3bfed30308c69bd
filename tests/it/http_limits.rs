//! HTTP limits of a connection: slow, large or ambiguous request heads, and more
//! connections than allowed.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use myproof_registry::server::connections::{self, Limits};
use myproof_registry::server::router::router;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// Far longer than anything here takes, where it works.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server on connections of its own, until it is dropped.
struct Served {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

fn serve(app: &TestApp, limits: Limits) -> Served {
    let service = router(app.state.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let (found, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            found.send(listener.local_addr().unwrap()).unwrap();
            let ended = async { drop(stopped.await) };
            connections::serve(listener, service, limits, ended)
                .await
                .unwrap();
        });
    });
    let address = address.recv_timeout(PATIENCE).unwrap();
    Served {
        address,
        _stop: stop,
    }
}

impl Served {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Everything that is answered to these bytes until the server closes.
    fn all(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // A server that has refused a long head may close before all of it is sent.
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        // That it hears nothing more is not enough: the server has to close.
        if let Err(error) = stream.read_to_end(&mut answer) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        }
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The statuses of the answers in a stream of them.
fn statuses(answers: &str) -> Vec<&str> {
    let lines = answers.split("HTTP/1.").skip(1);
    lines
        .filter_map(|answer| answer.split(' ').nth(1))
        .collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn ambiguous_requests_are_refused(pool: PgPool) {
    let app = TestApp::new(pool);
    let served = serve(&app, Limits::default());
    // What would be smuggled in: a second request in what one of two readers takes for the body.
    let hidden = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    let chunk = format!("0\r\n\r\n{hidden}");
    let length = chunk.len();
    for (head, body) in [
        ("Content-Length: 5\r\nContent-Length: 6", "hello!"),
        ("Content-Length: 5, 6", "hello!"),
        ("Content-Length: +5", "hello"),
        ("Content-Length: 0x5", "hello"),
        ("Content-Length: -1", ""),
        ("Transfer-Encoding: identity", chunk.as_str()),
        ("Transfer-Encoding: chunked, identity", chunk.as_str()),
        ("Transfer-Encoding: xchunked", chunk.as_str()),
        ("Transfer-Encoding : chunked", chunk.as_str()),
        ("X: a\r\n\tb", ""),
        (": nothing", ""),
        ("No colon", ""),
        ("Host: another", ""),
        ("X: nul\0", ""),
    ] {
        let request =
            format!("POST /api/admin/api-keys/issue HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n{body}");
        let answers = served.all(format!("{request}{hidden}").as_bytes());
        // Nothing of the rest is answered.
        assert_eq!(statuses(&answers), ["400"], "{head:?}: {answers}");
    }
    // Both lengths: the chunks are what counts, and nothing after them is answered (RFC 9112 §6.1).
    for head in [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
    ] {
        let request =
            format!("POST /api/admin/api-keys/issue HTTP/1.1\r\nHost: h\r\n{head}\r\n\r\n{chunk}");
        let answers = served.all(request.as_bytes());
        assert_eq!(statuses(&answers), ["401"], "{head:?}: {answers}");
    }
    // Chunked is not of HTTP/1.0.
    let old = format!("POST /healthz HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}");
    assert_eq!(statuses(&served.all(old.as_bytes())), ["400"]);
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn exactly_one_host_header_is_required(pool: PgPool) {
    let app = TestApp::new(pool);
    let served = serve(&app, Limits::default());
    for (head, status) in [
        ("HTTP/1.1\r\nHost: h", "200"),
        ("HTTP/1.0", "200"),
        ("HTTP/1.1", "400"),
        ("HTTP/1.1\r\nHost: h\r\nHost: h", "400"),
        ("HTTP/1.0\r\nHost: h\r\nHost: h", "400"),
    ] {
        let answer =
            served.all(format!("GET /healthz {head}\r\nConnection: close\r\n\r\n").as_bytes());
        assert_eq!(statuses(&answer), [status], "{head}");
        assert!(
            answer.contains("x-content-type-options: nosniff"),
            "{answer}"
        );
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn request_heads_are_size_limited(pool: PgPool) {
    let app = TestApp::new(pool);
    let served = serve(&app, Limits::default());
    let get = |path: &str, header: &str| {
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{header}\r\n");
        let answer = served.all(request.as_bytes());
        statuses(&answer).first().map(|status| (*status).to_owned())
    };
    assert_eq!(get("/healthz", "").as_deref(), Some("200"));
    let long = "x".repeat(33 * 1024);
    assert_eq!(get(&format!("/{long}"), "").as_deref(), Some("431"));
    assert_eq!(
        get("/healthz", &format!("X: {long}\r\n")).as_deref(),
        Some("431")
    );
    assert_eq!(
        get("/healthz", &"X: y\r\n".repeat(101)).as_deref(),
        Some("431")
    );
    assert_eq!(
        get("/healthz", &"X: y\r\n".repeat(90)).as_deref(),
        Some("200")
    );
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn slow_request_heads_time_out(pool: PgPool) {
    let app = TestApp::new(pool);
    let head = Duration::from_millis(200);
    let served = serve(
        &app,
        Limits {
            head,
            ..Limits::default()
        },
    );
    // Neither one that begins and stays away, nor one that never begins, nor a connection that has
    // had its answer and keeps quiet.
    let answered = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";
    for (begun, answers) in [("GET /healthz HT", 0), ("", 0), (answered, 1)] {
        let all = served.all(begun.as_bytes());
        let fine = statuses(&all)
            .iter()
            .filter(|status| **status == "200")
            .count();
        assert_eq!(fine, answers, "{begun:?}: {all}");
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn connections_are_limited(pool: PgPool) {
    let app = TestApp::new(pool);
    let served = serve(
        &app,
        Limits {
            connections: 2,
            ..Limits::default()
        },
    );
    let ask = |stream: &mut TcpStream| {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            .unwrap();
    };
    let hears = |stream: &mut TcpStream| stream.read(&mut [0; 1024]).is_ok_and(|read| read > 0);
    let mut open: Vec<TcpStream> = (0..2).map(|_| served.connect()).collect();
    for stream in &mut open {
        ask(stream);
        assert!(hears(stream));
    }
    // The third waits in the system's queue until one of them ends.
    let mut third = served.connect();
    ask(&mut third);
    third
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(!hears(&mut third));
    drop(open.pop());
    third.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(hears(&mut third));
}
