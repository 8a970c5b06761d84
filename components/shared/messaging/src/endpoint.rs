//! Where messages are posted to: an address that somebody gave us, and that must not lead into our own network.
//!
//! This looks at the text. Whoever connects looks at what the name resolves to as well: [`is_public`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use kernel::Refusal;

use crate::invalid;

/// The longest address, in bytes.
pub const ENDPOINT_BYTES_MAX: usize = 2_048;

/// What addresses may lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public hosts, over TLS.
    Public,
    /// Anything, also this machine and without TLS: for development.
    Anywhere,
}

/// An address to post to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    origin: String,
    host: String,
}

impl Endpoint {
    /// Parses an address: `https`, a host, no user, no fragment.
    ///
    /// # Errors
    /// When it is none, or leads where it may not.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, Refusal> {
        let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\\\"<>^`{|}#".contains(&byte);
        if text.len() > ENDPOINT_BYTES_MAX || !text.bytes().all(allowed) {
            return Err(no_address());
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(no_address)?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match (scheme.as_str(), reach) {
            ("https", _) => 443,
            ("http", Reach::Anywhere) => 80,
            _ => return Err(no_address()),
        };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let (host, port) = host_and_port(authority).ok_or_else(no_address)?;
        if reach == Reach::Public && !host_is_public(&host) {
            return Err(invalid(
                "endpoint_private",
                "The address leads into a private network. Give one that is reachable from the internet.",
                "该地址指向内部网络，请提供可从互联网访问的地址。",
            ));
        }
        let origin = match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        };
        Ok(Self {
            text: text.to_owned(),
            origin,
            host,
        })
    }

    /// Refuses a host that none of the patterns names: a host itself, or `*.` and the end of one.
    ///
    /// # Errors
    /// When no pattern names it.
    pub fn allowed_by<'a>(
        &self,
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Refusal> {
        let named = |pattern: &str| match pattern.strip_prefix("*.") {
            Some(end) => self
                .host
                .strip_suffix(end)
                .is_some_and(|before| before.ends_with('.') && !end.is_empty()),
            None => self.host == pattern,
        };
        if patterns.into_iter().any(named) {
            return Ok(());
        }
        Err(invalid(
            "endpoint_not_allowed",
            "The push service is not on the list of this platform. Ask its operator to add it.",
            "该推送服务不在平台的允许列表中，请联系运营人员添加。",
        ))
    }

    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host, and the port where it is not the usual one.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host in lower case, without the port.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// Whether an address of the network is one of the internet: what a name resolves to is asked before connecting.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether a host is a name or an address of the internet.
pub(crate) fn host_is_public(host: &str) -> bool {
    if let Some(inside) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inside.parse().is_ok_and(is_public_v6);
    }
    if let Ok(address) = host.parse() {
        return is_public_v4(address);
    }
    let Some((_, last)) = host.rsplit_once('.') else {
        return false;
    };
    const PRIVATE: [&str; 9] = [
        "local",
        "localhost",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "arpa",
        "invalid",
    ];
    !PRIVATE.contains(&last)
}

fn host_and_port(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
        _ => (authority, None),
    };
    let host = host.to_ascii_lowercase();
    let is_v6 = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inside| inside.parse::<Ipv6Addr>().is_ok());
    (is_v6 || is_v4(&host) || is_name(&host)).then_some((host, port))
}

fn is_v4(host: &str) -> bool {
    host.parse::<Ipv4Addr>().is_ok()
}

/// A name of DNS. One that ends in a number would be read as an address in another notation (`127.1`, `0x7f000001`).
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let ends_in_a_letter = host
        .rsplit('.')
        .next()
        .is_some_and(|last| last.starts_with(|char: char| char.is_ascii_alphabetic()));
    host.len() <= 253 && ends_in_a_letter && host.split('.').all(label)
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let protocols = first == 192 && second == 0 && third == 0;
    let relays = first == 192 && second == 88 && third == 99;
    let measuring = first == 198 && (second == 18 || second == 19);
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || first == 0
        || first >= 224
        || shared
        || protocols
        || relays
        || measuring)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [first, second, ..] = address.segments();
    // Only global unicast, without documentation, 6to4, Teredo and the other special ranges below 2001:200.
    (0x2000..0x4000).contains(&first)
        && first != 0x2002
        && !(first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        && !(first == 0x3fff && second < 0x1000)
}

fn no_address() -> Refusal {
    invalid(
        "endpoint_invalid",
        "The address is written as https://host/path, with at most 2048 characters, without a user or a fragment.",
        "地址应写成 https://主机/路径，最多 2048 个字符，不带用户名和片段。",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        Endpoint::parse(text, Reach::Public).map_or_else(|refusal| refusal.code, |_| "fine")
    }

    #[test]
    fn the_origin_is_scheme_host_and_an_unusual_port() {
        for (text, origin) in [
            ("https://Push.Example.net/a?b=c", "https://push.example.net"),
            ("https://push.example.net:443", "https://push.example.net"),
            (
                "https://push.example.net:8443/x",
                "https://push.example.net:8443",
            ),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]"),
        ] {
            let endpoint = Endpoint::parse(text, Reach::Public).unwrap();
            assert_eq!((endpoint.origin(), endpoint.as_str()), (origin, text));
        }
    }

    #[test]
    fn what_leads_into_a_private_network_is_refused_however_it_is_written() {
        for host in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "[::1]",
            "[fe80::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "[2001:db8::1]",
            "localhost",
            "db",
            "printer.local",
            "metadata.google.internal",
        ] {
            assert_eq!(
                code(&format!("https://{host}/push")),
                "endpoint_private",
                "{host}"
            );
        }
        for other in [
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://a.0x1/",
        ] {
            assert_eq!(code(other), "endpoint_invalid", "{other}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "push.example.net",
            "http://push.example.net/",
            "ftp://push.example.net/",
            "https://user@push.example.net/",
            "https://push.example.net\\@evil.example/",
            "https://push.example.net/#a",
            "https://push.example.net:99999/",
            "https://push.example.net:/",
            "https:///path",
            "https://a..example.net/",
            "https://推送.example.net/",
            "https://push.example.net/a b",
            "https://push.example.net/\r\nx: y",
        ] {
            assert_eq!(code(text), "endpoint_invalid", "{text:?}");
        }
        assert_eq!(
            code(&format!("https://a.cn/{}", "x".repeat(2_048))),
            "endpoint_invalid"
        );
        assert!(Endpoint::parse("http://127.0.0.1:8080/x", Reach::Anywhere).is_ok());
    }

    #[test]
    fn a_pattern_names_a_host_or_all_below_one() {
        let endpoint = Endpoint::parse("https://web.push.apple.com/x", Reach::Public).unwrap();
        for pattern in ["web.push.apple.com", "*.push.apple.com", "*.apple.com"] {
            assert!(endpoint.allowed_by([pattern]).is_ok(), "{pattern}");
        }
        for pattern in [
            "*.web.push.apple.com",
            "apple.com",
            "*.pple.com",
            "*.",
            "*",
            "",
        ] {
            assert_eq!(
                endpoint
                    .allowed_by([pattern])
                    .map_err(|refusal| refusal.code),
                Err("endpoint_not_allowed"),
                "{pattern}"
            );
        }
        assert!(endpoint.allowed_by([]).is_err());
    }
}
