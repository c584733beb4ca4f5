//! What the `http-request` runner may reach: the guard against requests to the inside of the network that it runs in.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use url::{Host, Url};

/// What the `http-request` runner may reach. Public addresses always; by default nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpPolicy {
    /// Also private and loopback addresses. Link-local ones, among them those where clouds hand out credentials, still need to be named in
    /// `allowed_hosts`.
    pub allow_private: bool,
    /// Hosts that are reached whatever their address is: names or addresses, as they stand in the URL, without port.
    pub allowed_hosts: Vec<String>,
}

/// A host or address that the policy doesn't allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    host: String,
    kind: AddressKind,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            AddressKind::Private => "a private address",
            _ => "a link-local or reserved address",
        };
        write!(f, "{} is {kind}, which http-request must not reach; the operator may allow the host", self.host)
    }
}

impl std::error::Error for Refused {}

/// How far an address is from the public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressKind {
    Public,
    /// Loopback, private networks, carrier-grade NAT, unique local.
    Private,
    /// Link-local and the addresses of metadata services, multicast, unspecified, reserved.
    Forbidden,
}

impl HttpPolicy {
    /// Is the host of this URL allowed, as far as the URL tells? Names are checked again when they are resolved.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Refused> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.check_address(host_of(url), address)
    }

    /// Is this address, which `host` has, allowed?
    pub(crate) fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        match kind(address) {
            AddressKind::Public => Ok(()),
            AddressKind::Private if self.allow_private => Ok(()),
            _ if self.names(host) => Ok(()),
            kind => Err(Refused { host: host.to_owned(), kind }),
        }
    }

    fn names(&self, host: &str) -> bool {
        is_listed(host, self.allowed_hosts.iter().map(String::as_str))
    }
}

/// The host without the brackets of an IPv6 address.
pub(crate) fn host_of(url: &Url) -> &str {
    bare(url.host_str().unwrap_or_default())
}

/// Is a host, as the URL has it, in a list that people wrote?
pub(crate) fn is_listed<'a>(host: &str, mut list: impl Iterator<Item = &'a str>) -> bool {
    list.any(|listed| bare(listed).eq_ignore_ascii_case(bare(host)))
}

/// Without brackets, and without the dot that ends a full name.
fn bare(host: &str) -> &str {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host)
}

fn kind(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) => kind_v4(address),
        IpAddr::V6(address) => embedded(address).map_or_else(|| kind_v6(address), kind_v4),
    }
}

fn kind_v4(address: Ipv4Addr) -> AddressKind {
    match address.octets() {
        // The metadata services of Alibaba Cloud and Azure hide among other addresses.
        [100, 100, 100, 200] | [168, 63, 129, 16] => AddressKind::Forbidden,
        [10 | 127, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => AddressKind::Private,
        [0, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] => AddressKind::Forbidden,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] | [224..=255, ..] => AddressKind::Forbidden,
        _ => AddressKind::Public,
    }
}

fn kind_v6(address: Ipv6Addr) -> AddressKind {
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressKind::Private,
        // Amazon's metadata, time and name services.
        [0xfd00, 0xec2, ..] => AddressKind::Forbidden,
        [0xfc00..=0xfdff, ..] => AddressKind::Private,
        // Teredo, documentation, discard, local NAT64 hide or lead nowhere; the public is 2000::/3.
        [0x2001, 0 | 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressKind::Forbidden,
        [0x2000..=0x3fff, ..] => AddressKind::Public,
        _ => AddressKind::Forbidden,
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64, 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let join = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(join(high, low)),
        [0x2002, high, low, ..] => Some(join(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(policy: &HttpPolicy, url: &str) -> bool {
        policy.check(&Url::parse(url).unwrap()).is_ok()
    }

    #[test]
    fn only_public_addresses_are_reached_however_they_are_written() {
        let refused = [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1/",
            "http://0/",
            "http://10.0.0.1/",
            "http://172.31.255.255/",
            "http://192.168.1.1/",
            "http://100.64.0.1/",
            "http://169.254.169.254/",
            "http://2852039166/",
            "http://168.63.129.16/",
            "http://224.0.0.1/",
            "http://255.255.255.255/",
            "http://[::1]/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[2002:7f00:1::]/",
            "http://[fe80::1]/",
            "http://[fc00::1]/",
            "http://[fd00:ec2::254]/",
            "http://[ff02::1]/",
            "http://[2001:db8::1]/",
            "http://[fec0::1]/",
            "http://１２７.0.0.1/",
        ];
        for url in refused {
            assert!(!verdict(&HttpPolicy::default(), url), "{url}");
        }
        for url in [
            "http://1.1.1.1/",
            "http://172.32.0.1/",
            "http://[2606:4700::1111]/",
            "http://[::ffff:1.1.1.1]/",
            "http://name/",
        ] {
            assert!(verdict(&HttpPolicy::default(), url), "{url}");
        }
    }

    #[test]
    fn private_addresses_may_be_allowed_and_metadata_only_by_name() {
        let private = HttpPolicy { allow_private: true, allowed_hosts: Vec::new() };
        assert!(verdict(&private, "http://127.0.0.1/") && verdict(&private, "http://[fd12::1]/"));
        assert!(!verdict(&private, "http://169.254.169.254/") && !verdict(&private, "http://0.0.0.0/"));
        let named = HttpPolicy { allow_private: false, allowed_hosts: vec!["169.254.169.254".into(), "[::1]".into()] };
        assert!(verdict(&named, "http://169.254.169.254/") && verdict(&named, "http://[::1]/"));
        assert!(!verdict(&named, "http://169.254.169.253/"));
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let named = HttpPolicy { allow_private: false, allowed_hosts: vec!["Printer.example".into()] };
        assert!(named.check_address("printer.example.", address).is_ok());
        assert!(named.check_address("printer.example.org", address).is_err());
    }
}
