//! `Idempotency-Key`: the caller's name for a request, so that sending it again does nothing again.

use http::StatusCode;
use kernel::{Actor, Message};

use crate::{Problem, Request};

/// The longest key, in characters.
pub const IDEMPOTENCY_KEY_CHARACTERS_MAX: usize = 128;

/// A key, and what it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idempotency<'a> {
    /// The caller's key; unique among the caller's own requests.
    pub key: &'a str,
    /// What makes it this request: method, path with query, body. The same key with other content is a mistake.
    pub content: [&'a [u8]; 3],
}

/// The caller's key, if there is one.
///
/// # Errors
/// 400 when it is not 1 to [`IDEMPOTENCY_KEY_CHARACTERS_MAX`] visible ASCII characters, or stands twice.
pub fn idempotency(request: &Request) -> Result<Option<Idempotency<'_>>, Problem> {
    let mut values = request.headers().get_all("idempotency-key").iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().map_err(|_| invalid())?;
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if values.next().is_some()
        || key.is_empty()
        || key.len() > IDEMPOTENCY_KEY_CHARACTERS_MAX
        || !visible
    {
        return Err(invalid());
    }
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    Ok(Some(Idempotency {
        key,
        content: [
            request.method().as_str().as_bytes(),
            target.as_bytes(),
            request.body(),
        ],
    }))
}

fn invalid() -> Problem {
    let message = Message::new(
        format!(
            "An Idempotency-Key has 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} visible ASCII characters."
        ),
        format!("Idempotency-Key 应为 1 到 {IDEMPOTENCY_KEY_CHARACTERS_MAX} 个可见 ASCII 字符。"),
    );
    Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", message)
}

/// The caller's name among those who send idempotency keys.
#[must_use]
pub fn name_of(actor: &Actor) -> String {
    format!("{}/{}", actor.kind.as_str(), actor.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(path: &str, keys: &[&str], body: &'static str) -> Request {
        let mut builder = http::Request::post(path);
        for key in keys {
            builder = builder.header("Idempotency-Key", *key);
        }
        builder.body(Bytes::from(body)).unwrap()
    }

    #[test]
    fn a_key_stands_for_method_target_and_body() {
        let request = request("/a?b=c", &["k-1"], "{}");
        let asked = idempotency(&request).unwrap().unwrap();
        assert_eq!(asked.key, "k-1");
        assert_eq!(asked.content, [b"POST".as_slice(), b"/a?b=c", b"{}"]);
    }

    #[test]
    fn a_key_is_visible_ascii_of_a_bounded_length() {
        let check =
            |keys: &[&str]| idempotency(&request("/", keys, "")).map(|asked| asked.is_some());
        assert_eq!(check(&[]), Ok(false));
        assert_eq!(check(&[&"k".repeat(128)]), Ok(true));
        for keys in [&[""][..], &["a b"], &["a", "b"], &[&"x".repeat(129)]] {
            assert_eq!(
                check(keys).unwrap_err().code,
                "invalid_idempotency_key",
                "{keys:?}"
            );
        }
    }
}
