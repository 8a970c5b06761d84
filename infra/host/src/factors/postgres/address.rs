//! What a guest gives as an address: a URL (`postgres://user:password@host:port/database?...`) or libpq's list of
//! words (`host=... user=... password='...'`). Nothing comes from the host's own environment or files.

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::str::FromStr;

/// Where to connect, and as whom.
pub struct Address {
    /// A name or an address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Everything else.
    pub options: PgConnectOptions,
}

/// The port of PostgreSQL.
const PORT: u16 = 5432;

/// Parses either form. The reason never repeats the address: it holds a password.
///
/// # Errors
/// When it is malformed, or asks for what this host cannot do.
pub fn parse(text: &str) -> Result<Address, String> {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let options = if is_url {
        // Parsing looks for missing parts in the host's environment; so they must be there.
        let authority = text.split_once("://").map_or("", |(_, rest)| rest);
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        if user.is_empty() || host.is_empty() {
            return Err("the address must name a user and a host: postgres://user:password@host:port/database".to_owned());
        }
        PgConnectOptions::from_str(text).map_err(|error| error.to_string())?
    } else {
        from_words(text)?
    };
    if options.get_socket().is_some() || options.get_host().starts_with('/') {
        return Err("Unix sockets are not supported: name a host".to_owned());
    }
    if !matches!(options.get_ssl_mode(), PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer) {
        return Err("this host speaks to PostgreSQL without TLS: use sslmode=disable, or run the function on Spin".to_owned());
    }
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']').to_owned();
    Ok(Address { port: options.get_port(), host, options: options.ssl_mode(PgSslMode::Disable) })
}

fn from_words(text: &str) -> Result<PgConnectOptions, String> {
    let (mut host, mut user) = (None, None);
    let mut options = PgConnectOptions::new_without_pgpass().port(PORT);
    for (key, value) in words(text)? {
        options = match key.as_str() {
            "host" | "hostaddr" => {
                host = Some(value.clone());
                options.host(&value)
            }
            "port" => options.port(value.parse().map_err(|_| format!("the port {value:?} is not a number"))?),
            "user" => {
                user = Some(value.clone());
                options.username(&value)
            }
            "password" => options.password(&value),
            "dbname" => options.database(&value),
            "application_name" => options.application_name(&value),
            "sslmode" => options.ssl_mode(value.parse().map_err(|_| format!("sslmode {value:?} is unknown"))?),
            // How long to wait is the host's to say.
            "connect_timeout" | "keepalives" | "keepalives_idle" => options,
            _ => return Err(format!("the address holds {key:?}, which this host does not support")),
        };
    }
    match (host, user) {
        (Some(_), Some(_)) => Ok(options),
        _ => Err("the address must name host and user: host=... user=... password=... dbname=...".to_owned()),
    }
}

/// `key=value key='a value'`, with a backslash before what is meant literally.
fn words(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or("the address is neither a URL nor a list of key=value")?;
        let mut value = String::new();
        let after = after.trim_start();
        let quoted = after.starts_with('\'');
        let mut characters = after.char_indices().skip(usize::from(quoted));
        let mut end = after.len();
        let mut closed = !quoted;
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.extend(characters.next().map(|(_, literal)| literal)),
                '\'' if quoted => {
                    (end, closed) = (at + 1, true);
                    break;
                }
                space if !quoted && space.is_whitespace() => {
                    end = at;
                    break;
                }
                other => value.push(other),
            }
        }
        if !closed {
            return Err("the address has an unclosed quote".to_owned());
        }
        found.push((key.trim().to_owned(), value));
        rest = after.get(end..).unwrap_or_default().trim_start();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: (&str, u16, &str, Option<&str>)) {
        let address = parse(text).unwrap();
        let found = (address.host.as_str(), address.port, address.options.get_username(), address.options.get_database());
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn both_forms_name_host_port_user_and_database() {
        check("postgres://me:secret@db.example:6000/shop", ("db.example", 6000, "me", Some("shop")));
        check("postgresql://me@[::1]/shop?sslmode=disable", ("::1", 5432, "me", Some("shop")));
        check("host=db.example user=me password=secret dbname=shop", ("db.example", 5432, "me", Some("shop")));
        check(r"host = 10.0.0.1 port=6000 user='an o\'dd' dbname='a b'", ("10.0.0.1", 6000, "an o'dd", Some("a b")));
    }

    #[test]
    fn what_cannot_be_done_is_refused_without_repeating_the_password() {
        for text in [
            "", "secret", "postgres://", "postgres:///shop", "postgres://me:secret@/shop", "host=/var/run user=me",
            "postgres://me:secret@h/shop?sslmode=require", "host=h user=me sslmode=verify-full", "host=h password=secret",
            "host=h user=me port=secret2x", "host=h user='me", "host=h user=me target=secret",
        ] {
            let reason = parse(text).err().unwrap_or_else(|| panic!("{text} was accepted"));
            assert!(!reason.contains("secret@") && !reason.contains("=secret"), "{reason}");
        }
    }
}
