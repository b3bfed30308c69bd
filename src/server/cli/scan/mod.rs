//! `scan`: finds leaked tokens in files and revokes their keys.
//!
//! Tokens are recognised offline by form and checksum. Since anybody can write a keyId and a valid
//! checksum into a file, a key is only revoked if the secret verifies.

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
use super::{audit_context, current, error_line, plain_services};
use crate::domain::error::AppError;
use crate::domain::key::RevocationReason;
use crate::domain::key_input::RevokeKey;
use crate::domain::token::KeyId;
use crate::server::auth::Guard;
use crate::server::config::{self, Source};
use crate::server::service::Services;
use crate::server::startup;

/// Exit code if tokens were found.
const FOUND: u8 = 1;
/// Exit code of a scan that failed or is incomplete.
pub const FAILED: u8 = 3;
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);

#[derive(Args)]
pub struct ScanArgs {
    /// Files and folders; `-` or no path means standard input.
    paths: Vec<PathBuf>,
    /// Revoke the keys of tokens whose secret verifies, as key_compromise.
    #[arg(long)]
    revoke: bool,
}

/// Scans, and prints one line on standard output per token.
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
    let services = services(source, args.revoke).await?;
    // Check the configuration before the scan, which takes long.
    let guard = match (&services, args.revoke) {
        (Some(services), true) => Some(guard(source, services)?),
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
    let (found, mut errors) = tally.finish();

    let words = match (&services, &guard) {
        (Some(services), Some(guard)) => revoke(services, guard, &found, &mut errors).await,
        (Some(services), None) => statuses(services, &found).await.map_err(error_line)?,
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
    for error in &errors {
        eprintln!("failed: {error}");
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
    } else if !errors.is_empty() {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

/// The services, if a database is available. Only revoking requires one.
async fn services(source: &Source, revoke: bool) -> Result<Option<Services>, String> {
    if !config::names_database(source) && !revoke {
        return Ok(None);
    }
    match current(plain_services(source)?).await {
        Ok(services) => Ok(Some(services)),
        Err(why) if revoke => Err(why),
        Err(why) => {
            eprintln!("the status of the keys is unknown: {why}");
            Ok(None)
        }
    }
}

fn guard(source: &Source, services: &Services) -> Result<Guard, String> {
    let peppers = config::peppers(source).map_err(|error| error.to_string())?;
    Ok(Guard::new(
        services.pool().clone(),
        Arc::clone(services.clock()),
        Arc::clone(services.entropy()),
        startup::peppers(&peppers),
        services.key_hashing().clone(),
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

/// Waits for the scan, and shows its progress on a terminal.
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

/// Statuses of the keys, by token.
async fn statuses<'a>(
    services: &Services,
    found: &'a [Found],
) -> Result<HashMap<&'a str, &'static str>, AppError> {
    let ids: Vec<KeyId> = found.iter().map(|found| found.key_id.clone()).collect();
    let known = services.keys.statuses(&ids).await?;
    let word = |found: &'a Found| {
        let status = known.get(found.key_id.as_str());
        (
            found.token.as_str(),
            status.map_or("no such key", |status| status.into_str()),
        )
    };
    Ok(found.iter().map(word).collect())
}

/// Revokes the keys whose secrets verify. Returns the results by token.
async fn revoke<'a>(
    services: &Services,
    guard: &Guard,
    found: &'a [Found],
    errors: &mut Vec<String>,
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
            services
                .keys
                .revoke(&audit_context(), key_id.as_str(), command)
                .await
        };
        let word = match revoked.await {
            Ok(_) => "revoked",
            Err(AppError::Unauthorized { .. }) => "not verified",
            Err(error) => {
                errors.push(format!("revoking {}: {}", found.key_id, error_line(error)));
                "not revoked"
            }
        };
        words.insert(found.token.as_str(), word);
    }
    words
}
