//! `audit`: checking the history, and signing its end.

use std::path::PathBuf;

use clap::Subcommand;

use super::{current, error_line, issuing_services, plain_services};
use crate::domain::checkpoint::{ChainReport, Checkpoint};
use crate::server::config::{self, Source};
use crate::server::service::{IssuingPolicy, Services};
use crate::server::startup;

/// What can be done with the history.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Check that no event was altered, removed or inserted; names the first one that was.
    Verify {
        /// A file of checkpoints that were exported, a line of JSON each.
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
    },
    /// Sign the end of the history as it is now, and print that: a line of JSON. Keep it where
    /// nobody who can write to the database can change it.
    Checkpoint,
}

pub async fn run(source: &Source, command: AuditCommand) -> Result<(), String> {
    match command {
        AuditCommand::Verify { checkpoints } => {
            let exported = checkpoints.map(read).transpose()?.unwrap_or_default();
            let plain = current(plain_services(source)?).await?;
            match config::peppers(source) {
                Ok(peppers) => {
                    let peppers = startup::peppers(&peppers);
                    verify(
                        &super::services(source, Some(peppers), IssuingPolicy::default())?,
                        &exported,
                        Signatures::Checked,
                    )
                    .await
                }
                Err(why) => {
                    eprintln!("Signatures are not checked: {why}");
                    verify(&plain, &exported, Signatures::Unchecked).await
                }
            }
        }
        AuditCommand::Checkpoint => {
            let services = issuing_services(source).await?;
            let Some(checkpoint) = services.audit.checkpoint().await.map_err(error_line)? else {
                return Err("the history has no event yet".to_owned());
            };
            let line = serde_json::to_string(&checkpoint).map_err(|error| error.to_string())?;
            println!("{line}");
            Ok(())
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Signatures {
    Checked,
    Unchecked,
}

async fn verify(
    services: &Services,
    exported: &[Checkpoint],
    signatures: Signatures,
) -> Result<(), String> {
    let ChainReport {
        events,
        checkpoints,
        unknown_peppers,
        broken,
    } = services
        .audit
        .verify_chain(exported)
        .await
        .map_err(error_line)?;
    if unknown_peppers > 0 && signatures == Signatures::Checked {
        eprintln!(
            "{unknown_peppers} checkpoints were signed under a pepper that is not known here: they tell nothing."
        );
    }
    match broken {
        Some(broken) => Err(format!("the history does not hold: {broken}")),
        None => {
            eprintln!("{events} events are as they were recorded; {checkpoints} checkpoints fit.");
            Ok(())
        }
    }
}

fn read(path: PathBuf) -> Result<Vec<Checkpoint>, String> {
    let name = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{name}: {error}"))?;
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            serde_json::from_str(line)
                .map_err(|error| format!("{name}:{}: is no checkpoint: {error}", number + 1))
        })
        .collect()
}
