//! `audit`: verification and checkpoints of the audit log.

use std::path::PathBuf;

use clap::Subcommand;

use super::{current, error_line, issuing_services, plain_services};
use crate::domain::checkpoint::{ChainReport, Checkpoint};
use crate::server::config::{self, Source};
use crate::server::service::{IssuingPolicy, Services};
use crate::server::startup;

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Verify that no event was altered, removed or inserted; report the first violation.
    Verify {
        /// File with exported checkpoints, one JSON object per line.
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
    },
    /// Sign the current head of the audit log and print the checkpoint as one line of JSON. Store it
    /// where nobody with write access to the database can change it.
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
                    eprintln!("Signatures are not verified: {why}");
                    verify(&plain, &exported, Signatures::Unchecked).await
                }
            }
        }
        AuditCommand::Checkpoint => {
            let services = issuing_services(source).await?;
            let Some(checkpoint) = services.audit.checkpoint().await.map_err(error_line)? else {
                return Err("the audit log is empty".to_owned());
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
            "{unknown_peppers} checkpoints were signed with an unknown pepper and could not be verified."
        );
    }
    match broken {
        Some(broken) => Err(format!("the audit log is not intact: {broken}")),
        None => {
            eprintln!("{events} events are intact; {checkpoints} checkpoints match.");
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
                .map_err(|error| format!("{name}:{}: is not a checkpoint: {error}", number + 1))
        })
        .collect()
}
