//! Configuration, from the environment alone. A bad value stops the start with one line that names
//! the variable, the fault and the allowed form, and never a secret's value.

pub mod notices;
pub mod plain;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use sqlx::postgres::PgConnectOptions;
use zeroize::Zeroizing;

use super::crypto::pepper::MIN_PEPPER_BYTES;
use super::service::IssuingPolicy;

/// Where the development cluster's scripts leave its URL and pepper, from the project's folder.
const DEVELOPMENT_DATA: &str = ".data";

/// A fault of the configuration, in one line.
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

/// Where settings come from: the process's environment, or a test's own.
pub struct Source(Box<Lookup>);

type Lookup = dyn Fn(&str) -> Option<String>;

impl Source {
    /// The process's environment; in development completed by `.env` and by what the development
    /// cluster's scripts left in `.data/`.
    ///
    /// # Errors
    /// An `.env` that can't be read.
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

    /// Settings by a function.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + 'static) -> Self {
        Self(Box::new(lookup))
    }

    /// A setting; an empty one counts as absent.
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }
}

/// Which rules apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// Everything must be set, and well.
    Production,
    /// A developer's machine: the private cluster, plain HTTP.
    Development,
}

impl AppEnv {
    /// Reads `APP_ENV`.
    ///
    /// # Errors
    /// Neither `production` nor `development`.
    pub fn read(source: &Source) -> Result<Self, ConfigError> {
        match source.get("APP_ENV").as_deref() {
            None | Some("production") => Ok(Self::Production),
            Some("development") => Ok(Self::Development),
            Some(_) => fault("APP_ENV", "must be production or development"),
        }
    }
}

/// Whether a database is named at all.
#[must_use]
pub fn names_database(source: &Source) -> bool {
    source.get("DATABASE_URL").is_some()
}

/// `DATABASE_URL`.
///
/// # Errors
/// Missing, or no URL of PostgreSQL. The value is never shown: it may hold a password.
pub fn database(source: &Source) -> Result<PgConnectOptions, ConfigError> {
    const VARIABLE: &str = "DATABASE_URL";
    let Some(url) = source.get(VARIABLE) else {
        return fault(
            VARIABLE,
            "is missing: set it to postgres://USER:PASSWORD@HOST/DATABASE",
        );
    };
    match postgres(&url) {
        Some(options) => Ok(options),
        None => fault(
            VARIABLE,
            "must be of the form postgres://USER:PASSWORD@HOST/DATABASE",
        ),
    }
}

/// The database that an address names; `None` for one of another kind.
#[must_use]
pub fn postgres(url: &str) -> Option<PgConnectOptions> {
    let is_postgres = url.starts_with("postgres://") || url.starts_with("postgresql://");
    url.parse().ok().filter(|_| is_postgres)
}

/// `APIKEY_PEPPER` and `APIKEY_PEPPER_RETIRED`.
#[derive(Debug)]
pub struct PepperConfig {
    /// The pepper that new keys are made under.
    pub current: Zeroizing<String>,
    /// Peppers that are also accepted.
    pub retired: Vec<Zeroizing<String>>,
    /// What is worth a line in the log, but no reason to stop.
    pub warnings: Vec<String>,
}

