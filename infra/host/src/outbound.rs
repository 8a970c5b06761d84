//! Where a component may connect to: the entries of `allowed_outbound_hosts`, and the rule that private
//! networks are refused unless the very host is named. One type for HTTP, MQTT and PostgreSQL.
//!
//! It does not open connections; it says which addresses may be connected to. Callers connect to exactly the
//! addresses given, so that a name which changes its address between the question and the connection gains nothing.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};

/// The longest wait for a name to be resolved.
pub const RESOLVE_TIME_MAX: Duration = Duration::from_secs(5);

/// The hosts that one component may connect to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

/// Why a connection is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// No entry of `allowed_outbound_hosts` covers it.
    NotAllowed,
    /// The name has no address.
    Unresolvable(String),
    /// Every address lies in a private, loopback or link-local network, and the host is not named literally.
    PrivateNetwork,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// `None`: any scheme.
    scheme: Option<String>,
    host: HostPattern,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// A domain with a leading dot.
    Subdomain(String),
    Name(String),
    /// An address or a network: the address and the length of its prefix, in bits.
    Network(IpAddr, u8),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    Any,
    /// From the first (included) to the second (excluded).
    Range(u16, u32),
}

impl AllowedHosts {
    /// Parses entries of the form `scheme://host[:port]`, with `*` for each part, `*.domain`, networks
    /// (`10.0.0.0/8`) and port ranges (`8000..9000`). Templates are resolved before; an entry that became
    /// empty by that is skipped.
    ///
    /// # Errors
    /// When an entry is malformed, or names what this host does not support.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self> {
        let mut parsed = Vec::new();
        for entry in entries {
            let text = entry.as_ref().trim();
            if matches!(text, "" | "http://" | "https://") {
                continue;
            }
            parsed.push(Entry::parse(text).with_context(|| format!("allowed_outbound_hosts: {text:?}"))?);
        }
        Ok(Self { entries: parsed })
    }

    /// Whether an entry covers this destination. `host` is a name or an address (IPv6 with or without brackets).
    #[must_use]
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = Host::parse(host);
        self.entries.iter().any(|entry| entry.allows(scheme, &host, port))
    }

    /// The addresses that may be connected to for this destination: resolved now, without those of private
    /// networks, unless an entry names the very host.
    ///
    /// # Errors
    /// When it is not allowed, cannot be resolved, or has private addresses only.
    pub async fn resolve(&self, scheme: &str, host: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
        let parsed = Host::parse(host);
        let matching = || self.entries.iter().filter(|entry| entry.allows(scheme, &parsed, port));
        if matching().next().is_none() {
            return Err(Refused::NotAllowed);
        }
        let named = matching().any(|entry| entry.host.is_literal());
        let found: Vec<SocketAddr> = match &parsed {
            Host::Address(address) => vec![SocketAddr::new(*address, port)],
            Host::Name(name) => look_up(name, port).await?,
        };
        let allowed: Vec<SocketAddr> =
            found.into_iter().filter(|address| named || !is_private(address.ip())).collect();
        if allowed.is_empty() { Err(Refused::PrivateNetwork) } else { Ok(allowed) }
    }
}

async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
    let found = tokio::time::timeout(RESOLVE_TIME_MAX, tokio::net::lookup_host((name, port)))
        .await
        .map_err(|_| Refused::Unresolvable(format!("no answer in {RESOLVE_TIME_MAX:?}")))?
        .map_err(|error| Refused::Unresolvable(error.to_string()))?
        .collect::<Vec<_>>();
    if found.is_empty() { Err(Refused::Unresolvable("no address".to_owned())) } else { Ok(found) }
}

/// Whether an address is reachable only from inside: loopback, private, link-local, shared, reserved or multicast.
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    if address.is_loopback() || address.is_unspecified() || address.is_multicast() {
        return true;
    }
    match segments {
        // IPv4-compatible, IPv4-mapped and translated addresses reach the IPv4 host inside them.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] | [0x2001, 0xdb8, ..] | [0x100, 0, 0, 0, ..] => true,
        [first, ..] => (first & 0xfe00) == 0xfc00 || (first & 0xff80) == 0xfe80,
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => write!(formatter, "not in allowed_outbound_hosts"),
            Self::Unresolvable(why) => write!(formatter, "the name cannot be resolved: {why}"),
            Self::PrivateNetwork => {
                write!(formatter, "the address is private; allowed_outbound_hosts must name this very host")
            }
        }
    }
}

