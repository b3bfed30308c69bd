//! Command-line interface. Exit codes: 0 success, 1 failure with one line on stderr, 2 wrong usage;
//! `scan`: 0 nothing found, 1 tokens found, 3 failure.

mod audit;
mod bulk;
mod import;
mod keys;
mod operators;
mod policy;
#[cfg(feature = "sample")]
mod sample;
mod scan;

use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

use self::audit::AuditCommand;
use self::bulk::BulkCommand;
use self::import::ImportArgs;
use self::keys::KeyCommand;
use self::operators::OperatorCommand;
use self::policy::PolicyCommand;
#[cfg(feature = "sample")]
use self::sample::SampleArgs;
use self::scan::ScanArgs;
use super::config::{self, Source};
use super::crypto::pepper::Peppers;
use super::service::{AuditContext, IssuingPolicy, Services};
use super::startup::{self, Migrations};
use super::{http, telemetry};
use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::AppError;

/// MyProof Registry: proof-of-asset records for partners with API keys, a console for operators.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database and serve REST and the console (the default).
    Serve(ServeArgs),
    /// Migrate the database schema. Can run on several machines concurrently.
    Migrate,
    /// Manage operators of the console.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Issue, rotate, revoke and restore API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Rotate or revoke keys in bulk: listed keys, a partner's keys, or keys older than a number of days.
    #[command(subcommand)]
    Bulk(BulkCommand),
    /// Show or change the key age policy.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Import partners and keys from the database of the earlier Node version.
    Import(ImportArgs),
    /// Verify the audit log, or sign its head.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Find leaked tokens in files. Exit code 0: none found; 1: found; 3: failed.
    Scan(ScanArgs),
    /// Fill a development database with sample partners and keys.
    #[cfg(feature = "sample")]
    Sample(SampleArgs),
    /// Print the OpenAPI document as JSON. Needs neither database nor configuration.
    #[command(name = "openapi")]
    OpenApi,
}

#[derive(Args, Default)]
struct ServeArgs {
    /// Do not migrate the schema.
    #[arg(long)]
    no_migrate: bool,
}

pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    let command = command.unwrap_or(Command::Serve(ServeArgs::default()));
    let failed = match command {
        Command::Scan(_) => ExitCode::from(scan::FAILED),
        _ => ExitCode::FAILURE,
    };
    match runtime().and_then(|runtime| runtime.block_on(run(command))) {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {}", message.replace('\n', " "));
            failed
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))
}

async fn run(command: Command) -> Result<ExitCode, String> {
    let source = Source::process().map_err(|error| error.to_string())?;
    telemetry::start()?;
    match command {
        Command::Serve(args) => {
            let migrations = match args.no_migrate {
                true => Migrations::Skip,
                false => Migrations::Run,
            };
            startup::serve(&source, migrations).await?;
        }
        Command::Migrate => {
            startup::migrate(plain_services(&source)?.pool()).await?;
            eprintln!("The schema is up to date.");
        }
        Command::Operator(command) => {
            operators::run(&current(plain_services(&source)?).await?, command).await?;
        }
        Command::Key(command) => keys::run(&source, command).await?,
        Command::Bulk(command) => bulk::run(&source, command).await?,
        Command::Policy(command) => policy::run(&source, command).await?,
        Command::Import(args) => import::run(&source, args).await?,
        Command::Audit(command) => audit::run(&source, command).await?,
        Command::Scan(args) => return Ok(scan::run(&source, args).await),
        #[cfg(feature = "sample")]
        Command::Sample(args) => sample::run(&source, args).await?,
        Command::OpenApi => println!("{:#}", http::document()),
    }
    Ok(ExitCode::SUCCESS)
}

/// The services without a pepper.
fn plain_services(source: &Source) -> Result<Services, String> {
    services(source, None, IssuingPolicy::default())
}

fn services(
    source: &Source,
    peppers: Option<Arc<Peppers>>,
    issuing: IssuingPolicy,
) -> Result<Services, String> {
    let database = config::database(source).map_err(|error| error.to_string())?;
    let pool = startup::pool(database);
    Ok(Services::new(startup::dependencies(pool, peppers, issuing)))
}

/// The services with the configured pepper and key format.
async fn issuing_services(source: &Source) -> Result<Services, String> {
    let peppers = config::peppers(source).map_err(|error| error.to_string())?;
    let issuing = config::issuing(source).map_err(|error| error.to_string())?;
    let peppers = startup::peppers(&peppers);
    current(services(source, Some(peppers), issuing)?).await
}

/// Returns the services if the database's schema is current.
async fn current(services: Services) -> Result<Services, String> {
    if services.is_ready().await.map_err(error_line)? {
        return Ok(services);
    }
    Err("the database's schema is not up to date: run `myproof-registry migrate` first".to_owned())
}

/// The audit context of the user at the command line.
fn audit_context() -> AuditContext {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let name = name.unwrap_or_else(|| {
        let uid = std::fs::metadata("/proc/self").map(|metadata| metadata.uid());
        uid.map_or_else(|_| "unknown".to_owned(), |uid| format!("uid-{uid}"))
    });
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    AuditContext {
        actor: Actor::new(ActorKind::Cli, name),
        ip: None,
        request_id: None,
    }
}

fn error_line(error: AppError) -> String {
    match error {
        AppError::Internal => "internal error: see the log above".to_owned(),
        AppError::Unavailable { .. } => {
            "the database can't be reached: check DATABASE_URL and that the database is running"
                .to_owned()
        }
        other => other.to_string(),
    }
}
