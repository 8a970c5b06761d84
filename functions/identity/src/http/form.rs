//! A broker's question: JSON or `application/x-www-form-urlencoded`, as brokers' HTTP authenticators send it.

use ::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use web::{Problem, Request};

/// Reads the question from the body.
///
/// # Errors
/// As [`web::body`]; a form is read as JSON whose values are all texts.
pub(super) fn question<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    let essence = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    if !essence
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
    {
        return web::body(request);
    }
    let text = String::from_utf8_lossy(request.body());
    let fields: serde_json::Map<String, serde_json::Value> = text
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value).into()))
        .collect();
    let mut json = ::http::Request::new(serde_json::Value::Object(fields).to_string().into());
    json.headers_mut().insert(
        CONTENT_TYPE,
        ::http::HeaderValue::from_static("application/json"),
    );
    web::body(&json)
}

/// Undoes the form's escapes; a malformed one stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match (
            first,
            escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()),
        ) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (other, _) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        assert_eq!(decode("demo%2Fg1+%E9%97%A8"), "demo/g1 门");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%2"), "%zz%2");
    }
}
