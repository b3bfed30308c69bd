//! Delay until an instance refuses a key that another instance revoked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::runtime::Runtime;

use super::Row;
use super::support::{Bench, UsageWrites};

const RUNS: usize = 200;

/// Time from sending the revocation to A until B refuses the key.
pub fn measure(runtime: &Runtime, bench: &Bench, _folder: &Path) -> Vec<Row> {
    let (a, b, admin) = runtime.block_on(async {
        let (a, b) = (
            bench.start_instance(UsageWrites::On).await,
            bench.start_instance(UsageWrites::On).await,
        );
        let addresses = (a.serve(Router::new()).await, b.serve(Router::new()).await);
        let admin = bench.issue("admin:*").await;
        ((a, addresses.0), (b, addresses.1), admin)
    });
    let mut delays: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let token = runtime.block_on(bench.issue("assets:read"));
            let key_id = token.split('.').next().unwrap();
            let mut verifier = Connection::open(b.1);
            assert_eq!(verifier.call("GET", "/api/auth/verify", &token), 200);
            let path = format!("/api/admin/api-keys/{key_id}/revoke");
            let (address, admin) = (a.1, admin.clone());
            let started = Instant::now();
            let revocation =
                std::thread::spawn(move || Connection::open(address).call("POST", &path, &admin));
            while verifier.call("GET", "/api/auth/verify", &token) == 200 {}
            let delay = started.elapsed();
            assert_eq!(revocation.join().unwrap(), 200);
            delay
        })
        .collect();
    delays.sort();
    let ms = |index: usize| delays[index].as_secs_f64() * 1_000.0;
    vec![Row::new(
        "revocation sent to instance A until refused by instance B, 200 runs: median and p99",
        format!("{:.1} ms, {:.1} ms", ms(RUNS / 2), ms(RUNS * 99 / 100)),
        "p99 ≤ 50 ms",
    )]
}

/// Keep-alive HTTP connection.
struct Connection(TcpStream);

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// Sends a request without a body, and returns the response status.
    fn call(&mut self, method: &str, path: &str, token: &str) -> u16 {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nX-API-Key: {token}\r\nContent-Length: 0\r\n\r\n"
        );
        self.0.write_all(request.as_bytes()).unwrap();
        let mut response = Vec::new();
        let mut buffer = [0; 8192];
        loop {
            let read = self.0.read(&mut buffer).unwrap();
            assert!(read > 0, "the server closed the connection");
            response.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&response);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .to_ascii_lowercase()
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
                let length: usize = length.map_or(0, |text| text.parse().unwrap());
                if body.len() >= length {
                    return head.split(' ').nth(1).unwrap().parse().unwrap();
                }
            }
        }
    }
}
