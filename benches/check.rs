//! The key check in process: warm, wrong and unknown, beside the HMAC and the Argon2id that it saves.
//!
//! Needs `DATABASE_URL`; `make bench` gives it a database of its own.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a benchmark that meets what it did not expect has failed"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use hmac::{Hmac, KeyInit, Mac};
use myproof_registry::domain::audit::{Actor, ActorKind};
use myproof_registry::domain::key_input::IssueInput;
use myproof_registry::domain::partner::NewPartner;
use myproof_registry::domain::token::{KeyId, compose};
use myproof_registry::server::clock::{SystemClock, SystemEntropy};
use myproof_registry::server::crypto::pepper::Peppers;
use myproof_registry::server::crypto::secret;
use myproof_registry::server::db::{changes, schema};
use myproof_registry::server::services::{IssuingPolicy, Origin};
use myproof_registry::server::verify::Guard;
use myproof_registry::server::{jobs, run};
use sha2::Sha256;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::runtime::Runtime;
use tokio::sync::watch;

const PEPPER: &str = "a pepper for benchmarks 0123456789";
const KEYS: usize = 64;

/// A guard whose listener runs, and tokens of keys that no rate slows.
async fn guard() -> (Arc<Guard>, Vec<String>) {
    let url = std::env::var("DATABASE_URL").unwrap();
    let server: PgConnectOptions = url.parse().unwrap();
    let admin = PgPool::connect_with(server.clone()).await.unwrap();
    sqlx::query("drop database if exists bench_check with (force)")
        .execute(&admin)
        .await
        .unwrap();
    sqlx::query("create database bench_check")
        .execute(&admin)
        .await
        .unwrap();
    let options = server.database("bench_check");
    let pool = run::pool(options.clone());
    schema::migrate(&pool).await.unwrap();
    let peppers = Arc::new(Peppers::new(PEPPER, &[]));
    let registry = run::registry(
        pool.clone(),
        Some(Arc::clone(&peppers)),
        IssuingPolicy::default(),
    );
    let origin = Origin {
        actor: Actor::new(ActorKind::Cli, "bench"),
        ip: None,
        request_id: None,
    };
    let partner = NewPartner {
        name: "Bench".to_owned(),
        contact_email: None,
    };
    let partner = registry.create_partner(&origin, partner).await.unwrap();
    let mut tokens = Vec::new();
    for _ in 0..KEYS {
        let input = IssueInput {
            partner_id: Some(partner.partner_id.to_string()),
            scopes: Some(vec!["assets:read".to_owned()]),
            ..IssueInput::default()
        };
        let command = input.check(registry.now()).unwrap();
        tokens.push(registry.issue_key(&origin, command).await.unwrap().token);
    }
    sqlx::query("update api_keys set rate_per_minute = 2147483647")
        .execute(&pool)
        .await
        .unwrap();
    let guard = Arc::new(Guard::new(
        pool,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        peppers,
        registry.key_hashing.clone(),
        Duration::ZERO,
    ));
    let (stop, stopping) = watch::channel(false);
    std::mem::forget(stop);
    let listening = changes::listening_pool(options);
    let _listener = jobs::spawn_listener(Arc::clone(&guard), listening, stopping.clone());
    let _flush = jobs::spawn_usage_flush(Arc::clone(&guard), registry, stopping);
    while !guard.link().is_live() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for token in &tokens {
        guard.check(token, None).await.unwrap();
    }
    (guard, tokens)
}

fn check(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (guard, tokens) = runtime.block_on(guard());
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
            let verdict = guard.check(black_box(&tokens[next]), client).now_or_never();
            assert!(verdict.is_some_and(|verdict| verdict.is_ok()));
        });
    });
    group.bench_function("wrong secret", |bencher| {
        bencher.iter(|| {
            next = (next + 1) % KEYS;
            let verdict = guard.check(black_box(&wrong[next]), client).now_or_never();
            assert!(verdict.is_some_and(|verdict| verdict.is_err()));
        });
    });
    runtime.block_on(guard.check(&unknown, client)).unwrap_err();
    group.bench_function("unknown id", |bencher| {
        bencher.iter(|| {
            let verdict = guard.check(black_box(&unknown), client).now_or_never();
            assert!(verdict.is_some_and(|verdict| verdict.is_err()));
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("beside");
    let mac = Hmac::<Sha256>::new_from_slice(&[7; 64]).unwrap();
    group.bench_function("one HMAC-SHA256 of a token", |bencher| {
        bencher.iter(|| {
            let mut mac = mac.clone();
            mac.update(black_box(tokens[0].as_bytes()));
            black_box(mac.finalize())
        });
    });
    group.sample_size(10);
    let phc = secret::argon2id(b"secret", [7; 16]).unwrap();
    group.bench_function("one Argon2id", |bencher| {
        bencher.iter(|| secret::argon2id_matches(black_box(b"secret"), &phc));
    });
    group.finish();
}

criterion_group!(benches, check);
criterion_main!(benches);