/// Reads the peppers.
///
/// # Errors
/// In production: missing, short, or the sample.
pub fn peppers(source: &Source) -> Result<PepperConfig, ConfigError> {
    const VARIABLE: &str = "APIKEY_PEPPER";
    let Some(current) = source.get(VARIABLE).map(Zeroizing::new) else {
        return fault(
            VARIABLE,
            "is missing: set it to a random value, such as `openssl rand -hex 32` prints (`make run` keeps one in .data/pepper for development)",
        );
    };
    let weakness = if is_sample(&current) {
        Some(
            "is a sample value: set it to a random one, such as `openssl rand -hex 32` prints"
                .to_owned(),
        )
    } else if current.len() < MIN_PEPPER_BYTES {
        Some(format!(
            "is too short ({} bytes): it must have at least {MIN_PEPPER_BYTES}",
            current.len()
        ))
    } else {
        None
    };
    let mut warnings = Vec::new();
    if let Some(weakness) = weakness {
        if AppEnv::read(source)? == AppEnv::Production {
            return fault(VARIABLE, weakness);
        }
        warnings.push(format!("{VARIABLE} {weakness}"));
    }
    let listed = Zeroizing::new(source.get("APIKEY_PEPPER_RETIRED").unwrap_or_default());
    let retired: Vec<Zeroizing<String>> = listed
        .split(',')
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(|value| Zeroizing::new(value.to_owned()))
        .collect();
    let short = retired
        .iter()
        .filter(|value| value.len() < MIN_PEPPER_BYTES)
        .count();
    if short > 0 {
        warnings.push(format!(
            "APIKEY_PEPPER_RETIRED holds {short} value(s) shorter than {MIN_PEPPER_BYTES} bytes"
        ));
    }
    Ok(PepperConfig {
        current,
        retired,
        warnings,
    })
}

/// Values that were copied from documentation rather than drawn: words of samples, or a value of
/// so few different characters that nobody can have drawn it.
fn is_sample(pepper: &str) -> bool {
    const WORDS: [&str; 7] = [
        "change-this",
        "changeme",
        "change-me",
        "replace-me",
        "replace-with",
        "example",
        "sample",
    ];
    let lower = pepper.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    let looks_long = pepper.len() >= MIN_PEPPER_BYTES;
    WORDS.iter().any(|word| lower.contains(word)) || (looks_long && distinct.len() < 6)
}

/// `APIKEY_ID_PREFIX` and `APIKEY_SECRET_BYTES`.
///
/// # Errors
/// A value outside its form.
pub fn issuing(source: &Source) -> Result<IssuingPolicy, ConfigError> {
    let mut policy = IssuingPolicy::default();
    if let Some(prefix) = source.get("APIKEY_ID_PREFIX") {
        let word = prefix.strip_suffix('_').unwrap_or_default();
        let fine = (2..=15).contains(&word.len())
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if !fine {
            return fault(
                "APIKEY_ID_PREFIX",
                "must be 2 to 15 lowercase letters or digits and an underscore",
            );
        }
        policy.id_prefix = prefix;
    }
    if let Some(bytes) = source.get("APIKEY_SECRET_BYTES") {
        match bytes.parse() {
            Ok(bytes @ 16..=64) => policy.secret_bytes = bytes,
            _ => {
                return fault(
                    "APIKEY_SECRET_BYTES",
                    "must be a whole number from 16 to 64",
                );
            }
        }
    }
    Ok(policy)
}

/// What `serve` needs beyond the database and the peppers.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Which rules apply.
    pub env: AppEnv,
    /// `LEPTOS_SITE_ADDR`; port 0 takes a free one.
    pub address: SocketAddr,
    /// `METRICS_ADDR`; `None` where it is `off`. Port 0 takes a free one.
    pub metrics: Option<SocketAddr>,
    /// `LEPTOS_SITE_ROOT`: the folder with the browser's files, unless the binary has them embedded.
    pub site_root: PathBuf,
    /// `PUBLIC_URL`'s origin; `None` in development where the address decides.
    pub public_origin: Option<String>,
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpNet>,
    /// `APIKEY_OUTAGE_SECONDS`.
    pub outage: Duration,
    /// `SHUTDOWN_DELAY_SECONDS`.
    pub shutdown_delay: Duration,
}

