//! Memory of 100,000 keys that were used once.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use futures::stream::{self, StreamExt};
use myproof_registry::domain::token::{KeyId, compose};
use tokio::runtime::Runtime;

use super::Row;
use super::process::resident;
use super::support::{Bench, UsageWrites};

const KEYS: usize = 100_000;
/// Concurrent lookups, at most the limit of waiters for the database.
const CONCURRENCY: usize = 128;

/// Resident memory that the keys add. All share one secret and minimal Argon2id parameters, since neither is
/// cached.
pub fn measure(runtime: &Runtime, bench: &Bench, _folder: &Path) -> Vec<Row> {
    let secret = [9; 32];
    let tokens: Vec<String> = (0..KEYS)
        .map(|number| {
            compose(
                &KeyId::parse(&format!("mpk_many{number:08x}")).unwrap(),
                &secret,
            )
        })
        .collect();
    let added = runtime.block_on(async {
        insert(bench, &secret).await;
        let instance = bench.start_instance(UsageWrites::On).await;
        instance.warm_up(&bench.tokens).await;
        let before = resident();
        // Spawned on the runtime's threads, like the server's requests that need the database.
        let mut verifications = stream::iter(tokens.iter().cloned())
            .map(|token| {
                let guard = Arc::clone(&instance.state.guard);
                tokio::spawn(async move { guard.verify(&token, None).await.map(drop) })
            })
            .buffer_unordered(CONCURRENCY);
        while let Some(result) = verifications.next().await {
            result.unwrap().unwrap();
        }
        eprintln!("before usage is written: {:.0} MiB", resident() - before);
        // Waits until usage is written: one statement per second, 8,192 keys each.
        while count_used(bench).await < KEYS {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        resident() - before
    });
    vec![Row::new(
        "resident memory of 100,000 additional keys in the cache",
        format!("{added:.0} MiB"),
        "≤ 40 MiB",
    )]
}

/// Number of keys whose use is written.
async fn count_used(bench: &Bench) -> usize {
    let count: i64 =
        sqlx::query_scalar("select count(*) from api_key_last_use where key_id like 'mpk_many%' and last_used_at is not null")
            .fetch_one(bench.instance.state.services.pool())
            .await
            .unwrap();
    usize::try_from(count).unwrap()
}

async fn insert(bench: &Bench, secret: &[u8]) {
    let pepper = bench.peppers.current();
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let params = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
    let hash: PasswordHash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(&pepper.peppered(&hex)[..], &[7; 16])
        .unwrap();
    sqlx::query(
        "insert into api_keys (key_id, partner_id, scopes, secret_hash, check_tag, pepper_fingerprint, created_by)
         select 'mpk_many' || lpad(to_hex(number), 8, '0'), $1, '{assets:read}', $2, $3, $4, 'cli:bench'
           from generate_series(0, $5 - 1) as number",
    )
    .bind(bench.partner_id)
    .bind(hash.to_string())
    .bind(&pepper.check_tag(&hex)[..])
    .bind(&pepper.fingerprint()[..])
    .bind(i32::try_from(KEYS).unwrap())
    .execute(bench.instance.state.services.pool())
    .await
    .unwrap();
}
