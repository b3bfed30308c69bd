//! `import`: partners and keys of the earlier Node version.

use clap::Args;

use super::{audit_context, current, error_line, plain_services};
use crate::server::config::{self, Source};
use crate::server::service::import::{AdminKeys, ImportError};

#[derive(Args)]
pub struct ImportArgs {
    /// Source database: postgres://USER:PASSWORD@HOST/DATABASE. It is not modified.
    #[arg(long, value_name = "URL")]
    from: String,
    /// Also import keys with the scope admin:*.
    #[arg(long)]
    allow_admin: bool,
}

/// Runs the import. Prints a line on standard output for each row that was not imported.
pub async fn run(source: &Source, args: ImportArgs) -> Result<(), String> {
    let from = config::postgres(&args.from)
        .ok_or("--from must be of the form postgres://USER:PASSWORD@HOST/DATABASE")?;
    let services = current(plain_services(source)?).await?;
    let admin_keys = match args.allow_admin {
        true => AdminKeys::Import,
        false => AdminKeys::Skip,
    };
    let imported = services
        .import_node_pack(&audit_context(), from, admin_keys)
        .await
        .map_err(|error| match error {
            ImportError::Registry(error) => error_line(error),
            source => source.to_string(),
        })?;
    for (row, why) in &imported.refused {
        println!("skipped: {row}: {why}");
    }
    if !imported.unread_columns.is_empty() {
        eprintln!("Ignored columns: {}.", imported.unread_columns.join(", "));
    }
    eprintln!(
        "Imported: {} partners, {} keys. Already present: {}. Revoked: {}. Skipped: {}.",
        imported.partners,
        imported.keys,
        imported.known,
        imported.revoked,
        imported.refused.len()
    );
    Ok(())
}
