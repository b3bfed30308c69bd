//! `sample`: sample partners and keys for development and benchmarks.

use std::time::Instant;

use clap::Args;

use super::{error_line, issuing_services};
use crate::server::config::{AppEnv, Source};
use crate::server::service::sample::SampleSize;

#[derive(Args)]
pub struct SampleArgs {
    /// Partners to add.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    partners: u32,
    /// Keys to add.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    keys: u32,
    /// Random seed: the same seed generates the same names and dates.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Adds the sample and prints one key's token on standard output.
pub async fn run(source: &Source, args: SampleArgs) -> Result<(), String> {
    if AppEnv::read(source).map_err(|error| error.to_string())? == AppEnv::Production {
        return Err(
            "sample keys are for development: all of them share one secret; set APP_ENV=development"
                .to_owned(),
        );
    }
    let services = issuing_services(source).await?;
    let size = SampleSize {
        partners: args.partners as usize,
        keys: args.keys as usize,
        seed: args.seed,
    };
    let begun = Instant::now();
    let token = services.keys.add_sample(size).await.map_err(error_line)?;
    eprintln!(
        "Added {} keys of {} partners in {} s. All share one secret; the newest one's token:",
        args.keys,
        args.partners,
        begun.elapsed().as_secs()
    );
    println!("{}", &*token);
    Ok(())
}
