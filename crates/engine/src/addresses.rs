//! Which addresses the hub may be sent to by what somebody else writes: a project its gates, an
//! application its sources.
//!
//! Nobody must reach through the hub what only the hub's machine reaches: the link-local network, the
//! metadata service of its cloud. The decision is about addresses that are about to be connected to,
//! never about the text of a URL, so that no name, redirect or spelling leads past it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Metadata services: of most clouds, Alibaba's, Azure's platform and Oracle's.
const METADATA: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// What AWS gives an instance besides its network, its metadata service at `fd00:ec2::254` among it.
const AWS: [u16; 2] = [0xfd00, 0xec2];

/// Google's metadata service in IPv6.
const GOOGLE: Ipv6Addr = Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254);

/// An address that the hub does not go to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{address} is {why}; if it is meant, add it to {setting} in argocd-cm")]
pub struct AddressRefused {
    /// The address.
    pub address: IpAddr,
    /// What it is.
    why: String,
    /// The setting that allows it nevertheless.
    setting: &'static str,
}

/// Who says where the hub goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Namer {
    /// A project; a gate is a service, which has no business on the hub's own machine.
    Gates,
    /// An application, a set, a registration or what a server answers. Servers on this machine and
    /// its networks are common.
    Sources,
}

/// The addresses that the hub goes to where somebody else names them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Addresses {
    namer: Namer,
    allowed: Vec<IpNet>,
    refused: Vec<IpNet>,
}

impl Default for Addresses {
    /// Those of sources, where no setting says more.
    fn default() -> Self {
        Self::of_sources("", "")
    }
}

impl Addresses {
    /// The setting of the networks that gates may be in nevertheless.
    pub const GATES_ALLOWED: &str = "argosy.gates.allowed-addresses";
    /// The setting of the networks that sources may be in nevertheless.
    pub const SOURCES_ALLOWED: &str = "argosy.sources.allowed-addresses";
    /// The setting of further networks that sources may not be in.
    pub const SOURCES_REFUSED: &str = "argosy.sources.refused-addresses";

    /// All settings of this kind, in `argocd-cm`.
    pub const SETTINGS: [&str; 3] = [
        Self::GATES_ALLOWED,
        Self::SOURCES_ALLOWED,
        Self::SOURCES_REFUSED,
    ];

    /// For gates: no loopback, link-local, multicast and metadata addresses but those `allowed`.
    ///
    /// Both here and in [`Self::of_sources`] a text lists addresses and networks, such as
    /// `127.0.0.1, 10.0.0.0/8`; what is neither is passed over and is told by [`unreadable`].
    pub fn of_gates(allowed: &str) -> Self {
        Self {
            namer: Namer::Gates,
            allowed: networks(allowed).filter_map(Result::ok).collect(),
            refused: Vec::new(),
        }
    }

    /// For sources: no link-local, multicast and metadata addresses and none of those `refused`, but
    /// for those `allowed`.
    pub fn of_sources(allowed: &str, refused: &str) -> Self {
        Self {
            namer: Namer::Sources,
            allowed: networks(allowed).filter_map(Result::ok).collect(),
            refused: networks(refused).filter_map(Result::ok).collect(),
        }
    }

    /// Whether the hub may go to an address.
    ///
    /// # Errors
    /// One that is refused, or leads to one that is, and is not allowed.
    pub fn check(&self, address: IpAddr) -> Result<(), AddressRefused> {
        let address = address.to_canonical();
        if self.allows(address) {
            return Ok(());
        }
        let refused = meanings(address).find_map(|meaning| {
            let what = self.refusal(meaning).filter(|_| !self.allows(meaning))?;
            Some(match meaning {
                _ if meaning == address => what,
                other => format!("a way to {other}, {what}"),
            })
        });
        let setting = match self.namer {
            Namer::Gates => Self::GATES_ALLOWED,
            Namer::Sources => Self::SOURCES_ALLOWED,
        };
        match refused {
            Some(why) => Err(AddressRefused {
                address,
                why,
                setting,
            }),
            None => Ok(()),
        }
    }

    fn allows(&self, address: IpAddr) -> bool {
        self.allowed
            .iter()
            .any(|network| network.contains(&address))
    }

    /// What an address is that is refused, by itself.
    fn refusal(&self, address: IpAddr) -> Option<String> {
        if let Some(what) = near(address) {
            return Some(what.to_owned());
        }
        if self.namer == Namer::Gates && address.is_loopback() {
            return Some("a loopback address".to_owned());
        }
        let network = self.refused.iter().find(|one| one.contains(&address))?;
        let setting = Self::SOURCES_REFUSED;
        Some(format!("in {network}, which {setting} lists"))
    }
}

