//! A service behind a real nginx, guarded by `/api/auth/verify` with the recipe of `docs/gateways.md`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::PgPool;

use crate::support::TestApp;
use crate::support::process::{Server, call, scratch};

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// An upstream that answers with the request it got.
fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut request = Vec::new();
            let mut buffer = [0; 4096];
            while !is_whole(&request) {
                match stream.read(&mut buffer) {
                    Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            let body = String::from_utf8_lossy(&request).to_lowercase();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    address
}

/// Whether a request has arrived with its body.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.split("\r\n").next());
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// The recipe of `docs/gateways.md` with this test's addresses.
fn recipe(registry: &str, upstream: &str) -> String {
    let page = include_str!("../../docs/gateways.md");
    let recipe = page
        .split("```nginx\n")
        .find(|block| block.contains("auth_request /_verify"))
        .and_then(|block| block.split("```").next())
        .unwrap();
    recipe
        .replace("127.0.0.1:3000", registry)
        .replace("127.0.0.1:8080", upstream)
}

struct Nginx {
    child: Child,
    folder: PathBuf,
    address: String,
}

impl Nginx {
    fn start(locations: &str) -> Self {
        let folder = scratch();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let path = folder.display();
        let configuration = format!(
            "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
             events {{ worker_connections 64; }}
             http {{
                 access_log off;
                 client_body_temp_path {path}/1; proxy_temp_path {path}/2; fastcgi_temp_path {path}/3;
                 uwsgi_temp_path {path}/4; scgi_temp_path {path}/5;
                 server {{ listen 127.0.0.1:{port}; {locations} }}
             }}"
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .arg("-p")
            .arg(&folder)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed by scripts/setup.sh nginx");
        let address = format!("127.0.0.1:{port}");
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "nginx does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        Self {
            child,
            folder,
            address,
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn nginx_protects_a_service_with_these_keys(pool: PgPool) {
    // The key is made by an application that lives in 2027, the server lives today.
    let app = TestApp::new(pool.clone());
    let partner = app.partner("Acme").await;
    let key = app.key(&partner, &["assets:read"]).await;
    let other = app.key(&partner, &["reverify"]).await;
    let limited = app.key(&partner, &["assets:read"]).await;
    sqlx::query("update api_keys set not_before = now() - interval '1 hour'")
        .execute(&pool)
        .await
        .unwrap();
    app.sql(
        "update api_keys set rate_per_minute = 1 where key_id = $1",
        limited.key_id.as_str(),
    )
    .await;
    let server = Server::start(&pool);
    let nginx = Nginx::start(&recipe(&server.address, &echo()));
    let get = |headers: &[(&str, &str)]| call(&nginx.address, "GET", "/service/thing", headers, "");

    let forged = [
        ("X-API-Key", &*key.token),
        ("X-Partner-Id", "forged"),
        ("X-Key-Id", "forged"),
        ("X-Key-Scopes", "admin:*"),
    ];
    let (status, answer) = get(&forged);
    assert_eq!(status, 200, "{answer}");
    let expected = [
        format!("x-partner-id: {}", partner.partner_id),
        format!("x-key-id: {}", key.key_id),
        "x-key-scopes: assets:read".to_owned(),
    ];
    for line in expected {
        assert!(answer.contains(&line), "{line}: {answer}");
    }
    // Neither what the client claimed nor the credential reaches the service.
    let secret = key.token.split('.').nth(1).unwrap();
    assert!(!answer.contains("forged") && !answer.contains("admin:*") && !answer.contains(secret));
    let bearer = format!("ApiKey {}", &*key.token);
    let (status, answer) = get(&[("Authorization", &bearer)]);
    assert!(status == 200 && !answer.contains(secret), "{answer}");
    let body = "x".repeat(100_000);
    let posted = call(&nginx.address, "POST", "/service/", &forged[..1], &body);
    assert_eq!(posted.0, 200);

    assert_eq!(get(&[]).0, 401);
    assert_eq!(get(&[("X-API-Key", "junk")]).0, 401);
    assert_eq!(get(&[("X-API-Key", &other.token)]).0, 403);
    assert_eq!(get(&[("X-API-Key", &limited.token)]).0, 200);
    // A 429 would be a 500 of nginx's own.
    assert_eq!(get(&[("X-API-Key", &limited.token)]).0, 403);
}
