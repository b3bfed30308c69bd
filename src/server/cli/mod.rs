//! The command line. Exit codes: 0 done, 1 refused or failed with one line on stderr, 2 usage;
//! `scan` has its own: 0 nothing found, 1 something found, 3 failed.

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
use super::service::{IssuingPolicy, Origin, Registry};
use super::startup;
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
    /// Bring the database's schema up to date. May run on several machines at once.
    Migrate,
    /// Manage who may sign in to the console.
    #[command(subcommand)]
    Operator(OperatorCommand),
    /// Issue, rotate and revoke API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Rotate or revoke many keys: those listed, a partner's, or those older than so many days.
    #[command(subcommand)]
    Bulk(BulkCommand),
    /// Show or change how old keys may become.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Take over partners and keys from the database of the registry's earlier Node pack.
    Import(ImportArgs),
    /// Check the history, and sign its end.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Find tokens that leaked into files. Exit 0: none; 1: some; 3: it could not be done.
    Scan(ScanArgs),
    /// Fill a development database with sample partners and keys.
    #[cfg(feature = "sample")]
    Sample(SampleArgs),
    /// Print the OpenAPI document of the REST routes, JSON. Needs no database and no configuration.
    #[command(name = "openapi")]
    OpenApi,
}

#[derive(Args, Default)]
struct ServeArgs {
    /// Leave the schema as it is.
    #[arg(long)]
    no_migrate: bool,
}

/// Parses the command line and runs it.
#[must_use]
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
        Command::Serve(args) => startup::serve(&source, !args.no_migrate).await?,
        Command::Migrate => {
            startup::migrate(&plain_registry(&source)?.pool).await?;
            eprintln!("The schema is up to date.");
        }
        Command::Operator(command) => {
            operators::run(&current(plain_registry(&source)?).await?, command).await?;
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

/// The services without a pepper, for what needs none.
fn plain_registry(source: &Source) -> Result<Registry, String> {
    let database = config::database(source).map_err(|error| error.to_string())?;
    Ok(startup::registry(
        startup::pool(database),
        None,
        IssuingPolicy::default(),
    ))
}

/// The services as issuing needs them.
async fn issuing_registry(source: &Source) -> Result<Registry, String> {
    let peppers = config::peppers(source).map_err(|error| error.to_string())?;
    let issuing = config::issuing(source).map_err(|error| error.to_string())?;
    current(Registry {
        peppers: Some(startup::peppers(&peppers)),
        issuing,
        ..plain_registry(source)?
    })
    .await
}

/// The registry, unless its schema is not the one of this program.
async fn current(registry: Registry) -> Result<Registry, String> {
    if registry.is_ready().await.map_err(told)? {
        return Ok(registry);
    }
    Err("the database's schema is not up to date: run `myproof-registry migrate` first".to_owned())
}

/// Who is at the command line, as far as the machine knows.
fn origin() -> Origin {
    let name = ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let name = name.unwrap_or_else(|| {
        let uid = std::fs::metadata("/proc/self").map(|metadata| metadata.uid());
        uid.map_or_else(|_| "unknown".to_owned(), |uid| format!("uid-{uid}"))
    });
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    Origin {
        actor: Actor::new(ActorKind::Cli, name),
        ip: None,
        request_id: None,
    }
}

fn told(error: AppError) -> String {
    match error {
        AppError::Internal => "something failed: the log above says what".to_owned(),
        AppError::Unavailable { .. } => {
            "the database can't be reached: check DATABASE_URL and that it runs".to_owned()
        }
        other => other.to_string(),
    }
}
