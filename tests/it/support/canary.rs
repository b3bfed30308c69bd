//! Every test runs with logs captured at `trace`. No hash, pepper, password, session or token may
//! stand in them: a line that holds one fails the tests that were under way.

use std::io::{self, Write};
use std::sync::{Mutex, Once, PoisonError};

use myproof_registry::server::telemetry::without_handshakes;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static START: Once = Once::new();

/// Starts capturing, once for all tests of the binary.
pub fn watch_logs() {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter(without_handshakes(EnvFilter::new("trace")))
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(Scanner)
            .init();
    });
}

/// Fails where a line of the log held a secret.
pub fn assert_clean() {
    let leaks = LEAKS.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(
        leaks.is_empty(),
        "secrets in the log:\n{}",
        leaks.join("\n")
    );
}

/// What in a text is a secret, if anything: the peppers and passwords of the tests, any PHC
/// string, and any run of hex digits as long as a secret or a session's cookie.
pub fn secret_in(text: &str) -> Option<&'static str> {
    if text.contains("canary") || text.contains("change-this-pepper-now") {
        return Some("a pepper or a password");
    }
    if text.contains("$argon2id$v=19$m=") {
        return Some("a hash");
    }
    let mut run = 0;
    for byte in text.bytes() {
        run = if byte.is_ascii_hexdigit() { run + 1 } else { 0 };
        if run >= 40 {
            return Some("a secret, a token or a session");
        }
    }
    None
}

#[derive(Clone, Copy)]
struct Scanner;

impl Write for Scanner {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        if let Some(kind) = secret_in(&text) {
            LEAKS
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(format!("{kind}: {text}"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Scanner {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

#[test]
fn the_canary_detects_secrets_and_ignores_ids() {
    assert!(secret_in("$argon2id$v=19$m=19456,t=2").is_some());
    assert!(secret_in(super::PEPPER).is_some() && secret_in(super::PASSWORD).is_some());
    assert!(secret_in(&format!("token=mpk_0f1e2d3c4b5a.{}", "ab".repeat(36))).is_some());
    assert!(
        secret_in("request{id=48742683-0dd5-494d-91d3-61420939fb0c} mpk_0f1e2d3c4b5a").is_none()
    );
}
