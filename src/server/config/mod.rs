//! Configuration from the environment. An invalid value stops the start with one line that names the
//! variable, the error and the allowed form, but never a secret's value.

mod database;
mod issuing;
pub mod notifications;
mod pepper;
pub mod plain;
mod serve;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use ipnet::IpNet;

pub use self::database::{database, names_database, postgres};
pub use self::issuing::{cores, hashing, issuing};
pub use self::pepper::{PepperConfig, peppers};
pub use self::serve::{ServeConfig, serve};

/// Folder in which the development cluster's scripts store its URL and pepper.
const DEVELOPMENT_DATA: &str = ".data";

/// An invalid setting, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {fault}")]
pub struct ConfigError {
    variable: &'static str,
    fault: String,
}

fn fault<T>(variable: &'static str, fault: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError {
        variable,
        fault: fault.into(),
    })
}

/// Source of settings: the process's environment, or that of a test.
pub struct Source(Box<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String>;

impl Source {
    /// The process's environment; in development completed by `.env` and by the files of the development
    /// cluster in `.data/`.
    pub fn process() -> Result<Self, ConfigError> {
        let environment = Self::new(|name| std::env::var(name).ok());
        if AppEnv::read(&environment)? == AppEnv::Production {
            return Ok(environment);
        }
        match dotenvy::dotenv() {
            Ok(_) => {}
            Err(error) if error.not_found() => {}
            Err(_) => {
                return fault(
                    ".env",
                    "can't be read: it holds lines of the form NAME=value",
                );
            }
        }
        Ok(Self::new(|name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.is_empty())
                .or_else(|| {
                    let file = match name {
                        "DATABASE_URL" => "url",
                        "APIKEY_PEPPER" => "pepper",
                        _ => return None,
                    };
                    let text =
                        std::fs::read_to_string(PathBuf::from(DEVELOPMENT_DATA).join(file)).ok()?;
                    Some(text.trim_end().to_owned())
                })
        }))
    }

    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self(Box::new(lookup))
    }

    /// Returns a setting. Empty counts as absent.
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

/// Strictness of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    Production,
    /// A developer's machine, with a private database cluster and plain HTTP.
    Development,
}

impl AppEnv {
    /// Reads `APP_ENV`.
    pub fn read(source: &Source) -> Result<Self, ConfigError> {
        match source.get("APP_ENV").as_deref() {
            None | Some("production") => Ok(Self::Production),
            Some("development") => Ok(Self::Development),
            Some(_) => fault("APP_ENV", "must be production or development"),
        }
    }
}

fn number(
    source: &Source,
    variable: &'static str,
    allowed: RangeInclusive<u64>,
) -> Result<Option<u64>, ConfigError> {
    let Some(text) = source.get(variable) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(value) if allowed.contains(&value) => Ok(Some(value)),
        _ => fault(
            variable,
            format!(
                "must be a whole number from {} to {}",
                allowed.start(),
                allowed.end()
            ),
        ),
    }
}

/// Reads networks or addresses separated by commas.
fn networks(source: &Source, variable: &'static str) -> Result<Vec<IpNet>, ConfigError> {
    let listed = source.get(variable).unwrap_or_default();
    let parts = listed
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let network = |text: &str| {
        let network = text.parse::<IpNet>().ok();
        network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
    };
    match parts.map(network).collect() {
        Some(networks) => Ok(networks),
        None => fault(
            variable,
            "must be CIDRs separated by commas, such as 10.0.0.0/8,192.0.2.7/32",
        ),
    }
}

#[cfg(test)]
fn test_source(pairs: &[(&'static str, &'static str)]) -> Source {
    let pairs = pairs.to_vec();
    Source::new(move |name| {
        pairs
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| (*v).to_owned())
    })
}
