//! One entry of `allowed_outbound_hosts`.

use std::net::IpAddr;

use anyhow::{Context, Result, bail, ensure};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
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

/// A destination's host.
pub(super) enum Host {
    Name(String),
    Address(IpAddr),
}

impl Host {
    pub(super) fn parse(text: &str) -> Self {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
            .unwrap_or(text);
        match bare.parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Name(text.to_ascii_lowercase()),
        }
    }
}

impl Entry {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text
            .split_once("://")
            .context("an entry has the form scheme://host[:port], '*' allowed for each part")?;
        ensure!(
            scheme == "*" || (!scheme.is_empty() && scheme.chars().all(char::is_alphabetic)),
            "the scheme {scheme:?} is not a word or '*'"
        );
        let (host, port) = split_port(rest);
        let (host, port) = (
            host.strip_suffix('/').unwrap_or(host),
            port.strip_suffix('/').unwrap_or(port),
        );
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostPattern::parse(host)?,
            ports: Ports::parse(port, scheme)?,
        })
    }

    /// Whether the entry names the very host or network.
    pub(super) fn is_literal(&self) -> bool {
        matches!(self.host, HostPattern::Name(_) | HostPattern::Network(..))
    }

    pub(super) fn allows(&self, scheme: &str, host: &Host, port: u16) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|allowed| allowed == scheme)
            && self.host.allows(host)
            && self.ports.allows(port)
    }
}

/// Splits at the last colon that is not inside an IPv6 address.
fn split_port(rest: &str) -> (&str, &str) {
    if let Some((address, after)) = rest
        .strip_prefix('[')
        .and_then(|inner| inner.split_once(']'))
    {
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
        ensure!(
            !matches!(host, "self" | "self.alt"),
            "calls of the application to itself are not supported by linli"
        );
        ensure!(
            host != "spin.internal" && !host.ends_with(".spin.internal"),
            "calls between components are not supported by linli"
        );
        if let Some(network) = parse_network(host)? {
            return Ok(network);
        }
        ensure!(!host.contains('/'), "an entry has no path");
        let (name, pattern) = match host.strip_prefix("*.") {
            Some(domain) => (
                domain,
                Self::Subdomain(format!(".{}", domain.to_ascii_lowercase())),
            ),
            None => (host, Self::Name(host.to_ascii_lowercase())),
        };
        ensure!(
            !name.contains('*'),
            "'*' stands for a whole host or for its first levels only"
        );
        let allowed = |character: char| {
            character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_')
        };
        ensure!(
            !name.is_empty() && name.chars().all(allowed),
            "{host:?} is not a host name"
        );
        Ok(pattern)
    }

    fn allows(&self, host: &Host) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomain(suffix), Host::Name(name)) => name.ends_with(suffix),
            (Self::Name(allowed), Host::Name(name)) => allowed == name,
            (Self::Network(network, prefix), Host::Address(address)) => {
                contains(*network, *prefix, *address)
            }
            _ => false,
        }
    }
}

fn parse_network(host: &str) -> Result<Option<HostPattern>> {
    let (address, prefix) = match host.split_once('/') {
        Some((address, prefix)) if !prefix.is_empty() => (address, Some(prefix)),
        _ => (host, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Ok(None);
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        Some(prefix) => prefix
            .parse()
            .with_context(|| format!("the prefix length {prefix:?} is not a number"))?,
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
        let number = |text: &str| {
            text.parse::<u16>()
                .with_context(|| format!("the port {text:?} is not a number"))
        };
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
