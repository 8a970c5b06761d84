//! The request as routes see it: the head, and a body that is already read and within its limit.

use bytes::Bytes;
use kernel::Refusal;

/// A request with its whole body.
pub type Request = http::Request<Bytes>;

/// The header that carries a request's id from the host through the functions into every log line.
pub const REQUEST_ID: &str = "x-request-id";

/// The path as its segments, for the route table's `match`. Not percent-decoded: no id needs it, so a segment
/// that holds an escape names nothing. A slash at the end makes an empty last segment, which matches no route.
#[must_use]
pub fn segments(request: &Request) -> Vec<&str> {
    request.uri().path().split('/').skip(1).collect()
}

/// The request's id, or `-` where neither client nor host gave one.
#[must_use]
pub fn request_id(request: &Request) -> &str {
    let header = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    match header {
        Some(id) if kernel::MessageId::parse(id).is_ok() => id,
        _ => "-",
    }
}

/// The id in a path.
///
/// # Errors
/// What `unknown` says: a text that is no id names nothing.
pub fn path_id<Id: TryFrom<String>>(text: &str, unknown: fn() -> Refusal) -> Result<Id, Refusal> {
    Id::try_from(text.to_owned()).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(uri: &str) -> http::request::Builder {
        http::Request::get(uri)
    }

    #[test]
    fn a_path_is_split_at_its_slashes_and_nothing_else() {
        for (uri, expected) in [
            ("/api/doors", vec!["api", "doors"]),
            ("/api/doors/", vec!["api", "doors", ""]),
            ("/api/doors/a%2Fb?x=/y", vec!["api", "doors", "a%2Fb"]),
            ("http://host:1/api", vec!["api"]),
            ("/", vec![""]),
        ] {
            let request = get(uri).body(Bytes::new()).unwrap();
            assert_eq!(segments(&request), expected, "{uri}");
        }
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_not_used() {
        let id = |value: &str| {
            let request = get("/")
                .header(REQUEST_ID, value)
                .body(Bytes::new())
                .unwrap();
            request_id(&request).to_owned()
        };
        assert_eq!(id("0199-a_b"), "0199-a_b");
        assert_eq!(id("a b"), "-");
        assert_eq!(id(&"x".repeat(65)), "-");
    }
}
