//! Names of receivers. Every address that a name has is judged each time it is asked for, and the
//! connection goes to those that were judged: there is no second look-up that could say otherwise.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::server::service::targets::Targets;

/// Why a name gives no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAddress {
    /// Nobody knows it.
    #[error("the receiver's name can't be resolved")]
    Unknown,
    /// One of its addresses may not be called.
    #[error("its address is not allowed")]
    Refused,
}

/// Which addresses a connection may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Public ones, and those of the allowed networks.
    Admitted,
    /// Those of the allowed networks alone: over plain HTTP.
    AllowedOnly,
}

/// Looks names up.
pub struct Judge {
    targets: Arc<Targets>,
    reach: Reach,
}

impl Judge {
    /// A judge of this reach.
    #[must_use]
    pub fn new(targets: Arc<Targets>, reach: Reach) -> Self {
        Self { targets, reach }
    }
}

/// The addresses, unless one of them may not be called.
fn judged(
    targets: &Targets,
    reach: Reach,
    addresses: Vec<SocketAddr>,
) -> Result<Vec<SocketAddr>, NoAddress> {
    let may_be_called = |ip: IpAddr| match reach {
        Reach::Admitted => targets.admits(ip),
        Reach::AllowedOnly => targets.is_allowed(ip),
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

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let (targets, reach) = (Arc::clone(&self.targets), self.reach);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await;
            let addresses = found.map_err(|_| NoAddress::Unknown)?.collect();
            let addresses = judged(&targets, reach, addresses)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_that_may_not_be_called_refuses_the_name() {
        let open = Targets::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        for (texts, reach, outcome) in [
            (&["1.1.1.1:0", "127.0.0.1:0"][..], Reach::Admitted, None),
            (
                &["1.1.1.1:0", "10.0.0.1:0"],
                Reach::Admitted,
                Some(NoAddress::Refused),
            ),
            (
                &["1.1.1.1:0", "127.0.0.1:0"],
                Reach::AllowedOnly,
                Some(NoAddress::Refused),
            ),
            (&["127.0.0.1:0"], Reach::AllowedOnly, None),
            (&[], Reach::Admitted, Some(NoAddress::Unknown)),
        ] {
            let judged = judged(&open, reach, addresses(texts));
            assert_eq!(judged.err(), outcome, "{texts:?}");
        }
    }
}
