//! `operator`: management of operators.

use std::io::Read;

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::{audit_context, error_line};
use crate::domain::operator::Role;
use crate::server::service::Services;

#[derive(Subcommand)]
pub enum OperatorCommand {
    /// Create an operator.
    Create {
        /// The operator's e-mail address.
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
        /// The operator's e-mail address.
        #[arg(long)]
        email: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Remove the second factor of an operator who has lost it, and end their sessions.
    RemoveFactor {
        /// The operator's e-mail address.
        #[arg(long)]
        email: String,
    },
    /// End the sessions of one operator or of all operators.
    EndSessions {
        /// The operator's e-mail address.
        #[arg(long, required_unless_present = "all", conflicts_with = "all")]
        email: Option<String>,
        /// End the sessions of all operators.
        #[arg(long)]
        all: bool,
    },
    /// List the operators: e-mail, role, active or disabled, separated by tabs.
    List,
    /// Disable an operator and end their sessions.
    Disable {
        /// The operator's e-mail address.
        #[arg(long)]
        email: String,
    },
}

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
            eprintln!("Created {} ({}).", operator.email, operator.role);
        }
        OperatorCommand::Password { email, .. } => {
            services
                .operators
                .set_password(&audit_context(), &email, password()?)
                .await
                .map_err(error_line)?;
            eprintln!("Password changed; all sessions of {email} were ended.");
        }
        OperatorCommand::RemoveFactor { email } => {
            services
                .mfa
                .remove(&audit_context(), &email, None)
                .await
                .map_err(error_line)?;
            eprintln!("Removed the second factor of {email}; all their sessions were ended.");
        }
        OperatorCommand::EndSessions { email, .. } => {
            let ended = services
                .sessions
                .end_all(&audit_context(), email.as_deref())
                .await;
            eprintln!("Ended sessions: {}.", ended.map_err(error_line)?);
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
            eprintln!("Disabled {email}; all their sessions were ended.");
        }
    }
    Ok(())
}

fn password() -> Result<Zeroizing<String>, String> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    std::io::stdin()
        .take(4096)
        .read_to_string(&mut text)
        .map_err(|_| "the password on standard input is not valid UTF-8".to_owned())?;
    let end = text.strip_suffix('\n').map_or(text.len(), str::len);
    let end = text[..end].strip_suffix('\r').map_or(end, str::len);
    text.truncate(end);
    Ok(text)
}
