//! Parameters of a request: each has several names, and is a header or a part of the query. The header counts first.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Headers and query of a request, as pairs of name and value; the query's are already decoded.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// The headers; their names in any case.
    pub headers: Vec<(String, String)>,
    /// The query.
    pub query: Vec<(String, String)>,
}

impl Parameters {
    /// The first value that is not blank, of the first of the names.
    #[must_use]
    pub fn get(&self, names: &[&str]) -> Option<String> {
        let find = |pairs: &[(String, String)]| {
            names.iter().find_map(|name| {
                let mut values = pairs
                    .iter()
                    .filter(|(key, _)| key.eq_ignore_ascii_case(name));
                values
                    .find(|(_, value)| !value.trim().is_empty())
                    .map(|(_, value)| value.trim().to_owned())
            })
        };
        find(&self.headers)
            .map(|value| decoded(&value))
            .or_else(|| find(&self.query))
    }

    /// A switch: `1`, `yes`, `true`, and everything else is off; nothing when it is not there.
    #[must_use]
    pub fn is_on(&self, names: &[&str]) -> Option<bool> {
        let value = self.get(names)?.to_ascii_lowercase();
        Some(["1", "yes", "true"].contains(&value.as_str()))
    }
}

/// A header with the words of RFC 2047 (`=?UTF-8?B?..?=`) read; what is none of UTF-8 stays as it is.
fn decoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        let Some((word, behind)) = word(from) else {
            let (mark, behind) = from.split_at(2);
            text.push_str(before);
            text.push_str(mark);
            rest = behind;
            after_word = false;
            continue;
        };
        // White space between two words belongs to the encoding.
        if !(after_word && before.trim().is_empty()) {
            text.push_str(before);
        }
        text.push_str(&word);
        rest = behind;
        after_word = true;
    }
    text.push_str(rest);
    text
}

/// The word that a text starts with, and what follows it.
fn word(text: &str) -> Option<(String, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (content, behind) = rest.split_once("?=")?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(content).ok()?,
        "Q" | "q" => quoted(content)?,
        _ => return None,
    };
    Some((String::from_utf8(bytes).ok()?, behind))
}

fn quoted(content: &str) -> Option<Vec<u8>> {
    let mut bytes = content.bytes();
    let mut found = Vec::with_capacity(content.len());
    while let Some(byte) = bytes.next() {
        found.push(match byte {
            b'_' => b' ',
            b'=' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let value = digit(bytes.next()?)? * 16 + digit(bytes.next()?)?;
                u8::try_from(value).ok()?
            }
            other => other,
        });
    }
    Some(found)
}
