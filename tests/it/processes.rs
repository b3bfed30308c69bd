//! Two server processes on one database: a change in one takes effect in the other,
//! by any actor, and while listeners lose their connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::PgPool;

use crate::support::process::{Server, call, database_url, program};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// A generous limit for noisy machines; not a measurement.
const PATIENCE: Duration = Duration::from_secs(5);

fn issue(pool: &PgPool, partner: &str, scope: &str) -> (String, String) {
    let arguments = ["key", "issue", "--partner", partner, "--scope", scope];
    let output = program(&database_url(pool), &arguments).output().unwrap();
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let key_id = token.split('.').next().unwrap().to_owned();
    (key_id, token)
}

async fn sql(pool: &PgPool, statement: &'static str, key_id: &str) {
    sqlx::query(statement)
        .bind(key_id)
        .execute(pool)
        .await
        .unwrap();
}

/// Waits for a refusal; from then on no request may pass.
fn refused(servers: &[&Server], token: &str, how: &str) {
    let begun = Instant::now();
    while servers.iter().any(|server| server.status(token) != 401) {
        assert!(begun.elapsed() < PATIENCE, "{how} is not obeyed");
    }
    for server in servers {
        for _ in 0..5 {
            assert_eq!(server.status(token), 401, "{how}");
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_change_in_one_process_takes_effect_in_both(pool: PgPool) {
    let (a, b) = (Server::start(&pool), Server::start(&pool));
    let (_, admin) = issue(&pool, "Registry staff", "admin:*");
    for cut in [false, true] {
        for how in ["REST", "command line", "SQL", "rotation", "partner"] {
            let partner = format!("Partner {how} {cut}");
            let (key_id, token) = issue(&pool, &partner, "assets:read");
            for server in [&a, &b, &a, &b] {
                assert_eq!(server.status(&token), 200, "{how}");
            }
            if cut {
                sqlx::query(
                    "select pg_terminate_backend(pid) from pg_stat_activity
                      where application_name = 'myproof-registry-listener' and datname = current_database()",
                )
                .execute(&pool)
                .await
                .unwrap();
            }
            match how {
                "REST" => {
                    let path = format!("/api/admin/api-keys/{key_id}/revoke");
                    assert_eq!(a.call("POST", &path, &admin, "").0, 200);
                }
                "command line" => {
                    let output =
                        program(&database_url(&pool), &["key", "revoke", &key_id]).output();
                    assert!(output.unwrap().status.success());
                }
                "SQL" => {
                    sql(
                        &pool,
                        "update api_keys set revoked_at = now() where key_id = $1",
                        &key_id,
                    )
                    .await;
                }
                "rotation" => {
                    let path = format!("/api/admin/api-keys/{key_id}/rotate");
                    assert_eq!(b.call("POST", &path, &admin, "").0, 201);
                }
                _ => {
                    let statement = "update partners set active = false where partner_id =
                        (select partner_id from api_keys where key_id = $1)";
                    sql(&pool, statement, &key_id).await;
                }
            }
            refused(&[&a, &b], &token, how);
        }
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn scopes_and_rates_of_a_cached_key_can_change(pool: PgPool) {
    let (a, b) = (Server::start(&pool), Server::start(&pool));
    let (key_id, token) = issue(&pool, "Acme", "admin:*");
    let admin_status = |server: &Server| server.call("GET", "/api/admin/partners", &token, "").0;
    assert_eq!((admin_status(&a), admin_status(&b)), (200, 200));
    sql(
        &pool,
        "update api_keys set scopes = '{assets:read}' where key_id = $1",
        &key_id,
    )
    .await;
    let begun = Instant::now();
    while admin_status(&a) != 403 || admin_status(&b) != 403 {
        assert!(begun.elapsed() < PATIENCE);
    }
    sql(
        &pool,
        "update api_keys set rate_per_minute = 1 where key_id = $1",
        &key_id,
    )
    .await;
    let begun = Instant::now();
    while a.status(&token) != 429 || b.status(&token) != 429 {
        assert!(begun.elapsed() < PATIENCE);
    }
}

/// Asked to stop, a server closes what is idle at once, on every thread, and answers what it has
/// begun to hear.
#[sqlx::test(migrator = "MIGRATOR")]
async fn a_stop_signal_drains_requests_and_closes_idle_connections(pool: PgPool) {
    let mut server = Server::start(&pool);
    let (_, token) = issue(&pool, "Acme", "assets:mint");
    let open = || {
        let stream = TcpStream::connect(&server.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let body = format!(r#"{{"contentHash":"{}","title":"Deed"}}"#, "ab".repeat(32));
    let head = format!(
        "POST /api/proof-assets HTTP/1.1\r\nHost: x\r\nX-API-Key: {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut begun = open();
    begun.write_all(head.as_bytes()).unwrap();
    let mut idle: Vec<TcpStream> = (0..8).map(|_| open()).collect();
    let mut buffer = [0; 4096];
    for stream in &mut idle {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        assert!(stream.read(&mut buffer).unwrap() > 0);
    }
    server.terminate();
    for stream in &mut idle {
        assert_eq!(stream.read(&mut buffer).unwrap(), 0, "closed at once");
    }
    begun.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    begun.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert!(server.wait().success());
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn a_stopping_instance_is_not_ready_but_still_answers(pool: PgPool) {
    let (_, token) = issue(&pool, "Acme", "assets:read");
    let mut server = Server::start_with(&pool, &[("SHUTDOWN_DELAY_SECONDS", "3")]);
    let ready = |server: &Server| server.call("GET", "/readyz", &token, "").0;
    assert_eq!(ready(&server), 200);
    server.terminate();
    let begun = Instant::now();
    while ready(&server) != 503 {
        assert!(begun.elapsed() < PATIENCE, "it says that it is ready");
    }
    assert_eq!(server.status(&token), 200);
    assert_eq!(server.wait().code(), Some(0));
}

/// What an answer says of itself, and what its caller said of it, finds it in the log.
#[sqlx::test(migrator = "MIGRATOR")]
async fn logs_include_the_request_id_and_trace_context(pool: PgPool) {
    let server = Server::start_with(&pool, &[("RUST_LOG", "info")]);
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers = [("traceparent", traceparent.as_str())];
    let (_, answer) = call(&server.address, "GET", "/api/key", &headers, "");
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let begun = Instant::now();
    while server.answered().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "no log line");
    }
    let line: Value = serde_json::from_str(&server.answered()[0]).unwrap();
    assert_eq!(line["span"]["id"], body["requestId"], "{line}");
    assert_eq!(line["span"]["trace"], trace, "{line}");
    assert_eq!(line["span"]["path"], "/api/key", "{line}");
    assert!(line["spans"].is_null(), "said twice: {line}");
    assert_eq!(line["status"], 401, "{line}");
}
