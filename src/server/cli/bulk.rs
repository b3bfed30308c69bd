//! `bulk`: bulk rotation and revocation. Without `--yes` it only prints a preview.

use std::io::IsTerminal;

use clap::{Args, Subcommand};

use super::{audit_context, current, error_line, issuing_services, plain_services};
use crate::domain::bulk::{BulkAction, BulkPreview, SkippedKey};
use crate::domain::bulk_input::{
    BulkPreviewInput, BulkRevokeInput, BulkRotateInput, SelectionInput,
};
use crate::server::config::Source;
use crate::server::service::Services;

#[derive(Subcommand)]
pub enum BulkCommand {
    /// Rotate keys. Prints one line per key on standard output: old id, new id and token, separated by
    /// tabs.
    Rotate {
        #[command(flatten)]
        which: SelectionArgs,
        /// Grace period of each old key, 3600 to 2592000 seconds (default 86400).
        #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
        grace: Option<i64>,
        /// Start of the grace period: first_use of the successor (the default) or now.
        #[arg(long, value_name = "START")]
        grace_starts: Option<String>,
    },
    /// Revoke keys immediately. Prints their ids on standard output.
    Revoke {
        #[command(flatten)]
        which: SelectionArgs,
        /// unspecified (the default), key_compromise, superseded, cessation_of_operation or
        /// privilege_withdrawn.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Selection of up to 500 keys, oldest first.
#[derive(Args)]
pub struct SelectionArgs {
    /// Ids of the keys.
    #[arg(long = "key", value_name = "KEY_ID", num_args = 1.., conflicts_with_all = ["partner", "older_than_days", "rotation_due"])]
    keys: Vec<String>,
    /// Live keys of this partner (exact name or id).
    #[arg(long)]
    partner: Option<String>,
    /// Live keys created more than this many days ago.
    #[arg(long, value_name = "DAYS", allow_negative_numbers = true)]
    older_than_days: Option<i64>,
    /// Live keys that are due for rotation according to the policy.
    #[arg(long)]
    rotation_due: bool,
    /// Perform the action; without this, only print a preview.
    #[arg(long)]
    yes: bool,
}

pub async fn run(source: &Source, command: BulkCommand) -> Result<(), String> {
    match command {
        BulkCommand::Rotate {
            which,
            grace,
            grace_starts,
        } => {
            let services = issuing_services(source).await?;
            let request = BulkRotateInput {
                select: Some(selection(&services, &which).await?),
                grace_seconds: grace,
                grace_starts,
            };
            let checked = request.clone().check(services.now()).map_err(error_line)?;
            if !which.yes {
                return preview(&services, BulkAction::Rotate, request.select).await;
            }
            let done = services
                .keys
                .rotate_many(&audit_context(), checked, show_progress)
                .await
                .map_err(error_line)?;
            report(&done.left_out, done.more);
            eprintln!(
                "Rotated {}. The tokens are shown once:",
                count(done.rotated.len())
            );
            for key in done.rotated {
                println!("{}\t{}\t{}", key.replaces, key.key_id, &*key.token);
            }
        }
        BulkCommand::Revoke { which, reason } => {
            let services = current(plain_services(source)?).await?;
            let request = BulkRevokeInput {
                select: Some(selection(&services, &which).await?),
                reason,
                note: None,
            };
            let checked = request.clone().check(services.now()).map_err(error_line)?;
            if !which.yes {
                return preview(&services, BulkAction::Revoke, request.select).await;
            }
            let done = services
                .keys
                .revoke_many(&audit_context(), checked)
                .await
                .map_err(error_line)?;
            report(&done.left_out, done.more);
            eprintln!("Revoked {}:", count(done.revoked.len()));
            for key in done.revoked {
                println!("{}", key.key_id);
            }
        }
    }
    Ok(())
}

async fn selection(services: &Services, which: &SelectionArgs) -> Result<SelectionInput, String> {
    let partner_id = match &which.partner {
        None => None,
        Some(partner) => {
            let partner_id = services
                .partners
                .resolve_id(partner)
                .await
                .map_err(error_line)?;
            Some(partner_id.to_string())
        }
    };
    Ok(SelectionInput {
        key_ids: Some(which.keys.clone()).filter(|keys| !keys.is_empty()),
        partner_id,
        older_than_days: which.older_than_days,
        rotation_due: which.rotation_due.then_some(true),
    })
}

async fn preview(
    services: &Services,
    action: BulkAction,
    select: Option<SelectionInput>,
) -> Result<(), String> {
    let input = BulkPreviewInput {
        action: Some(action.into_str().to_owned()),
        select,
    };
    let (action, selection) = input.check(services.now()).map_err(error_line)?;
    let BulkPreview {
        keys,
        in_use,
        left_out,
        more,
    } = services
        .keys
        .preview_bulk(action, &selection)
        .await
        .map_err(error_line)?;
    for key in &keys {
        let used = key
            .last_used_at
            .map_or_else(|| "never".to_owned(), |at| at.to_rfc3339());
        println!(
            "{}\t{}\t{}\t{used}",
            key.key_id,
            key.partner_name,
            key.status.into_str()
        );
    }
    report(&left_out, more);
    eprintln!(
        "This would {} {}, {in_use} of them used in the last 30 days. Nothing was changed: add --yes to proceed.",
        action.into_str(),
        count(keys.len()),
    );
    Ok(())
}

fn report(left_out: &[SkippedKey], more: bool) {
    for key in left_out {
        eprintln!("skipped: {}: {}", key.key_id, key.reason.describe());
    }
    if more {
        eprintln!("More than 500 keys match: repeat the command for the rest.");
    }
}

fn show_progress(done: usize, total: usize) {
    if std::io::stderr().is_terminal() {
        let end = if done == total { "\n" } else { "\r" };
        eprint!("hashed {done} of {total}{end}");
    }
}

fn count(keys: usize) -> String {
    match keys {
        1 => "1 key".to_owned(),
        _ => format!("{keys} keys"),
    }
}