/// What of a list of networks, as the settings have it, is none.
pub fn unreadable(text: &str) -> impl Iterator<Item = &str> {
    networks(text).filter_map(Result::err)
}

fn networks(text: &str) -> impl Iterator<Item = Result<IpNet, &str>> {
    let items = text.split([',', '\n']).map(str::trim);
    items.filter(|one| !one.is_empty()).map(|one| {
        let address = || one.parse::<IpAddr>().ok().map(IpNet::from);
        let network = one.parse().ok().or_else(address);
        network.map(canonical).ok_or(one)
    })
}

/// The network in IPv4 that a network of IPv4-mapped addresses is.
fn canonical(network: IpNet) -> IpNet {
    let mapped = |v6: Ipv6Net| {
        let length = v6.prefix_len().checked_sub(96)?;
        Ipv4Net::new(v6.network().to_ipv4_mapped()?, length).ok()
    };
    match network {
        IpNet::V6(v6) => mapped(v6).map_or(network, IpNet::V4),
        IpNet::V4(_) => network,
    }
}

/// What an address is that nothing outside of the machine's surroundings has.
fn near(address: IpAddr) -> Option<&'static str> {
    let is_metadata = match address {
        IpAddr::V4(v4) => METADATA.contains(&v4),
        IpAddr::V6(v6) => v6.segments().starts_with(&AWS) || v6 == GOOGLE,
    };
    let (is_link_local, is_own, is_broadcast) = match address {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets()[0] == 0, v4.is_broadcast()),
        IpAddr::V6(v6) => (v6.is_unicast_link_local(), v6.is_unspecified(), false),
    };
    if is_metadata {
        Some("an address of a cloud's metadata service")
    } else if is_link_local {
        Some("a link-local address")
    } else if is_own {
        Some("an address that means this machine")
    } else if is_broadcast || address.is_multicast() {
        Some("an address of many machines")
    } else {
        None
    }
}

/// The address itself, and those in IPv4 to which a gateway or tunnel takes an IPv6 one.
fn meanings(address: IpAddr) -> impl Iterator<Item = IpAddr> {
    let embedded = match address {
        IpAddr::V4(_) => [None; 2],
        IpAddr::V6(v6) => embedded(v6),
    };
    let embedded = embedded.into_iter().flatten().map(IpAddr::V4);
    std::iter::once(address).chain(embedded)
}

