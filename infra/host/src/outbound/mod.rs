//! Where a component may connect to: the entries of `allowed_outbound_hosts`, and the rule that private
//! networks are refused unless the very host is named. One type for HTTP, MQTT and PostgreSQL.
//!
//! It does not open connections; it says which addresses may be connected to. Callers connect to exactly the
//! addresses given, so that a name which changes its address between the question and the connection gains nothing.

mod entry;
mod private;

use std::{fmt, net::SocketAddr, time::Duration};

use anyhow::{Context, Result};

pub use entry::default_port;
use entry::{Entry, Host};
pub use private::is_private;

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
            parsed.push(
                Entry::parse(text).with_context(|| format!("allowed_outbound_hosts: {text:?}"))?,
            );
        }
        Ok(Self { entries: parsed })
    }

    /// Whether an entry covers this destination. `host` is a name or an address (IPv6 with or without brackets).
    #[must_use]
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = Host::parse(host);
        self.entries
            .iter()
            .any(|entry| entry.allows(scheme, &host, port))
    }

    /// The addresses that may be connected to for this destination: resolved now, without those of private
    /// networks, unless an entry names the very host.
    ///
    /// # Errors
    /// When it is not allowed, cannot be resolved, or has private addresses only.
    pub async fn resolve(
        &self,
        scheme: &str,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, Refused> {
        let parsed = Host::parse(host);
        let matching = || {
            self.entries
                .iter()
                .filter(|entry| entry.allows(scheme, &parsed, port))
        };
        if matching().next().is_none() {
            return Err(Refused::NotAllowed);
        }
        let named = matching().any(|entry| entry.is_literal());
        let found: Vec<SocketAddr> = match &parsed {
            Host::Address(address) => vec![SocketAddr::new(*address, port)],
            Host::Name(name) => look_up(name, port).await?,
        };
        let allowed: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| named || !is_private(address.ip()))
            .collect();
        if allowed.is_empty() {
            Err(Refused::PrivateNetwork)
        } else {
            Ok(allowed)
        }
    }
}

async fn look_up(name: &str, port: u16) -> Result<Vec<SocketAddr>, Refused> {
    let found = tokio::time::timeout(RESOLVE_TIME_MAX, tokio::net::lookup_host((name, port)))
        .await
        .map_err(|_| Refused::Unresolvable(format!("no answer in {RESOLVE_TIME_MAX:?}")))?
        .map_err(|error| Refused::Unresolvable(error.to_string()))?
        .collect::<Vec<_>>();
    if found.is_empty() {
        Err(Refused::Unresolvable("no address".to_owned()))
    } else {
        Ok(found)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed => write!(formatter, "not in allowed_outbound_hosts"),
            Self::Unresolvable(why) => write!(formatter, "the name cannot be resolved: {why}"),
            Self::PrivateNetwork => {
                write!(
                    formatter,
                    "the address is private; allowed_outbound_hosts must name this very host"
                )
            }
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(entries: &[&str]) -> AllowedHosts {
        AllowedHosts::parse(entries).unwrap()
    }

    #[test]
    fn an_entry_allows_what_it_says_and_nothing_else() {
        let check = |entry: &str, scheme: &str, host: &str, port: u16, expected: bool| {
            assert_eq!(
                hosts(&[entry]).allows(scheme, host, port),
                expected,
                "{entry} {scheme}://{host}:{port}"
            );
        };
        check("https://example.com", "https", "example.com", 443, true);
        check("https://example.com", "https", "EXAMPLE.com", 443, true);
        check("https://example.com/", "https", "example.com", 443, true);
        check("https://example.com", "http", "example.com", 443, false);
        check("https://example.com", "https", "example.com", 8443, false);
        check(
            "https://example.com",
            "https",
            "www.example.com",
            443,
            false,
        );
        check(
            "https://*.example.com",
            "https",
            "www.example.com",
            443,
            true,
        );
        check("https://*.example.com", "https", "example.com", 443, false);
        check(
            "https://*.example.com",
            "https",
            "badexample.com",
            443,
            false,
        );
        check("*://example.com:*", "mqtt", "example.com", 1, true);
        check("mqtt://127.0.0.1:1883", "mqtt", "127.0.0.1", 1883, true);
        check("mqtt://127.0.0.1:1883", "mqtt", "localhost", 1883, false);
        check("http://[::1]:80", "http", "[::1]", 80, true);
        check("http://10.0.0.0/8:80", "http", "10.1.2.3", 80, true);
        check("http://10.0.0.0/8:80", "http", "11.1.2.3", 80, false);
        check("http://0.0.0.0/0", "http", "11.1.2.3", 80, true);
        check(
            "http://example.com:8000..8002",
            "http",
            "example.com",
            8001,
            true,
        );
        check(
            "http://example.com:8000..8002",
            "http",
            "example.com",
            8002,
            false,
        );
        check("*://*:*", "anything", "example.org", 9, true);
        assert!(!hosts(&[]).allows("http", "example.com", 80));
    }

    #[test]
    fn a_malformed_entry_is_refused_by_name() {
        for entry in [
            "example.com",
            "*",
            "http://",
            "http://a/path",
            "http://a:b",
            "http://*.*.com",
            "gopher://example.com",
            "http://self",
            "http://doors.spin.internal",
            "http://10.0.0.0/33",
            "ht tp://a",
            "http://a b",
        ] {
            if matches!(entry, "http://") {
                assert_eq!(hosts(&[entry]), AllowedHosts::default());
                continue;
            }
            let error = AllowedHosts::parse(&[entry]).unwrap_err();
            assert!(format!("{error:#}").contains(entry), "{error:#}");
        }
    }

    #[tokio::test]
    async fn a_private_address_needs_its_host_named_literally() {
        let everywhere = hosts(&["*://*:*"]);
        assert_eq!(
            everywhere.resolve("http", "127.0.0.1", 80).await,
            Err(Refused::PrivateNetwork)
        );
        assert_eq!(
            everywhere.resolve("http", "localhost", 80).await,
            Err(Refused::PrivateNetwork)
        );
        assert_eq!(
            hosts(&[]).resolve("http", "localhost", 80).await,
            Err(Refused::NotAllowed)
        );
        let named = hosts(&["*://*:*", "http://localhost:80", "http://127.0.0.1"]);
        assert!(
            !named
                .resolve("http", "localhost", 80)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            named.resolve("http", "127.0.0.1", 80).await.unwrap(),
            ["127.0.0.1:80".parse().unwrap()]
        );
        assert_eq!(
            named.resolve("http", "127.0.0.1", 81).await,
            Err(Refused::PrivateNetwork)
        );
    }
}