impl std::error::Error for Refused {}

enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    fn parse(text: &str) -> Self {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        match bare.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(text.to_ascii_lowercase()),
        }
    }
}

impl Entry {
    fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) =
            text.split_once("://").context("an entry has the form scheme://host[:port], '*' allowed for each part")?;
        ensure!(
            scheme == "*" || (!scheme.is_empty() && scheme.chars().all(char::is_alphabetic)),
            "the scheme {scheme:?} is not a word or '*'"
        );
        let (host, port) = split_port(rest);
        let (host, port) = (host.strip_suffix('/').unwrap_or(host), port.strip_suffix('/').unwrap_or(port));
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostPattern::parse(host)?,
            ports: Ports::parse(port, scheme)?,
        })
    }

    fn allows(&self, scheme: &str, host: &Host, port: u16) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && self.host.allows(host)
            && self.ports.allows(port)
    }
}

/// Splits at the last colon that is not inside an IPv6 address.
fn split_port(rest: &str) -> (&str, &str) {
    if let Some((address, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        return (address, after.strip_prefix(':').unwrap_or(after));
    }
    if rest.matches(':').count() > 1 {
        return (rest, "");
    }
    rest.split_once(':').unwrap_or((rest, ""))
}

impl HostPattern {
    fn parse(host: &str) -> Result<Self> {
        if host == "*" {
            return Ok(Self::Any);
        }
        ensure!(!matches!(host, "self" | "self.alt"), "calls of the application to itself are not supported by linli");
        ensure!(
            host != "spin.internal" && !host.ends_with(".spin.internal"),
            "calls between components are not supported by linli"
        );
        if let Some(network) = parse_network(host)? {
            return Ok(network);
        }
        ensure!(!host.contains('/'), "an entry has no path");
        let (name, pattern) = match host.strip_prefix("*.") {
            Some(domain) => (domain, Self::Subdomain(format!(".{}", domain.to_ascii_lowercase()))),
            None => (host, Self::Name(host.to_ascii_lowercase())),
        };
        ensure!(!name.contains('*'), "'*' stands for a whole host or for its first levels only");
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
        ensure!(!name.is_empty() && name.chars().all(allowed), "{host:?} is not a host name");
        Ok(pattern)
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomain(suffix), Host::Name(name)) => name.ends_with(suffix),
            (Self::Name(allowed), Host::Name(name)) => allowed == name,
            (Self::Network(network, prefix), Host::Address(address)) => contains(*network, *prefix, *address),
            _ => false,
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Network(..))
    }
}

fn parse_network(host: &str) -> Result<Option<HostPattern>> {
    let (address, prefix) = match host.split_once('/') {
        Some((address, prefix)) if !prefix.is_empty() => (address, Some(prefix)),
        _ => (host, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return Ok(None) };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) => prefix.parse().with_context(|| format!("the prefix length {prefix:?} is not a number"))?,
        None => bits,
    };
    ensure!(prefix <= bits, "the prefix length {prefix} is above {bits}");
    Ok(Some(HostPattern::Network(address, prefix)))
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            (network.to_bits() ^ address.to_bits()) & mask == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            (network.to_bits() ^ address.to_bits()) & mask == 0
        }
        _ => false,
    }
}

impl Ports {
    fn parse(port: &str, scheme: &str) -> Result<Self> {
        if port == "*" {
            return Ok(Self::Any);
        }
        let number = |text: &str| text.parse::<u16>().with_context(|| format!("the port {text:?} is not a number"));
        if port.is_empty() {
            let Some(port) = default_port(scheme) else {
                bail!("the scheme {scheme:?} has no default port: name one, or '*'");
            };
            return Ok(Self::Range(port, u32::from(port) + 1));
        }
        if let Some((from, to)) = port.split_once("..") {
            return Ok(Self::Range(number(from)?, u32::from(number(to)?)));
        }
        let port = number(port)?;
        Ok(Self::Range(port, u32::from(port) + 1))
    }

