//! `import`: taking over the earlier Node pack's partners and keys.

use clap::Args;

use super::{current, origin, plain_registry, told};
use crate::server::config::{self, Source};
use crate::server::service::import::ImportError;

/// From where, and what.
#[derive(Args)]
pub struct ImportArgs {
    /// The Node pack's database: postgres://USER:PASSWORD@HOST/DATABASE. It is only read.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Take keys with the scope admin:* too.
    #[arg(long)]
    allow_admin: bool,
}

/// Imports. Rows that were not taken are told on standard output, a line each.
pub async fn run(source: &Source, args: ImportArgs) -> Result<(), String> {
    let from = config::postgres(&args.from)
        .ok_or("--from must be of the form postgres://USER:PASSWORD@HOST/DATABASE")?;
    let registry = current(plain_registry(source)?).await?;
    let imported = registry
        .import(&origin(), from, args.allow_admin)
        .await
        .map_err(|error| match error {
            ImportError::Registry(error) => told(error),
            source => source.to_string(),
        })?;
    for (row, why) in &imported.refused {
        println!("not taken: {row}: {why}");
    }
    if !imported.unread_columns.is_empty() {
        eprintln!(
            "Columns that were not looked at: {}.",
            imported.unread_columns.join(", ")
        );
    }
    eprintln!(
        "Taken: {} partners, {} keys. Here already: {}. Revoked as in the source: {}. Not taken: {}.",
        imported.partners,
        imported.keys,
        imported.known,
        imported.revoked,
        imported.refused.len()
    );
    Ok(())
}
