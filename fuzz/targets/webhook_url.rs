//! Addresses of webhooks: none leads into the registry's own network, however it is written.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use myproof_registry::server::service::targets::Targets;

fuzz_target!(|text: &str| {
    let targets = Targets::default();
    let Ok(url) = targets.check(text) else {
        return;
    };
    assert_eq!(url.scheme(), "https");
    let host = url.host_str().unwrap_or_default();
    assert!(!host.is_empty() && host != "localhost");
    assert!(url.username().is_empty() && url.password().is_none());
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        assert!(targets.admits(address), "{address}");
        assert!(!address.is_loopback() && !address.to_canonical().is_loopback());
    }
});
