//! Webhook URLs: none may lead into the registry's own network, in any notation.
#![no_main]

use std::net::IpAddr;

use libfuzzer_sys::fuzz_target;
use myproof_registry::server::service::delivery_targets::DeliveryTargets;

fuzz_target!(|text: &str| {
    let targets = DeliveryTargets::default();
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