    fn allows(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::Range(from, to) => *from <= port && u32::from(port) < *to,
        }
    }
}

/// The port of a scheme that names none.
#[must_use]
pub fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "mqtt" => Some(1883),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(entries: &[&str]) -> AllowedHosts {
        AllowedHosts::parse(entries).unwrap()
    }

    #[test]
    fn an_entry_allows_what_it_says_and_nothing_else() {
        let check = |entry: &str, scheme: &str, host: &str, port: u16, expected: bool| {
            assert_eq!(hosts(&[entry]).allows(scheme, host, port), expected, "{entry} {scheme}://{host}:{port}");
        };
        check("https://example.com", "https", "example.com", 443, true);
        check("https://example.com", "https", "EXAMPLE.com", 443, true);
        check("https://example.com/", "https", "example.com", 443, true);
        check("https://example.com", "http", "example.com", 443, false);
        check("https://example.com", "https", "example.com", 8443, false);
        check("https://example.com", "https", "www.example.com", 443, false);
        check("https://*.example.com", "https", "www.example.com", 443, true);
        check("https://*.example.com", "https", "example.com", 443, false);
        check("https://*.example.com", "https", "badexample.com", 443, false);
        check("*://example.com:*", "mqtt", "example.com", 1, true);
        check("mqtt://127.0.0.1:1883", "mqtt", "127.0.0.1", 1883, true);
        check("mqtt://127.0.0.1:1883", "mqtt", "localhost", 1883, false);
        check("http://[::1]:80", "http", "[::1]", 80, true);
        check("http://10.0.0.0/8:80", "http", "10.1.2.3", 80, true);
        check("http://10.0.0.0/8:80", "http", "11.1.2.3", 80, false);
        check("http://0.0.0.0/0", "http", "11.1.2.3", 80, true);
        check("http://example.com:8000..8002", "http", "example.com", 8001, true);
        check("http://example.com:8000..8002", "http", "example.com", 8002, false);
        check("*://*:*", "anything", "example.org", 9, true);
        assert!(!hosts(&[]).allows("http", "example.com", 80));
    }

    #[test]
    fn a_malformed_entry_is_refused_by_name() {
        for entry in [
            "example.com", "*", "http://", "http://a/path", "http://a:b", "http://*.*.com", "gopher://example.com",
            "http://self", "http://doors.spin.internal", "http://10.0.0.0/33", "ht tp://a", "http://a b",
        ] {
            if matches!(entry, "http://") {
                assert_eq!(hosts(&[entry]), AllowedHosts::default());
                continue;
            }
            let error = AllowedHosts::parse(&[entry]).unwrap_err();
            assert!(format!("{error:#}").contains(entry), "{error:#}");
        }
    }

    #[test]
    fn private_addresses_are_known_in_every_disguise() {
        for address in [
            "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "255.255.255.255",
            "224.0.0.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1",
            "64:ff9b::a00:1", "2002:7f00:1::",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_private_address_needs_its_host_named_literally() {
        let everywhere = hosts(&["*://*:*"]);
        assert_eq!(everywhere.resolve("http", "127.0.0.1", 80).await, Err(Refused::PrivateNetwork));
        assert_eq!(everywhere.resolve("http", "localhost", 80).await, Err(Refused::PrivateNetwork));
        assert_eq!(hosts(&[]).resolve("http", "localhost", 80).await, Err(Refused::NotAllowed));
        let named = hosts(&["*://*:*", "http://localhost:80", "http://127.0.0.1"]);
        assert!(!named.resolve("http", "localhost", 80).await.unwrap().is_empty());
        assert_eq!(named.resolve("http", "127.0.0.1", 80).await.unwrap(), ["127.0.0.1:80".parse().unwrap()]);
        assert_eq!(named.resolve("http", "127.0.0.1", 81).await, Err(Refused::PrivateNetwork));
    }
}