/// Reads what `serve` needs.
///
/// # Errors
/// A value that is missing or outside its form.
pub fn serve(source: &Source) -> Result<ServeConfig, ConfigError> {
    let env = AppEnv::read(source)?;
    let address = source
        .get("LEPTOS_SITE_ADDR")
        .unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let Ok(address) = address.parse() else {
        return fault(
            "LEPTOS_SITE_ADDR",
            "must be an address and a port such as 127.0.0.1:3000",
        );
    };
    let metrics = source
        .get("METRICS_ADDR")
        .unwrap_or_else(|| "127.0.0.1:9464".to_owned());
    let metrics = match (metrics.as_str(), metrics.parse()) {
        ("off", _) => None,
        (_, Ok(address)) => Some(address),
        (_, Err(_)) => {
            return fault(
                "METRICS_ADDR",
                "must be an address and a port such as 127.0.0.1:9464, or off",
            );
        }
    };
    let site_root = source
        .get("LEPTOS_SITE_ROOT")
        .unwrap_or_else(|| "target/site".to_owned());
    let public_origin = source
        .get("PUBLIC_URL")
        .map(|url| origin(&url, env))
        .transpose()?;
    if public_origin.is_none() && env == AppEnv::Production {
        return fault(
            "PUBLIC_URL",
            "is missing: set it to where users reach the console, such as https://registry.example.org",
        );
    }
    let trusted_proxies = networks(source, "TRUSTED_PROXIES")?;
    Ok(ServeConfig {
        env,
        address,
        metrics,
        site_root: site_root.into(),
        public_origin,
        trusted_proxies,
        outage: Duration::from_secs(number(source, "APIKEY_OUTAGE_SECONDS", 0..=300)?.unwrap_or(0)),
        shutdown_delay: Duration::from_secs(
            number(source, "SHUTDOWN_DELAY_SECONDS", 0..=60)?.unwrap_or(0),
        ),
    })
}

/// `APIKEY_HASH_THREADS`: runs of Argon2id for keys at once; the cores by default.
///
/// # Errors
/// A value outside its form.
pub fn hashing(source: &Source) -> Result<usize, ConfigError> {
    let threads = number(source, "APIKEY_HASH_THREADS", 1..=64)?;
    Ok(threads.map_or_else(cores, |threads| usize::try_from(threads).unwrap_or(1)))
}

/// The cores of this machine.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
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

/// Networks, separated by commas; a single address is one.
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

