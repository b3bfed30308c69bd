//! `scan`: finding leaked tokens in files, and revoking the keys of those that are real.
//!
//! A token's form and checksum tell it offline. Anybody can write a keyId and a valid checksum into
//! a file, though: only a secret that verifies has its key revoked.

mod search;

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::Args;

use self::search::{Found, Tally};
use super::{current, origin, plain_registry, told};
use crate::domain::error::AppError;
use crate::domain::key::RevocationReason;
use crate::domain::key_input::RevokeKey;
use crate::domain::token::KeyId;
use crate::server::auth::Guard;
use crate::server::config::{self, Source};
use crate::server::service::Registry;
use crate::server::startup;

/// Nothing was found, or something was, or the scan could not be done.
const FOUND: u8 = 1;
/// The exit code of a scan that could not be done, or not wholly.
pub const FAILED: u8 = 3;
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);

/// What to scan.
#[derive(Args)]
pub struct ScanArgs {
    /// Files and folders; `-`, or none at all, is standard input.
    paths: Vec<PathBuf>,
    /// Revoke the keys of tokens whose secret verifies, as key_compromise.
    #[arg(long)]
    revoke: bool,
}

/// Scans, and says what was found: a line each on standard output.
pub async fn run(source: &Source, args: ScanArgs) -> ExitCode {
    match scan(source, args).await {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {}", message.replace('\n', " "));
            ExitCode::from(FAILED)
        }
    }
}

async fn scan(source: &Source, args: ScanArgs) -> Result<ExitCode, String> {
    let registry = registry(source, args.revoke).await?;
    // Asked before anything is read: a scan takes its time.
    let guard = match (&registry, args.revoke) {
        (Some(registry), true) => Some(guard(source, registry)?),
        _ => None,
    };
    let tally = Arc::new(Tally::default());
    let reading = tokio::task::spawn_blocking({
        let tally = Arc::clone(&tally);
        move || read(&tally, &args.paths)
    });
    show_progress(&tally, reading)
        .await
        .map_err(|error| format!("the scan did not finish: {error}"))?;
    let (found, mut faults) = tally.finish();

    let words = match (&registry, &guard) {
        (Some(registry), Some(guard)) => revoke(registry, guard, &found, &mut faults).await,
        (Some(registry), None) => statuses(registry, &found).await.map_err(told)?,
        (None, _) => HashMap::new(),
    };
    let mut keys: Vec<&KeyId> = found.iter().map(|found| &found.key_id).collect();
    keys.sort_unstable();
    keys.dedup();
    for found in &found {
        let word = words.get(found.token.as_str()).copied();
        println!(
            "{}:{}:{}: {} {}",
            found.place,
            found.line,
            found.column,
            found.key_id,
            word.unwrap_or("unknown")
        );
    }
    for fault in &faults {
        eprintln!("not done: {fault}");
    }
    eprintln!(
        "Read {} files, {:.1} MB: {} tokens of {} keys.",
        tally.files.load(Ordering::Relaxed),
        tally.bytes.load(Ordering::Relaxed) as f64 / 1e6,
        found.len(),
        keys.len()
    );
    Ok(if !found.is_empty() {
        ExitCode::from(FOUND)
    } else if !faults.is_empty() {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

/// The services, where there is a database. Without one the scan goes on, unless it is to revoke.
async fn registry(source: &Source, revoke: bool) -> Result<Option<Registry>, String> {
    if !config::names_database(source) && !revoke {
        return Ok(None);
    }
    match current(plain_registry(source)?).await {
        Ok(registry) => Ok(Some(registry)),
        Err(why) if revoke => Err(why),
        Err(why) => {
            eprintln!("what has become of the keys can't be told: {why}");
            Ok(None)
        }
    }
}

fn guard(source: &Source, registry: &Registry) -> Result<Guard, String> {
    let peppers = config::peppers(source).map_err(|error| error.to_string())?;
    Ok(Guard::new(
        registry.pool.clone(),
        Arc::clone(&registry.clock),
        Arc::clone(&registry.entropy),
        startup::peppers(&peppers),
        registry.key_hashing.clone(),
        Duration::ZERO,
    ))
}

fn read(tally: &Tally, paths: &[PathBuf]) {
    let (input, paths): (Vec<_>, Vec<_>) = paths
        .iter()
        .cloned()
        .partition(|path| path.as_os_str() == "-");
    if !input.is_empty() || paths.is_empty() {
        tally.read("-", std::io::stdin().lock());
    }
    tally.walk(&paths);
}

/// Waits for the reading, and tells meanwhile how far it is, where somebody looks on.
async fn show_progress(
    tally: &Tally,
    mut reading: tokio::task::JoinHandle<()>,
) -> Result<(), tokio::task::JoinError> {
    let is_watched = std::io::stderr().is_terminal();
    loop {
        tokio::select! {
            read = &mut reading => {
                if is_watched {
                    eprint!("\r\x1b[K");
                }
                return read;
            }
            () = tokio::time::sleep(PROGRESS_PAUSE) => {}
        }
        if is_watched {
            let files = tally.files.load(Ordering::Relaxed);
            let megabytes = tally.bytes.load(Ordering::Relaxed) / 1_000_000;
            let found = tally.count();
            eprint!("\r\x1b[K{files} files, {megabytes} MB read, {found} tokens found");
        }
    }
}

/// What has become of the keys, by token.
async fn statuses<'a>(
    registry: &Registry,
    found: &'a [Found],
) -> Result<HashMap<&'a str, &'static str>, AppError> {
    let ids: Vec<KeyId> = found.iter().map(|found| found.key_id.clone()).collect();
    let known = registry.key_statuses(&ids).await?;
    let word = |found: &'a Found| {
        let status = known.get(found.key_id.as_str());
        (
            found.token.as_str(),
            status.map_or("no such key", |status| status.as_str()),
        )
    };
    Ok(found.iter().map(word).collect())
}

/// Revokes the keys whose secrets verify; what was done, by token.
async fn revoke<'a>(
    registry: &Registry,
    guard: &Guard,
    found: &'a [Found],
    faults: &mut Vec<String>,
) -> HashMap<&'a str, &'static str> {
    let mut words = HashMap::new();
    for found in found {
        if words.contains_key(found.token.as_str()) {
            continue;
        }
        let revoked = async {
            let holder = guard.authenticate_holder(&found.token, None).await;
            let key_id = holder.map_err(|refused| refused.error)?;
            let command = RevokeKey {
                reason: RevocationReason::KeyCompromise,
                note: Some("found by a scan".to_owned()),
            };
            registry
                .revoke_key(&origin(), key_id.as_str(), command)
                .await
        };
        let word = match revoked.await {
            Ok(_) => "revoked",
            Err(AppError::Unauthorized { .. }) => "not verified",
            Err(error) => {
                faults.push(format!("revoking {}: {}", found.key_id, told(error)));
                "not revoked"
            }
        };
        words.insert(found.token.as_str(), word);
    }
    words
}
