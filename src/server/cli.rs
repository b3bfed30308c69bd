//! The command line. Exit codes: 0 done, 1 refused or failed with one line on stderr, 2 usage.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use zeroize::Zeroizing;

use super::config::{self, Source};
use super::http;
use super::run;
use super::services::{IssuingPolicy, Origin, Registry};
use super::telemetry;
use crate::domain::audit::{Actor, ActorKind};
use crate::domain::error::AppError;
use crate::domain::key_input::{IssueInput, RevokeInput};
use crate::domain::operator::Role;
use crate::domain::partner::PartnerInput;

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
    /// Issue and revoke API keys.
    #[command(subcommand)]
    Key(KeyCommand),
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

#[derive(Subcommand)]
enum OperatorCommand {
    /// Make an operator.
    Create {
        /// The address they sign in with.
        #[arg(long)]
        email: String,
        /// admin (everything) or auditor (reads everything, changes nothing).
        #[arg(long, value_parser = role)]
        role: Role,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Set an operator's password and end their sessions.
    Password {
        /// The address they sign in with.
        #[arg(long)]
        email: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List the operators: e-mail, role, active or disabled, separated by tabs.
    List,
    /// Take an operator's right to sign in and end their sessions.
    Disable {
        /// The address they sign in with.
        #[arg(long)]
        email: String,
    },
}

#[derive(Args)]
struct PasswordArgs {
    /// Read the password from standard input; one trailing newline is dropped.
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Issue a key and print its token, alone, on standard output.
    Issue {
        /// A partner's exact name (made if there is none) or id.
        #[arg(long)]
        partner: String,
        /// What the key may do; several: --scope A B, or --scope A --scope B.
        #[arg(long = "scope", required = true, num_args = 1..)]
        scopes: Vec<String>,
        /// Requests a minute, 1 to 10000; 300 by default.
        #[arg(long, allow_negative_numbers = true)]
        rate: Option<i64>,
        /// When the key ends (RFC 3339); never by default.
        #[arg(long)]
        not_after: Option<String>,
    },
    /// Revoke a key at once.
    Revoke {
        /// The key's id.
        key_id: String,
        /// unspecified (the default), key_compromise, superseded, cessation_of_operation or
        /// privilege_withdrawn.
        #[arg(long)]
        reason: Option<String>,
    },
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| "must be admin or auditor".to_owned())
}

/// Parses the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = runtime().and_then(|runtime| {
        runtime.block_on(run(cli
            .command
            .unwrap_or(Command::Serve(ServeArgs::default()))))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {}", message.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))
}

async fn run(command: Command) -> Result<(), String> {
    let source = Source::process().map_err(|error| error.to_string())?;
    telemetry::start()?;
    match command {
        Command::Serve(args) => run::serve(&source, !args.no_migrate).await,
        Command::Migrate => {
            let registry = plain_registry(&source)?;
            run::migrate(&registry.pool).await?;
            eprintln!("The schema is up to date.");
            Ok(())
        }
        Command::Operator(command) => {
            operator(&current(plain_registry(&source)?).await?, command).await
        }
        Command::Key(command) => key(&source, command).await,
        Command::OpenApi => {
            println!("{:#}", http::document());
            Ok(())
        }
    }
}

/// The services without a pepper, for what needs none.
fn plain_registry(source: &Source) -> Result<Registry, String> {
    let database = config::database(source).map_err(|error| error.to_string())?;
    Ok(run::registry(
        run::pool(database),
        None,
        IssuingPolicy::default(),
    ))
}

/// The registry, unless its schema is not the one of this program.
async fn current(registry: Registry) -> Result<Registry, String> {
    if registry.is_ready().await.map_err(told)? {
        return Ok(registry);
    }
    Err("the database's schema is not up to date: run `myproof-registry migrate` first".to_owned())
}

async fn operator(registry: &Registry, command: OperatorCommand) -> Result<(), String> {
    match command {
        OperatorCommand::Create { email, role, .. } => {
            let operator = registry
                .create_operator(&origin(), &email, role, password()?)
                .await
                .map_err(told)?;
            eprintln!("Made {} ({}).", operator.email, operator.role);
        }
        OperatorCommand::Password { email, .. } => {
            registry
                .set_operator_password(&origin(), &email, password()?)
                .await
                .map_err(told)?;
            eprintln!("The password is set; all sessions of {email} have ended.");
        }
        OperatorCommand::List => {
            for operator in registry.list_operators().await.map_err(told)? {
                let state = if operator.active {
                    "active"
                } else {
                    "disabled"
                };
                println!("{}\t{}\t{state}", operator.email, operator.role);
            }
        }
        OperatorCommand::Disable { email } => {
            registry
                .disable_operator(&origin(), &email)
                .await
                .map_err(told)?;
            eprintln!("{email} can no longer sign in; all their sessions have ended.");
        }
    }
    Ok(())
}

async fn key(source: &Source, command: KeyCommand) -> Result<(), String> {
    match command {
        KeyCommand::Issue {
            partner,
            scopes,
            rate,
            not_after,
        } => {
            let peppers =
                run::peppers(&config::peppers(source).map_err(|error| error.to_string())?);
            let issuing = config::issuing(source).map_err(|error| error.to_string())?;
            let registry = current(Registry {
                peppers: Some(Arc::clone(&peppers)),
                issuing,
                ..plain_registry(source)?
            })
            .await?;
            let input = IssueInput {
                scopes: Some(scopes),
                rate_per_minute: rate,
                not_after,
                ..IssueInput::default()
            };
            issue(&registry, &partner, input).await
        }
        KeyCommand::Revoke { key_id, reason } => {
            let command = RevokeInput { reason, note: None }.check().map_err(told)?;
            let registry = current(plain_registry(source)?).await?;
            let revoked = registry
                .revoke_key(&origin(), &key_id, command)
                .await
                .map_err(told)?;
            eprintln!(
                "{} is revoked since {}.",
                revoked.key_id,
                revoked.revoked_at.to_rfc3339()
            );
            Ok(())
        }
    }
}

async fn issue(registry: &Registry, partner: &str, input: IssueInput) -> Result<(), String> {
    let origin = origin();
    // Everything is checked before a partner is made for it.
    let checked = IssueInput {
        partner_id: Some(uuid::Uuid::nil().to_string()),
        ..input
    };
    let mut command = checked.check(registry.now()).map_err(told)?;
    let named = match uuid::Uuid::try_parse(partner) {
        Ok(partner_id) => registry
            .partner(partner_id)
            .await
            .map(|partner| partner.partner_id),
        Err(_) => {
            let new = PartnerInput {
                name: Some(partner.to_owned()),
                contact_email: None,
            }
            .check()
            .map_err(told)?;
            registry.partner_named(&origin, new).await
        }
    };
    command.partner_id = named.map_err(told)?;
    let issued = registry.issue_key(&origin, command).await.map_err(told)?;
    let token = Zeroizing::new(issued.token);
    eprintln!(
        "Issued {} to partner {}. Its token is shown once:",
        issued.key_id, issued.partner_id
    );
    println!("{}", token.as_str());
    Ok(())
}

fn password() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(|_| "the password on standard input is no UTF-8 text".to_owned())?;
    let end = text.strip_suffix('\n').map_or(text.len(), str::len);
    let end = text[..end].strip_suffix('\r').map_or(end, str::len);
    text.truncate(end);
    Ok(text)
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
