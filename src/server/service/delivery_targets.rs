//! Addresses that webhooks may call. Webhooks are called from inside the registry's network and must
//! reach nothing there (OWASP Server-Side Request Forgery Prevention Cheat Sheet, case 2).

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;
use url::{Host, Url};

/// The only IPv6 range with public addresses (IANA IPv6 Global Unicast Address Space). It excludes
/// loopback, link-local, unique local, multicast, IPv4-mapped and NAT64 addresses.
const PUBLIC_V6: &str = "2000::/3";

/// Networks that are not public, of IPv4 and of [`PUBLIC_V6`] (IANA Special-Purpose Address Registries).
static SPECIAL: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        // 6to4 contains an arbitrary IPv4 address.
        "2002::/16",
        "3fff::/20",
    ]
    .iter()
    .filter_map(|network| network.parse().ok())
    .collect()
});

/// Addresses that webhooks may call.
#[derive(Clone, Debug, Default)]
pub struct DeliveryTargets {
    allowed: Vec<IpNet>,
}

impl DeliveryTargets {
    /// Public addresses and the allowed networks.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// True if the configuration allows the address.
    pub fn is_allowed(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed
            .iter()
            .any(|network| network.contains(&address))
    }

    pub fn admits(&self, address: IpAddr) -> bool {
        is_public(address) || self.is_allowed(address)
    }

    /// Checks a webhook's URL without resolving its host name.
    pub fn check(&self, text: &str) -> Result<Url, &'static str> {
        let url = Url::parse(text)
            .map_err(|_| "must be an address such as https://hooks.example.org/path")?;
        match url.scheme() {
            "https" => {}
            "http" if !self.allowed.is_empty() => {}
            _ => return Err("must be of https"),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not name a user or a password");
        }
        if url.fragment().is_some() {
            return Err("must not have a fragment (#…)");
        }
        let literal: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err("must name a host"),
        };
        if literal.is_some_and(|address| !self.admits(address)) {
            return Err("must name a public address");
        }
        Ok(url)
    }
}

fn is_public(address: IpAddr) -> bool {
    let special = SPECIAL.iter().any(|network| network.contains(&address));
    match address {
        IpAddr::V4(_) => !special,
        IpAddr::V6(_) => {
            let public: Option<IpNet> = PUBLIC_V6.parse().ok();
            !special && public.is_some_and(|public| public.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_may_be_called() {
        assert_eq!(SPECIAL.len(), 19);
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_of_webhooks_are_checked() {
        let strict = DeliveryTargets::default();
        for fine in [
            "https://hooks.example.org/a?b=c",
            "https://1.1.1.1:8443/",
            "https://[2606:4700::1]/",
        ] {
            assert!(strict.check(fine).is_ok(), "{fine}");
        }
        for (bad, why) in [
            ("http://hooks.example.org/", "https"),
            ("ftp://hooks.example.org/", "https"),
            ("hooks.example.org", "an address"),
            ("https://", "an address"),
            ("https://user@hooks.example.org/", "user"),
            ("https://:secret@hooks.example.org/", "user"),
            ("https://hooks.example.org/#x", "fragment"),
            ("https://127.0.0.1/", "public"),
            ("https://127.1/", "public"),
            ("https://2130706433/", "public"),
            ("https://0x7f.1/", "public"),
            ("https://0177.0.0.1/", "public"),
            ("https://[::1]/", "public"),
            ("https://[::ffff:10.0.0.1]/", "public"),
            ("https://169.254.169.254/latest/meta-data", "public"),
        ] {
            let refused = strict.check(bad).unwrap_err();
            assert!(refused.contains(why), "{bad}: {refused}");
        }
        let open = DeliveryTargets::new(vec!["127.0.0.0/8".parse().unwrap()]);
        assert!(open.check("http://127.0.0.1:8080/").is_ok());
        assert!(open.check("http://10.0.0.1/").is_err());
        assert!(open.admits("::ffff:127.0.0.1".parse().unwrap()));
    }
}
