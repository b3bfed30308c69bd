//! `policy`: the key age policy.

use clap::{Args, Subcommand};

use super::{audit_context, current, error_line, plain_services};
use crate::domain::patch::Patch;
use crate::domain::policy::{Policy, PolicyInput};
use crate::server::config::Source;

#[derive(Subcommand)]
pub enum PolicyCommand {
    /// Print the policy, one rule per line.
    Show,
    /// Change rules; `off` disables a rule.
    Set(Rules),
}

/// The rules to change.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct Rules {
    /// Days after which a key is due for rotation.
    #[arg(long, value_name = "DAYS", value_parser = rule)]
    max_key_age: Option<Patch<i64>>,
    /// Maximum lifetime of a new key in days.
    #[arg(long, value_name = "DAYS", value_parser = rule)]
    max_lifetime: Option<Patch<i64>>,
    /// Days without use after which a key is stale.
    #[arg(long, value_name = "DAYS", value_parser = rule)]
    stale_after: Option<Patch<i64>>,
}

fn rule(text: &str) -> Result<Patch<i64>, String> {
    match text {
        "off" => Ok(Patch::Clear),
        _ => text
            .parse()
            .map(Patch::Set)
            .map_err(|_| "must be a whole number of days, or off".to_owned()),
    }
}

pub async fn run(source: &Source, command: PolicyCommand) -> Result<(), String> {
    let services = current(plain_services(source)?).await?;
    let policy = match command {
        PolicyCommand::Show => services.policy.get().await,
        PolicyCommand::Set(rules) => {
            let input = PolicyInput {
                max_key_age_days: rules.max_key_age.unwrap_or_default(),
                max_lifetime_days: rules.max_lifetime.unwrap_or_default(),
                stale_after_days: rules.stale_after.unwrap_or_default(),
            };
            let command = input.check().map_err(error_line)?;
            services.policy.update(&audit_context(), command).await
        }
    };
    print(&policy.map_err(error_line)?);
    Ok(())
}

fn print(policy: &Policy) {
    for (rule, days) in [
        ("max-key-age", policy.max_key_age_days),
        ("max-lifetime", policy.max_lifetime_days),
        ("stale-after", policy.stale_after_days),
    ] {
        match days {
            Some(days) => println!("{rule}\t{days}"),
            None => println!("{rule}\toff"),
        }
    }
}
