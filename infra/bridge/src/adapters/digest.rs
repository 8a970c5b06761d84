//! HTTP Digest authentication with SHA-256 and `qop=auth` (RFC 7616), the client's side: pure.

use std::collections::BTreeMap;
use std::fmt::Write;

use sha2::{Digest, Sha256};

/// What a server asks for in `WWW-Authenticate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
}

impl Challenge {
    /// Reads the header; none when the server asks for something else.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        let mut values = parameters(rest)?;
        let is = |name: &str, wanted: &str, values: &BTreeMap<String, String>| {
            let value = values.get(name).map_or("", String::as_str);
            value
                .split(',')
                .any(|one| one.trim().eq_ignore_ascii_case(wanted))
        };
        let ours = scheme.eq_ignore_ascii_case("digest")
            && is("algorithm", "SHA-256", &values)
            && is("qop", "auth", &values);
        ours.then_some(())?;
        Some(Self {
            realm: values.remove("realm")?,
            nonce: values.remove("nonce")?,
            opaque: values.remove("opaque"),
        })
    }

    /// The `Authorization` header for one request: the `count`th with this nonce, and a random `cnonce`.
    #[must_use]
    pub fn answer(&self, user: &str, password: &str, request: &Asked<'_>) -> String {
        let Asked {
            method,
            uri,
            count,
            cnonce,
        } = request;
        let (realm, nonce) = (&self.realm, &self.nonce);
        let who = sha256(&format!("{user}:{realm}:{password}"));
        let what = sha256(&format!("{method}:{uri}"));
        let response = sha256(&format!("{who}:{nonce}:{count:08x}:{cnonce}:auth:{what}"));
        let mut header = format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=SHA-256, \
             qop=auth, nc={count:08x}, cnonce=\"{cnonce}\", response=\"{response}\""
        );
        if let Some(opaque) = &self.opaque {
            // Writing to a String does not fail.
            let _ = write!(header, ", opaque=\"{opaque}\"");
        }
        header
    }
}

/// The request that an answer is for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `GET`.
    pub method: &'a str,
    /// Path and query.
    pub uri: &'a str,
    /// How often the nonce has been used, this request included.
    pub count: u32,
    /// A random word of ours.
    pub cnonce: &'a str,
}

/// The parameters `name=value` or `name="value"`, separated by commas; quoted values have no escapes here.
#[must_use]
pub fn parameters(mut text: &str) -> Option<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    loop {
        text = text.trim_start_matches([' ', ',']);
        if text.is_empty() {
            return Some(found);
        }
        let (name, rest) = text.split_once('=')?;
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_once(',').unwrap_or((rest, "")),
        };
        found.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        text = after;
    }
}

/// SHA-256 in lower-case hex.
#[must_use]
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Bytes in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7616, section 3.9.1.
    #[test]
    fn the_published_example_is_answered_digit_by_digit() {
        let challenge = Challenge::parse(
            "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
        );
        let asked = Asked {
            method: "GET",
            uri: "/dir/index.html",
            count: 1,
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        };
        let answer = challenge
            .unwrap()
            .answer("Mufasa", "Circle of Life", &asked);
        let expected = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(answer.contains(expected), "{answer}");
    }

    #[test]
    fn other_schemes_are_not_answered() {
        for header in [
            "",
            "Basic realm=\"x\"",
            "Digest realm=\"x\", nonce=\"y\", qop=\"auth\", algorithm=MD5",
        ] {
            assert_eq!(Challenge::parse(header), None, "{header}");
        }
    }
}
