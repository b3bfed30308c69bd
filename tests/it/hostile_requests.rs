//! Tens of thousands of malformed inputs: nothing panics, hangs or is accepted.

use std::time::Instant;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use chrono::TimeDelta;
use myproof_registry::domain::page::Cursor;
use myproof_registry::domain::token::{KeyId, PresentedToken, compose};
use myproof_registry::server::http::extract::credential;
use sqlx::PgPool;
use tokio::time::timeout;

use crate::support::TestApp;

const MIGRATOR: &sqlx::migrate::Migrator = &myproof_registry::server::store::schema::MIGRATIONS;

/// A source of numbers that a seed decides (xorshift64*): a failure can be had again.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

/// What stands in texts that mean trouble.
const SPICE: [&str; 16] = [
    "", ".", "..", "\0", "\u{feff}", "\u{202e}", "é", "𝕏", " ", "\t", "\r\n", "%00", "';--",
    "mpk_", "0x", "\u{ff0e}",
];

/// One or a few changes to a text, anywhere in it.
fn changed(text: &str, numbers: &mut Numbers) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=numbers.below(3) {
        let at = numbers.below(chars.len() + 1);
        match numbers.below(8) {
            0 => drop((at < chars.len()).then(|| chars.remove(at))),
            1 => chars.truncate(at),
            2 => {
                let spice = SPICE[numbers.below(SPICE.len())];
                drop(chars.splice(at..at, spice.chars()));
            }
            3 if at < chars.len() => chars[at] = char::from(numbers.below(128) as u8),
            4 if at < chars.len() => chars[at] = chars[at].to_ascii_uppercase(),
            5 => chars.extend_from_within(..at),
            6 if at < chars.len() => chars.rotate_left(at),
            _ => {
                let other = numbers.below(chars.len() + 1);
                if at < chars.len() && other < chars.len() {
                    chars.swap(at, other);
                }
            }
        }
    }
    chars.into_iter().collect()
}

#[sqlx::test(migrator = "MIGRATOR")]
async fn only_the_exact_token_is_accepted(pool: PgPool) {
    let app = TestApp::new(pool);
    let partner = app.partner("Acme").await;
    let (one, two) = (
        app.key(&partner, &["assets:read"]).await,
        app.key(&partner, &["admin:*"]).await,
    );
    let guard = &app.state.guard;
    guard.listener_health().heartbeat(Instant::now());
    for key in [&one, &two] {
        assert!(guard.verify(&key.token, None).await.is_ok());
        assert!(
            guard
                .verify_cached(&key.token, None)
                .is_some_and(|decision| decision.is_ok())
        );
    }
    let mut numbers = Numbers(0x5eed);
    let mut refused = 0;
    for n in 0..10_000 {
        // The clock goes on, so that no rate hides what the guard would say.
        app.clock.advance(TimeDelta::seconds(1));
        // It would hear of changes, so that it goes by what it remembers.
        guard.listener_health().heartbeat(Instant::now());
        let from = if n % 2 == 0 { &one } else { &two };
        let mut text = changed(&from.token, &mut numbers);
        if n % 5 == 0 {
            // The id of one with the secret of the other.
            let (id, secret) = (
                one.token.split('.').next().unwrap(),
                two.token.split('.').nth(1).unwrap(),
            );
            text = changed(&format!("{id}.{secret}"), &mut numbers);
        }
        if text == *one.token || text == *two.token {
            continue;
        }
        let decision = timeout(
            std::time::Duration::from_secs(10),
            guard.verify(&text, None),
        );
        let decision = decision
            .await
            .unwrap_or_else(|_| panic!("no answer to {text:?}"));
        assert!(decision.is_err(), "accepted: {text:?}");
        if let Some(decision) = guard.verify_cached(&text, None) {
            assert!(decision.is_err(), "accepted from memory: {text:?}");
        }
        refused += 1;
    }
    assert!(refused > 9_500, "{refused}");
    assert!(guard.verify(&one.token, None).await.is_ok());
}

#[test]
fn malformed_headers_and_cursors_are_parsed_or_refused() {
    let token = compose(&KeyId::parse("mpk_0f1e2d3c4b5a").unwrap(), &[0xab; 32]);
    let mut numbers = Numbers(7);
    let mut read = 0;
    for n in 0..50_000 {
        let mut text = format!("ApiKey {token}");
        if n % 8 > 0 {
            text = changed(&text, &mut numbers);
        }
        let mut headers = HeaderMap::new();
        let names = [AUTHORIZATION, HeaderName::from_static("x-api-key")];
        for _ in 0..=numbers.below(2) {
            if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
                headers.append(&names[numbers.below(2)], value);
            }
        }
        if let Ok(presented) = credential::presented(&headers) {
            assert!(text.contains(presented), "{text:?} {presented:?}");
            read += usize::from(PresentedToken::parse(presented).is_some());
        }
        let cursor = changed("qAAAAAAAAAAAAbXBrXzBmMWUyZDNjNGI1YQ", &mut numbers);
        if let Some(cursor) = Cursor::decode(&cursor) {
            // What is read is written so that it is read again.
            let again = Cursor::decode(&cursor.encode()).unwrap();
            assert_eq!(again.position, cursor.position);
        }
    }
    assert!(read > 1_000, "{read}");
}