fn embedded(address: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let v4 = |high: u16, low: u16| {
        let [first, second] = high.to_be_bytes();
        let [third, fourth] = low.to_be_bytes();
        Some(Ipv4Addr::new(first, second, third, fourth))
    };
    match address.segments() {
        // The addresses of nobody and of this machine are not in the form of older tunnels.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => [None; 2],
        // Teredo (RFC 4380): its server, and its client, which is written inverted.
        [0x2001, 0, high, low, _, _, first, second] => [v4(high, low), v4(!first, !second)],
        // NAT64 of a site (RFC 8215), which splits the address around a byte of nothing or ends in it.
        [0x64, 0xff9b, 1, high, middle, last, 0, 0] => {
            [v4(high, (middle << 8) | (last >> 8)), None]
        }
        // That, NAT64 (RFC 6052), translation (RFC 2765), older tunnels (RFC 4291), ISATAP (RFC 5214)
        // and 6to4 (RFC 3056).
        [0x64, 0xff9b, 1, _, _, _, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0, 0, 0, 0, 0 | 0xffff, 0, high, low]
        | [_, _, _, _, 0 | 0x200, 0x5efe, high, low]
        | [0x2002, high, low, ..] => [v4(high, low), None],
        _ => [None; 2],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// What only the hub's machine reaches, loopback apart.
    const NEAR: [&str; 18] = [
        "0.0.0.0",
        "169.254.169.254",
        "169.254.170.23",
        "169.254.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "::a9fe:a9fe",
    ];

    const LOOPBACK: [&str; 6] = [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ];

    const ELSEWHERE: [&str; 7] = [
        "10.96.0.7",
        "192.168.1.2",
        "203.0.113.9",
        "2001:db8::1",
        "fd12::1",
        "64:ff9b::cb00:7109",
        "64:ff9b:1::cb00:7109",
    ];

    /// CVE-2026-44936, CVE-2026-32828.
    #[test]
    fn what_only_the_hub_reaches_is_refused_in_each_spelling() {
        let (gates, sources) = (Addresses::of_gates(""), Addresses::default());
        for near in NEAR {
            assert!(gates.check(address(near)).is_err(), "{near}");
            assert!(sources.check(address(near)).is_err(), "{near}");
        }
        for own in LOOPBACK {
            assert!(gates.check(address(own)).is_err(), "{own}");
            assert_eq!(sources.check(address(own)), Ok(()), "{own}");
        }
        for far in ELSEWHERE {
            assert_eq!(gates.check(address(far)), Ok(()), "{far}");
            assert_eq!(sources.check(address(far)), Ok(()), "{far}");
        }
    }

    #[test]
    fn an_administrator_allows_addresses_and_networks() {
        let gates = Addresses::of_gates("127.0.0.0/8, ::1\nnonsense");
        for own in ["127.0.0.1", "::ffff:127.0.0.1", "::1", "64:ff9b::7f00:1"] {
            assert_eq!(gates.check(address(own)), Ok(()), "{own}");
        }
        assert!(gates.check(address("169.254.169.254")).is_err());
        let sources = Addresses::of_sources("169.254.20.0/24, 10.0.0.7", "10.0.0.0/8");
        assert_eq!(sources.check(address("169.254.20.9")), Ok(()));
        assert_eq!(sources.check(address("10.0.0.7")), Ok(()));
        assert!(sources.check(address("10.0.0.8")).is_err());
        let unreadable: Vec<_> = unreadable("10.0.0.0/8,, 10.0.0.0/33\nten").collect();
        assert_eq!(unreadable, ["10.0.0.0/33", "ten"]);
    }

    #[test]
    fn an_error_says_which_address_why_and_what_allows_it() {
        let sources = Addresses::of_sources("", "::ffff:10.0.0.0/104");
        let told = |text: &str| sources.check(address(text)).unwrap_err().to_string();
        assert_eq!(
            told("::ffff:169.254.169.254"),
            "169.254.169.254 is an address of a cloud's metadata service; if it is meant, add it to \
             argosy.sources.allowed-addresses in argocd-cm"
        );
        assert_eq!(
            told("64:ff9b::a9fe:1"),
            "64:ff9b::a9fe:1 is a way to 169.254.0.1, a link-local address; if it is meant, add it \
             to argosy.sources.allowed-addresses in argocd-cm"
        );
        assert!(told("10.1.2.3").contains("in 10.0.0.0/8, which argosy.sources.refused-addresses"));
    }

    /// The ways to write an IPv4 address as one that a gateway or tunnel takes to it.
    fn spellings(v4: Ipv4Addr) -> [Ipv6Addr; 9] {
        let [a, b, c, d] = v4.octets().map(u16::from);
        let (high, low) = ((a << 8) | b, (c << 8) | d);
        [
            v4.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, high, c, d << 8, 0, 0),
            Ipv6Addr::new(0x2002, high, low, 7, 7, 7, 7, 7),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x2001, 0, 0xcb00, 0x7109, 0, 0, !high, !low),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 0),
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0x200, 0x5efe, high, low),
        ]
    }

    proptest! {
        /// No spelling of an address leads where the address itself does not.
        #[test]
        fn no_spelling_gets_past(octets in any::<[u8; 4]>(), length in 1_u8..=32, at in any::<bool>()) {
            let v4 = Ipv4Addr::from(octets);
            let network = Ipv4Net::new(v4, length).unwrap().trunc().to_string();
            let refused = if at { network.as_str() } else { "" };
            for addresses in [Addresses::of_sources("", refused), Addresses::of_gates("")] {
                let is_refused = addresses.check(v4.into()).is_err();
                for spelling in spellings(v4) {
                    let spelt = addresses.check(spelling.into()).is_err();
                    prop_assert!(!is_refused || spelt, "{spelling}");
                }
            }
        }

        /// What is allowed is reached by its own name, whatever else is said of it.
        #[test]
        fn what_is_allowed_is_reached(octets in any::<[u8; 4]>()) {
            let v4 = Ipv4Addr::from(octets);
            let addresses = Addresses::of_sources(&v4.to_string(), "0.0.0.0/0");
            prop_assert_eq!(addresses.check(v4.into()), Ok(()));
            prop_assert_eq!(addresses.check(v4.to_ipv6_mapped().into()), Ok(()));
        }
    }
}
