//! A client that never ends its request: a stopping server does not wait for it indefinitely.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use sqlx::PgPool;

use crate::setup::{self, ISSUE, MIGRATOR, QUIET};
use crate::support::process::{Server, database_url};

/// What the server gives what is under way, or nearly.
const GIVEN: Duration = Duration::from_secs(19);
/// When it ends at the latest; the rest is for a busy machine.
const DEADLINE: Duration = Duration::from_secs(23);
/// Between two bytes of the body: often enough that the connection is not taken for dead.
const DAWDLE: Duration = Duration::from_millis(500);

#[sqlx::test(migrator = "MIGRATOR")]
async fn deadline(pool: PgPool) {
    let app = setup::app(pool);
    let admin = app.admin().await;
    let mut server = Server::start_on(&database_url(&app.pool), &[QUIET]);
    let mut dawdler = TcpStream::connect(&server.address).unwrap();
    let head = format!(
        "POST {ISSUE} HTTP/1.1\r\nHost: x\r\nX-API-Key: {admin}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    );
    dawdler.write_all(head.as_bytes()).unwrap();
    // By then it is under way.
    std::thread::sleep(DAWDLE);
    server.terminate();
    let told = Instant::now();
    let writing = std::thread::spawn(move || {
        while dawdler.write_all(b" ").is_ok() {
            std::thread::sleep(DAWDLE);
        }
        let mut answer = Vec::new();
        let _ = dawdler.read_to_end(&mut answer);
    });
    assert!(server.wait().success());
    let took = told.elapsed();
    println!("a request that did not end was cut off, and the server ended, after {took:.1?}");
    assert!(took > GIVEN && took <= DEADLINE, "{took:?}");
    writing.join().unwrap();
}
