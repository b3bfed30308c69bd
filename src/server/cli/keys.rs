//! `key`: issue, rotate, revoke and restore keys. Only tokens go to standard output; everything else
//! goes to standard error.

use clap::Subcommand;

use super::{audit_context, current, error_line, issuing_services, plain_services};
use crate::domain::grace::GraceStart;
use crate::domain::key_input::{IssueInput, RevokeInput};
use crate::domain::partner::PartnerInput;
use crate::domain::rotation::RotateInput;
use crate::server::config::Source;
use crate::server::service::Services;

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Issue a key and print its token, alone, on standard output.
    Issue {
        /// A partner's exact name (created if it does not exist) or id.
        #[arg(long)]
        partner: String,
        /// Scopes of the key: --scope A B, or --scope A --scope B.
        #[arg(long = "scope", required = true, num_args = 1..)]
        scopes: Vec<String>,
        /// Requests per minute, 1 to 10000 (default 300).
        #[arg(long, allow_negative_numbers = true)]
        rate: Option<i64>,
        /// Expiry of the key (RFC 3339); none by default.
        #[arg(long)]
        not_after: Option<String>,
    },
    /// Rotate a key and print its successor's token, alone, on standard output.
    Rotate {
        /// The old key's id.
        key_id: String,
        /// Grace period of the old key, 0 (the default) to 2592000 seconds.
        #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
        grace: Option<i64>,
        /// Start of the grace period: now (the default) or first_use of the successor.
        #[arg(long, value_name = "START")]
        grace_starts: Option<String>,
        /// Expiry of the successor (RFC 3339); that of the old key by default.
        #[arg(long)]
        not_after: Option<String>,
    },
    /// Undo a revocation, within 60 minutes and not for key_compromise or superseded.
    Restore {
        /// The key's id.
        key_id: String,
    },
    /// Revoke a key immediately.
    Revoke {
        /// The key's id.
        key_id: String,
        /// unspecified (the default), key_compromise, superseded, cessation_of_operation or
        /// privilege_withdrawn.
        #[arg(long)]
        reason: Option<String>,
    },
}

pub async fn run(source: &Source, command: KeyCommand) -> Result<(), String> {
    match command {
        KeyCommand::Issue {
            partner,
            scopes,
            rate,
            not_after,
        } => {
            let services = issuing_services(source).await?;
            let input = IssueInput {
                scopes: Some(scopes),
                rate_per_minute: rate,
                not_after,
                ..IssueInput::default()
            };
            issue(&services, &partner, input).await
        }
        KeyCommand::Rotate {
            key_id,
            grace,
            grace_starts,
            not_after,
        } => {
            let input = RotateInput {
                grace_seconds: grace,
                grace_starts,
                not_after,
            };
            let services = issuing_services(source).await?;
            let command = input.check(services.now()).map_err(error_line)?;
            let rotated = services
                .keys
                .rotate(&audit_context(), &key_id, command)
                .await
                .map_err(error_line)?;
            let token = rotated.token;
            let latest = match rotated.grace_starts {
                GraceStart::Now => "",
                GraceStart::FirstUse => ", at the latest",
            };
            eprintln!(
                "{} replaces {}, which expires at {}{latest}. Its token is shown once:",
                rotated.key_id,
                rotated.replaces,
                rotated.retires_at.to_rfc3339()
            );
            println!("{}", &*token);
            Ok(())
        }
        KeyCommand::Restore { key_id } => {
            let services = current(plain_services(source)?).await?;
            let key = services
                .keys
                .restore(&audit_context(), &key_id, None)
                .await
                .map_err(error_line)?;
            eprintln!("{} is {} again.", key.key_id, key.status.into_str());
            Ok(())
        }
        KeyCommand::Revoke { key_id, reason } => {
            let command = RevokeInput { reason, note: None }
                .check()
                .map_err(error_line)?;
            let services = current(plain_services(source)?).await?;
            let revoked = services
                .keys
                .revoke(&audit_context(), &key_id, command)
                .await
                .map_err(error_line)?;
            eprintln!(
                "{} was revoked at {}.",
                revoked.key_id,
                revoked.revoked_at.to_rfc3339()
            );
            Ok(())
        }
    }
}

async fn issue(services: &Services, partner: &str, input: IssueInput) -> Result<(), String> {
    let context = audit_context();
    // Check the input before a partner is created for it.
    let checked = IssueInput {
        partner_id: Some(uuid::Uuid::nil().to_string()),
        ..input
    };
    let mut command = checked.check(services.now()).map_err(error_line)?;
    let named = match uuid::Uuid::try_parse(partner) {
        Ok(partner_id) => services
            .partners
            .get(partner_id)
            .await
            .map(|partner| partner.partner_id),
        Err(_) => {
            let new = PartnerInput {
                name: Some(partner.to_owned()),
                ..PartnerInput::default()
            }
            .check()
            .map_err(error_line)?;
            services.partners.find_or_create(&context, new).await
        }
    };
    command.partner_id = named.map_err(error_line)?;
    let issued = services
        .keys
        .issue(&context, command)
        .await
        .map_err(error_line)?;
    let token = issued.token;
    eprintln!(
        "Issued {} to partner {}. Its token is shown once:",
        issued.key_id, issued.partner_id
    );
    println!("{}", &*token);
    Ok(())
}
