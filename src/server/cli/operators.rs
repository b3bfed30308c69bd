//! `operator`: who may sign in to the console.

use std::io::Read;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::{audit_context, error_line};
use crate::domain::operator::Role;
use crate::server::service::Services;

/// What can be done with operators.
#[derive(Subcommand)]
pub enum OperatorCommand {
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
    /// Take the second factor of an operator who has lost it, and end their sessions.
    RemoveFactor {
        /// The address they sign in with.
        #[arg(long)]
        email: String,
    },
    /// End the sessions of an operator, or of everybody.
    EndSessions {
        /// The address they sign in with.
        #[arg(long, required_unless_present = "all", conflicts_with = "all")]
        email: Option<String>,
        /// Everybody's.
        #[arg(long)]
        all: bool,
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

/// How the password comes.
#[derive(Args)]
pub struct PasswordArgs {
    /// Read the password from standard input; one trailing newline is dropped.
    #[arg(long, required = true)]
    password_stdin: bool,
}

fn role(text: &str) -> Result<Role, String> {
    text.parse()
        .map_err(|_| "must be admin or auditor".to_owned())
}

pub async fn run(services: &Services, command: OperatorCommand) -> Result<(), String> {
    match command {
        OperatorCommand::Create { email, role, .. } => {
            let operator = services
                .operators
                .create(&audit_context(), &email, role, password()?)
                .await
                .map_err(error_line)?;
            eprintln!("Made {} ({}).", operator.email, operator.role);
        }
        OperatorCommand::Password { email, .. } => {
            services
                .operators
                .set_password(&audit_context(), &email, password()?)
                .await
                .map_err(error_line)?;
            eprintln!("The password is set; all sessions of {email} have ended.");
        }
        OperatorCommand::RemoveFactor { email } => {
            services
                .mfa
                .remove(&audit_context(), &email, None)
                .await
                .map_err(error_line)?;
            eprintln!(
                "{email} signs in by password alone until they set up another; all their sessions have ended."
            );
        }
        OperatorCommand::EndSessions { email, .. } => {
            let ended = services
                .sessions
                .end_all(&audit_context(), email.as_deref())
                .await;
            eprintln!("Sessions that have ended: {}.", ended.map_err(error_line)?);
        }
        OperatorCommand::List => {
            for operator in services.operators.list().await.map_err(error_line)? {
                let state = if operator.active {
                    "active"
                } else {
                    "disabled"
                };
                println!("{}\t{}\t{state}", operator.email, operator.role);
            }
        }
        OperatorCommand::Disable { email } => {
            services
                .operators
                .disable(&audit_context(), &email)
                .await
                .map_err(error_line)?;
            eprintln!("{email} can no longer sign in; all their sessions have ended.");
        }
    }
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
