//! Which addresses the hub may be sent to by what stands in a project.
//!
//! Whoever may write a project must not reach through the hub what only the hub's machine reaches:
//! its own loopback, the link-local network, the metadata service of its cloud.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Alibaba's metadata service, which lies in no reserved network.
const METADATA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// AWS's metadata service in IPv6.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// An address that the hub does not go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is a loopback, link-local or metadata address; if it is meant, add it to \
     argosy.gates.allowed-addresses in argocd-cm"
)]
pub struct AddressRefused(pub IpAddr);

/// The networks that are permitted although they would be refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permitted(Vec<IpNet>);

impl Permitted {
    /// Reads addresses and networks such as `127.0.0.1, 10.0.0.0/8`; what is neither permits nothing.
    pub fn parse(text: &str) -> Self {
        let networks = text.split([',', '\n']).map(str::trim).filter_map(|one| {
            let address = || one.parse::<IpAddr>().ok().map(IpNet::from);
            one.parse().ok().or_else(address)
        });
        Self(networks.collect())
    }

    /// Whether the hub may go to an address.
    ///
    /// # Errors
    /// An address of this machine, its network or its cloud's metadata that is not permitted.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressRefused> {
        let address = address.to_canonical();
        let is_permitted = self.0.iter().any(|network| network.contains(&address));
        if is_permitted || !is_near(address) {
            Ok(())
        } else {
            Err(AddressRefused(address))
        }
    }
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_near_v4(v4),
        IpAddr::V6(v6) => {
            let inner = embedded(v6).is_some_and(is_near_v4);
            let is_own = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
            is_own || v6.is_unicast_link_local() || v6 == METADATA_V6 || inner
        }
    }
}

fn is_near_v4(address: Ipv4Addr) -> bool {
    address.is_loopback()
        || address.octets()[0] == 0
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address == METADATA
}

/// The IPv4 address to which NAT64 or 6to4 takes an IPv6 one.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let [first, second] = high.to_be_bytes();
        let [third, fourth] = low.to_be_bytes();
        Ipv4Addr::new(first, second, third, fourth)
    };
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuses(permitted: &str, address: &str) -> bool {
        let permitted = Permitted::parse(permitted);
        permitted.check(address.parse().unwrap()).is_err()
    }

    #[test]
    fn what_only_the_hub_reaches_is_refused_in_each_spelling() {
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "169.254.169.254",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
        ] {
            assert!(refuses("", address), "{address}");
        }
        for address in [
            "10.96.0.7",
            "192.168.1.2",
            "203.0.113.9",
            "2001:db8::1",
            "fd12::1",
        ] {
            assert!(!refuses("", address), "{address}");
        }
    }

    #[test]
    fn an_administrator_permits_addresses_and_networks() {
        let permitted = "127.0.0.0/8, ::1\nnonsense";
        assert!(!refuses(permitted, "127.0.0.1"));
        assert!(!refuses(permitted, "::ffff:127.0.0.1"));
        assert!(!refuses(permitted, "::1"));
        assert!(refuses(permitted, "169.254.169.254"));
    }
}
