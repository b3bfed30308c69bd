//! Addresses, public URL, proxies and timings of `serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{AppEnv, ConfigError, Source, fault, networks, number};

/// Configuration of `serve` besides the database, the peppers and notifications.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    pub env: AppEnv,
    /// `LEPTOS_SITE_ADDR`; port 0 picks a free port.
    pub address: SocketAddr,
    /// `METRICS_ADDR`; `None` if it is `off`. Port 0 picks a free port.
    pub metrics: Option<SocketAddr>,
    /// `LEPTOS_SITE_ROOT`: the folder with the browser's files, unless the binary has them embedded.
    pub site_root: PathBuf,
    /// `PUBLIC_URL`'s origin; `None` in development if it is not set.
    pub public_origin: Option<String>,
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpNet>,
    /// `APIKEY_OUTAGE_SECONDS`.
    pub outage: Duration,
    /// `SHUTDOWN_DELAY_SECONDS`.
    pub shutdown_delay: Duration,
}

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

/// Origin of a URL (RFC 6454 §4): scheme, host and port in lower case, without a default port.
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
    use super::super::test_source as source;
    use super::*;

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
