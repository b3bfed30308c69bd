//! `audit`: checking the history, and signing its end.

use std::path::PathBuf;

use clap::Subcommand;

use super::{current, issuing_registry, plain_registry, told};
use crate::domain::checkpoint::{ChainReport, Checkpoint};
use crate::server::config::{self, Source};
use crate::server::service::Registry;
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

/// Does it.
pub async fn run(source: &Source, command: AuditCommand) -> Result<(), String> {
    match command {
        AuditCommand::Verify { checkpoints } => {
            let exported = checkpoints.map(read).transpose()?.unwrap_or_default();
            let mut registry = current(plain_registry(source)?).await?;
            match config::peppers(source) {
                Ok(peppers) => registry.peppers = Some(startup::peppers(&peppers)),
                Err(why) => eprintln!("Signatures are not checked: {why}"),
            }
            verify(&registry, &exported).await
        }
        AuditCommand::Checkpoint => {
            let registry = issuing_registry(source).await?;
            let Some(checkpoint) = registry.checkpoint().await.map_err(told)? else {
                return Err("the history has no event yet".to_owned());
            };
            let line = serde_json::to_string(&checkpoint).map_err(|error| error.to_string())?;
            println!("{line}");
            Ok(())
        }
    }
}

async fn verify(registry: &Registry, exported: &[Checkpoint]) -> Result<(), String> {
    let ChainReport {
        events,
        checkpoints,
        unknown_peppers,
        broken,
    } = registry.verify_history(exported).await.map_err(told)?;
    if unknown_peppers > 0 && registry.peppers.is_some() {
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
