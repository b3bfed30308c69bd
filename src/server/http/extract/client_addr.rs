//! The client's IP address behind proxies.

use std::net::IpAddr;

use axum::http::HeaderMap;
use ipnet::IpNet;

/// Returns the peer if it is not a trusted proxy, else the rightmost untrusted address in
/// `X-Forwarded-For`. Stops at an invalid address, since the parts left of it may be forged.
pub fn resolve(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    let is_trusted = |address: &IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer;
    if !is_trusted(&client) {
        return Some(client);
    }
    let values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    for part in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Some(address) = parse(part.trim()) else {
            break;
        };
        client = address;
        if !is_trusted(&client) {
            break;
        }
    }
    Some(client)
}

/// Parses an IP address, with or without port, with optional brackets for IPv6.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .map_or(text, |(inside, _)| inside);
    let address = bare
        .parse()
        .ok()
        .or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|a| a.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        resolve(Some(peer.parse().unwrap()), &headers, &trusted)
            .unwrap()
            .to_string()
    }

    #[test]
    fn only_trusted_peers_are_believed() {
        let proxies = &["10.0.0.0/8", "fd00::/8"];
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], proxies), "192.0.2.1");
        assert_eq!(
            client("10.0.0.1", &["198.51.100.7"], proxies),
            "198.51.100.7"
        );
        assert_eq!(
            client(
                "10.0.0.1",
                &["203.0.113.9, 198.51.100.7, 10.1.1.1"],
                proxies
            ),
            "198.51.100.7"
        );
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9", "198.51.100.7"], proxies),
            "198.51.100.7"
        );
        assert_eq!(client("10.0.0.1", &[], proxies), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["10.2.2.2"], proxies), "10.2.2.2");
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, junk, 10.2.2.2"], proxies),
            "10.2.2.2"
        );
        assert_eq!(
            client("::ffff:10.0.0.1", &["[2001:db8::1]:443"], proxies),
            "2001:db8::1"
        );
        assert_eq!(
            client("10.0.0.1", &["198.51.100.7:4711"], proxies),
            "198.51.100.7"
        );
    }
}
