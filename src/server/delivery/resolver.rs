//! DNS resolution of webhook hosts. Every address of a name is checked at each lookup, and the connection
//! goes to the checked addresses: there is no second lookup that could differ (DNS rebinding).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::server::service::delivery_targets::DeliveryTargets;

/// Reason why a name has no usable address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    #[error("the receiver's name can't be resolved")]
    Unknown,
    #[error("its address is not allowed")]
    Refused,
}

/// Addresses that a connection may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressScope {
    /// Public addresses and the allowed networks.
    Public,
    /// The allowed networks only, for plain HTTP.
    AllowedOnly,
}

/// Resolver that rejects forbidden addresses.
pub struct CheckedResolver {
    targets: Arc<DeliveryTargets>,
    scope: AddressScope,
}

impl CheckedResolver {
    pub fn new(targets: Arc<DeliveryTargets>, scope: AddressScope) -> Self {
        Self { targets, scope }
    }
}

/// Returns the addresses, unless one of them is forbidden.
fn checked(
    targets: &DeliveryTargets,
    scope: AddressScope,
    addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, NoAddress> {
    let may_be_called = |ip: IpAddr| match scope {
        AddressScope::Public => targets.admits(ip),
        AddressScope::AllowedOnly => targets.is_allowed(ip),
    };
    if addresses.is_empty() {
        return Err(NoAddress::Unknown);
    }
    if addresses.iter().all(|address| may_be_called(address.ip())) {
        Ok(addresses)
    } else {
        Err(NoAddress::Refused)
    }
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (targets, scope) = (Arc::clone(&self.targets), self.scope);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let addresses = found.map_err(|_| NoAddress::Unknown)?.collect();
            let addresses = checked(&targets, scope, addresses)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_that_may_not_be_called_refuses_the_name() {
        let open = DeliveryTargets::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (texts, scope, outcome) in [
            (
                &["1.1.1.1:0", "127.0.0.1:0"][..],
                AddressScope::Public,
                None,
            ),
            (
                &["1.1.1.1:0", "10.0.0.1:0"],
                AddressScope::Public,
                Some(NoAddress::Refused),
            ),
            (
                &["1.1.1.1:0", "127.0.0.1:0"],
                AddressScope::AllowedOnly,
                Some(NoAddress::Refused),
            ),
            (&["127.0.0.1:0"], AddressScope::AllowedOnly, None),
            (&[], AddressScope::Public, Some(NoAddress::Unknown)),
        ] {
            let checked = checked(&open, scope, addresses(texts));
            assert_eq!(checked.err(), outcome, "{texts:?}");
        }
    }
}