/// The origin of a URL (RFC 6454 §4): scheme, host and port, in lower case, a default port left out.
fn origin(url: &str, env: AppEnv) -> Result<String, ConfigError> {
    const VARIABLE: &str = "PUBLIC_URL";
    const FORM: &str = "must be of the form https://HOST or https://HOST:PORT, without a path";
    let Ok(uri) = url.trim().parse::<axum::http::Uri>() else {
        return fault(VARIABLE, FORM);
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return fault(VARIABLE, FORM);
    };
    let bare = uri.path_and_query().is_none_or(|path| path.as_str() == "/")
        && !authority.as_str().contains('@');
    let default_port = match scheme {
        "https" => 443,
        "http" if env == AppEnv::Development => 80,
        "http" => return fault(VARIABLE, "must be https in production"),
        _ => return fault(VARIABLE, FORM),
    };
    if !bare || authority.host().is_empty() {
        return fault(VARIABLE, FORM);
    }
    let host = authority.host().to_lowercase();
    Ok(match authority.port_u16() {
        Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
        _ => format!("{scheme}://{host}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(pairs: &[(&'static str, &'static str)]) -> Source {
        let pairs = pairs.to_vec();
        Source::new(move |name| {
            pairs
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    const PEPPER: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn production_wants_a_pepper_of_substance_and_says_what_is_wrong() {
        for (pairs, said) in [
            (&[][..], "is missing"),
            (&[("APIKEY_PEPPER", "")], "is missing"),
            (
                &[("APIKEY_PEPPER", "0123456789abcdef0123456789abcde")],
                "too short (31 bytes)",
            ),
            (&[("APIKEY_PEPPER", "change-this-pepper-now")], "sample"),
            (
                &[(
                    "APIKEY_PEPPER",
                    "replace-me-with-64-hex-digits-of-openssl-rand-hex-32",
                )],
                "sample",
            ),
            (
                &[("APIKEY_PEPPER", "00000000000000000000000000000000")],
                "sample",
            ),
        ] {
            let error = peppers(&source(pairs)).unwrap_err().to_string();
            assert!(
                error.starts_with("APIKEY_PEPPER ") && error.contains(said),
                "{error}"
            );
        }
        assert!(
            peppers(&source(&[("APIKEY_PEPPER", PEPPER)]))
                .unwrap()
                .warnings
                .is_empty()
        );
        let weak = source(&[
            ("APP_ENV", "development"),
            ("APIKEY_PEPPER", "change-this-pepper-now"),
        ]);
        assert_eq!(peppers(&weak).unwrap().warnings.len(), 1);
    }

    #[test]
    fn a_short_retired_pepper_only_warns() {
        let config = peppers(&source(&[
            ("APIKEY_PEPPER", PEPPER),
            ("APIKEY_PEPPER_RETIRED", "short, , other"),
        ]))
        .unwrap();
        assert_eq!(config.retired.len(), 2);
        assert_eq!(config.warnings.len(), 1);
        assert!(!config.warnings[0].contains("other"));
    }

    #[test]
    fn database_url_is_wanted_and_never_shown() {
        assert!(database(&source(&[])).is_err());
        for url in [
            "mysql://u:hunter2@h/d",
            "postgres//u:hunter2@h/d",
            "u:hunter2",
        ] {
            let url: &'static str = url;
            let error = database(&source(&[("DATABASE_URL", url)]))
                .unwrap_err()
                .to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(
            database(&source(&[(
                "DATABASE_URL",
                "postgres://u@localhost/d?host=/tmp/x"
            )]))
            .is_ok()
        );
    }

    #[test]
    fn forms_of_what_is_issued() {
        assert_eq!(issuing(&source(&[])).unwrap(), IssuingPolicy::default());
        for prefix in ["mpk", "m_", "MPK_", "mpk__", "mp-k_", "abcdefghijklmnop_"] {
            assert!(
                issuing(&source(&[("APIKEY_ID_PREFIX", prefix)])).is_err(),
                "{prefix}"
            );
        }
        for (bytes, fine) in [
            ("15", false),
            ("16", true),
            ("64", true),
            ("65", false),
            ("x", false),
        ] {
            assert_eq!(
                issuing(&source(&[("APIKEY_SECRET_BYTES", bytes)])).is_ok(),
                fine,
                "{bytes}"
            );
        }
    }

    #[test]
    fn public_urls_become_origins() {
        let read = |env, url| {
            serve(&source(&[("APP_ENV", env), ("PUBLIC_URL", url)])).map(|c| c.public_origin)
        };
        assert_eq!(
            read("production", "https://R.example.org:443/")
                .unwrap()
                .unwrap(),
            "https://r.example.org"
        );
        assert_eq!(
            read("production", "https://r.example.org:8443")
                .unwrap()
                .unwrap(),
            "https://r.example.org:8443"
        );
        assert_eq!(
            read("development", "http://localhost:3000")
                .unwrap()
                .unwrap(),
            "http://localhost:3000"
        );
        for url in [
            "http://r.example.org",
            "https://r.example.org/app",
            "https://",
            "r.example.org",
            "https://a@b",
            "",
        ] {
            assert!(read("production", url).is_err(), "{url}");
        }
    }

    #[test]
    fn proxies_are_networks_or_addresses() {
        let read = |list| {
            serve(&source(&[
                ("APP_ENV", "development"),
                ("TRUSTED_PROXIES", list),
            ]))
        };
        assert_eq!(
            read("10.0.0.0/8, ::1,192.0.2.7")
                .unwrap()
                .trusted_proxies
                .len(),
            3
        );
        assert!(read("10.0.0.0/33").is_err());
    }
}
