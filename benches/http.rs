//! The guard over HTTP, on loopback, beside a bare route of the same process and an nginx that looks
//! raw tokens up in a `map`. Ratios of one run: each the median of interleaved runs of wrk.
//!
//! Needs `DATABASE_URL`, wrk and nginx; `make bench` sets them up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a benchmark that meets what it did not expect has failed"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use myproof_registry::domain::token::{KeyId, compose};
use myproof_registry::server::crypto::secret;
use myproof_registry::server::router::router_with;

use support::Bench;

const KEYS: usize = 1_000;
const RUNS: usize = 5;
const SECONDS: u32 = 4;
const CONNECTIONS: u32 = 32;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let folder = std::env::temp_dir().join(format!("myproof-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let bench = runtime.block_on(Bench::new("bench_http", KEYS));
    let first_use = first_use(&runtime, &bench);

    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let router = router_with(bench.state.clone(), Router::new().route("/bare", get(bare)));
    runtime.spawn(async move {
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await.unwrap();
    });
    let wrong: Vec<String> = bench
        .tokens
        .iter()
        .map(|token| with_other_secret(token))
        .collect();
    let right = lua(&folder.join("right.lua"), &bench.tokens);
    let wrong = lua(&folder.join("wrong.lua"), &wrong);
    let nginx = Nginx::start(&folder, &bench.tokens);
    let (bare, verify) = (
        format!("http://{address}/bare"),
        format!("http://{address}/api/auth/verify"),
    );

    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..RUNS {
        let [bare_rates, warm_rates, wrong_rates, nginx_rates] = &mut rates;
        bare_rates.push(wrk(&right, &bare));
        warm_rates.push(wrk(&right, &verify));
        wrong_rates.push(wrk(&wrong, &verify));
        nginx_rates.push(wrk(&right, &nginx.url));
    }
    let [bare, warm, wrong, nginx_map] = rates.map(median);
    println!("| what | measured | target |\n| --- | --- | --- |");
    let row = |what: &str, ratio: f64, target: &str| println!("| {what} | {ratio:.2} | {target} |");
    row(
        "`GET /api/auth/verify`, warm, against a bare route of the same process",
        warm / bare,
        "≥ 0.90",
    );
    row(
        "the same against nginx that looks the raw token up in a `map`",
        warm / nginx_map,
        "≥ 0.70",
    );
    row(
        "wrong secrets for known keys against warm",
        wrong / warm,
        "≥ 0.80",
    );
    row(
        "CPU of the first use of 1,000 keys against 1,000 single runs of Argon2id",
        first_use,
        "≤ 1.10",
    );
    println!(
        "\nrequests a second here: bare {bare:.0}, warm {warm:.0}, wrong {wrong:.0}, nginx {nginx_map:.0}"
    );
    drop(nginx);
    fs::remove_dir_all(folder).unwrap();
}

/// A route without a guard that answers with the same headers.
async fn bare() -> impl IntoResponse {
    [
        ("cache-control", "no-store"),
        ("ratelimit-policy", "\"default\";q=10000;w=60"),
        ("ratelimit", "\"default\";r=9999;t=1"),
        ("x-partner-id", "00000000-0000-0000-0000-000000000000"),
        ("x-key-id", "mpk_000000000000"),
        ("x-key-scopes", "assets:read"),
    ]
}

/// The CPU that the first use of every key takes, against as many single runs of Argon2id.
fn first_use(runtime: &tokio::runtime::Runtime, bench: &Bench) -> f64 {
    let before = cpu_seconds();
    runtime.block_on(bench.warm_up());
    let used = cpu_seconds() - before;
    let phc = secret::argon2id(b"secret", [7; 16]).unwrap();
    let before = cpu_seconds();
    for _ in 0..100 {
        assert!(secret::argon2id_matches(b"secret", &phc).unwrap());
    }
    let single = (cpu_seconds() - before) / 100.0;
    used / (single * KEYS as f64)
}

/// User and system time of this process, in seconds.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn with_other_secret(token: &str) -> String {
    compose(
        &KeyId::parse(token.split('.').next().unwrap()).unwrap(),
        &[7; 32],
    )
}

/// A script that presents the tokens in turn.
fn lua(path: &Path, tokens: &[String]) -> PathBuf {
    let mut script = "local requests = {}\nlocal next = 0\nlocal tokens = {\n".to_owned();
    for token in tokens {
        writeln!(script, "\"{token}\",").unwrap();
    }
    script.push_str(
        "}\nfunction init(args)\n  for i, token in ipairs(tokens) do\n    requests[i] = wrk.format('GET', nil, {['X-API-Key'] = token})\n  end\nend\n\
         function request()\n  next = next % #requests + 1\n  return requests[next]\nend\n",
    );
    fs::write(path, script).unwrap();
    path.to_owned()
}

/// Requests a second, as wrk counts them.
fn wrk(script: &Path, url: &str) -> f64 {
    let output = Command::new("wrk")
        .args([
            "-t2",
            &format!("-c{CONNECTIONS}"),
            &format!("-d{SECONDS}s"),
            "-s",
        ])
        .arg(script)
        .arg(url)
        .output()
        .expect("wrk is installed by scripts/setup.sh wrk");
    let text = String::from_utf8(output.stdout).unwrap();
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"));
    rate.unwrap_or_else(|| panic!("wrk said: {text}"))
        .trim()
        .parse()
        .unwrap()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Nginx {
    child: Child,
    url: String,
}

impl Nginx {
    /// Two workers that look the raw token up and hash nothing.
    fn start(folder: &Path, tokens: &[String]) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut known = String::new();
        for token in tokens {
            writeln!(known, "\"{token}\" 1;").unwrap();
        }
        let path = folder.display();
        let configuration = format!(
            "daemon off; worker_processes 2; pid {path}/pid; error_log {path}/error.log;
             events {{ worker_connections 256; }}
             http {{ access_log off; map_hash_max_size 8192; map_hash_bucket_size 256; keepalive_requests 100000000;
                 client_body_temp_path {path}/1; proxy_temp_path {path}/2; fastcgi_temp_path {path}/3;
                 uwsgi_temp_path {path}/4; scgi_temp_path {path}/5;
                 map $http_x_api_key $known {{ default 0; {known} }}
                 server {{ listen 127.0.0.1:{port};
                     location / {{ if ($known = 0) {{ return 401; }} return 200; }} }} }}"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx is installed by scripts/setup.sh nginx");
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed().as_secs() < 10, "nginx does not start");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Self {
            child,
            url: format!("http://127.0.0.1:{port}/"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Asked to end, the master ends its workers too.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}
