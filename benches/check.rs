//! In-process key verification: warm, with a wrong secret and with an unknown id, compared with the HMAC and
//! the Argon2id that caching avoids.
//!
//! Needs `DATABASE_URL`; `make bench` provides a separate database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "unexpected results fail the benchmark"
)]

#[allow(dead_code, reason = "each benchmark uses a part of it")]
mod support;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use myproof_registry::domain::token::{KeyId, compose};
use myproof_registry::server::crypto::secret;
use sha2::Sha256;
use tokio::runtime::Runtime;

use support::Bench;

/// Number of warm keys.
const KEYS: usize = 64;

fn check(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let bench = runtime.block_on(Bench::new("bench_check", KEYS));
    runtime.block_on(bench.instance.warm_up(&bench.tokens));
    let (guard, tokens) = (Arc::clone(&bench.instance.state.guard), &bench.tokens);
    let _entered = runtime.enter();
    let client = Some([192, 0, 2, 1].into());
    let wrong: Vec<String> = tokens
        .iter()
        .map(|token| {
            compose(
                &KeyId::parse(token.split('.').next().unwrap()).unwrap(),
                &[7; 32],
            )
        })
        .collect();
    let unknown = compose(&KeyId::parse("mpk_000000000000").unwrap(), &[7; 32]);
    let mut group = criterion.benchmark_group("check");
    let mut next = 0;
    group.bench_function("warm", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % KEYS;
            let decision = guard
                .verify(black_box(&tokens[next]), client)
                .now_or_never();
            assert!(decision.is_some_and(|decision| decision.is_ok()));
        });
    });
    group.bench_function("wrong secret", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % KEYS;
            let decision = guard.verify(black_box(&wrong[next]), client).now_or_never();
            assert!(decision.is_some_and(|decision| decision.is_err()));
        });
    });
    runtime
        .block_on(guard.verify(&unknown, client))
        .unwrap_err();
    group.bench_function("unknown id", |bencher| {
        bencher.iter(|| {
            let decision = guard.verify(black_box(&unknown), client).now_or_never();
            assert!(decision.is_some_and(|decision| decision.is_err()));
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("reference");
    let mac = Hmac::<Sha256>::new_from_slice(&[7; 64]).unwrap();
    group.bench_function("one HMAC-SHA256 of a token", |bencher| {
        bencher.iter(|| {
            let mut mac = mac.clone();
            mac.update(black_box(tokens[0].as_bytes()));
            black_box(mac.finalize())
        });
    });
    group.sample_size(10);
    let mut memory = secret::Memory::default();
    let phc = secret::argon2id(&mut memory, b"secret", [7; 16]).unwrap();
    group.bench_function("one Argon2id", |bencher| {
        bencher.iter(|| secret::argon2id_matches(&mut memory, black_box(b"secret"), &phc));
    });
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
