//! `pack`: a copy of this program that holds the browser's files.

use std::path::PathBuf;

use clap::Args;

use crate::server::package;

/// What is packed.
#[derive(Args)]
pub struct PackArgs {
    /// The folder with the browser's files, as `make build` leaves it.
    #[arg(long, default_value = "target/site")]
    site: PathBuf,
    /// The file to write.
    #[arg(long)]
    output: PathBuf,
}

/// Writes it.
pub fn run(args: &PackArgs) -> Result<(), String> {
    let program = std::env::current_exe()
        .map_err(|error| format!("the program's own file can't be found: {error}"))?;
    package::pack(&program, &args.site, &args.output).map_err(|error| {
        format!(
            "{} can't be written from {}: {error}",
            args.output.display(),
            args.site.display()
        )
    })?;
    eprintln!("Wrote {}.", args.output.display());
    Ok(())
}
