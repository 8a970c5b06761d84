//! Request bodies: JSON of a known type, or a problem that says where it is wrong.

use http::StatusCode;
use http::header::CONTENT_TYPE;
use kernel::Message;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{Problem, Request};

/// The largest body that is read, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The longest piece of a parser's message that is repeated to the caller, in characters.
const EXCERPT_CHARACTERS_MAX: usize = 200;

/// Reads the body as JSON of that type.
///
/// # Errors
/// 415 for another content type, 413 when too large, 400 with line and column for what is not JSON, 422 with the
/// field for JSON of another shape.
pub fn body<T: DeserializeOwned>(request: &Request) -> Result<T, Problem> {
    body_up_to(request, BODY_BYTES_MAX)
}

/// As [`body`], for a route whose bodies may be larger. The function reads that many with `read_up_to`.
///
/// # Errors
/// As [`body`].
pub fn body_up_to<T: DeserializeOwned>(request: &Request, bytes_max: usize) -> Result<T, Problem> {
    if !is_json(request) {
        return Err(unsupported());
    }
    if request.body().len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    let mut parser = serde_json::Deserializer::from_slice(request.body());
    let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let path = error.path().to_string();
        explain(error.inner(), &path)
    })?;
    parser.end().map_err(|error| explain(&error, "."))?;
    Ok(value)
}

/// The body as bytes of whatever kind: a part of a file. The function reads that many with
/// `read_up_to`.
///
/// # Errors
/// 413 when it is larger than `bytes_max`.
pub fn raw_body(request: &Request, bytes_max: usize) -> Result<&[u8], Problem> {
    if request.body().len() > bytes_max {
        return Err(too_large(bytes_max));
    }
    Ok(request.body())
}

/// The body is larger than that.
pub(crate) fn too_large(bytes_max: usize) -> Problem {
    let message = Message::new(
        format!("The body is larger than {bytes_max} bytes. Send less."),
        format!("请求内容超过 {bytes_max} 字节，请减小后再试。"),
    );
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn is_json(request: &Request) -> bool {
    let header = request.headers().get(CONTENT_TYPE);
    let essence = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or("")
        .trim();
    essence.eq_ignore_ascii_case("application/json")
}

fn unsupported() -> Problem {
    let message = Message::new(
        "Send the body as JSON, with `content-type: application/json`.",
        "请以 JSON 发送内容，并设置 content-type: application/json。",
    );
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "content_type_unsupported",
        message,
    )
}

fn explain(error: &serde_json::Error, path: &str) -> Problem {
    match error.classify() {
        Category::Data => wrong_shape(error, path),
        Category::Syntax | Category::Eof | Category::Io => {
            let (line, column) = (error.line(), error.column());
            let message = Message::new(
                format!("The body is not JSON: see line {line}, column {column}."),
                format!("请求内容不是有效的 JSON：第 {line} 行第 {column} 列。"),
            );
            Problem::new(StatusCode::BAD_REQUEST, "malformed_json", message)
        }
    }
}

fn wrong_shape(error: &serde_json::Error, path: &str) -> Problem {
    let reason: String = error
        .to_string()
        .chars()
        .take(EXCERPT_CHARACTERS_MAX)
        .collect();
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    if path == "." {
        let message = Message::new(
            format!("The body does not have the expected shape: {reason}."),
            format!("请求内容结构不正确：{reason}。"),
        );
        return Problem::new(status, "wrong_type", message);
    }
    let message = Message::new(
        format!("The field {path} cannot be accepted: {reason}."),
        format!("字段 {path} 不正确：{reason}。"),
    );
    Problem::new(status, "wrong_type", message).at_field(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use kernel::DeviceId;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Ask {
        id: DeviceId,
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        unlock_ms: Vec<u32>,
    }

    fn post(content_type: &str, body: impl Into<Bytes>) -> Request {
        http::Request::post("/")
            .header("content-type", content_type)
            .body(body.into())
            .unwrap()
    }

    fn check(body_text: &str, status: u16, code: &str, field: Option<&str>, says: &str) {
        let problem = body::<Ask>(&post("application/json", body_text.to_owned())).unwrap_err();
        assert_eq!(
            (problem.status.as_u16(), problem.code),
            (status, code),
            "{body_text}"
        );
        assert_eq!(problem.field.as_deref(), field, "{body_text}");
        assert!(
            problem.message.english.contains(says),
            "{}",
            problem.message.english
        );
    }

    #[test]
    fn a_right_body_is_its_type() {
        let ask: Ask = body(&post(
            "Application/JSON; charset=utf-8",
            r#"{"id":"d1","inner":{"unlock_ms":[1]}}"#,
        ))
        .unwrap();
        assert_eq!((ask.id.as_str(), ask.inner.unlock_ms), ("d1", vec![1]));
    }

    #[test]
    fn a_wrong_body_says_where_it_is_wrong() {
        check("", 400, "malformed_json", None, "line 1, column 0");
        check(
            "{\n\"id\": }",
            400,
            "malformed_json",
            None,
            "line 2, column 7",
        );
        check(
            r#"{"id":"d1","inner":{"unlock_ms":[]}} x"#,
            400,
            "malformed_json",
            None,
            "line 1",
        );
        check(
            r#"{"id":"a/b","inner":{"unlock_ms":[]}}"#,
            422,
            "wrong_type",
            Some("id"),
            "1 to 64 letters",
        );
        check(r#"{"id":7}"#, 422, "wrong_type", Some("id"), "expected");
        check(
            r#"{"id":"d1","inner":{"unlock_ms":[1,"2"]}}"#,
            422,
            "wrong_type",
            Some("inner.unlock_ms[1]"),
            "expected u32",
        );
        check(
            r#"{"id":"d1"}"#,
            422,
            "wrong_type",
            None,
            "missing field `inner`",
        );
        check(
            r#"{"id":"d1","colour":1}"#,
            422,
            "wrong_type",
            Some("colour"),
            "unknown field",
        );
        check("[]", 422, "wrong_type", None, "shape");
    }

    #[test]
    fn another_content_type_and_a_large_body_are_refused_before_parsing() {
        for content_type in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/jsonx",
        ] {
            let problem = body::<Ask>(&post(content_type, "{}")).unwrap_err();
            assert_eq!(problem.status, 415);
        }
        let problem =
            body::<Ask>(&post("application/json", vec![b' '; BODY_BYTES_MAX + 1])).unwrap_err();
        assert_eq!(
            (problem.status.as_u16(), problem.code),
            (413, "body_too_large")
        );
    }

    #[test]
    fn a_part_of_a_file_has_a_limit_of_its_own() {
        let part = post("text/csv", vec![b'x'; BODY_BYTES_MAX + 1]);
        assert_eq!(
            raw_body(&part, BODY_BYTES_MAX + 1).unwrap().len(),
            BODY_BYTES_MAX + 1
        );
        let problem = raw_body(&part, BODY_BYTES_MAX).unwrap_err();
        assert_eq!(
            (problem.status.as_u16(), problem.code),
            (413, "body_too_large")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_a_problem(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(body::<Ask>(&post("application/json", bytes)).is_err());
        }
    }
}
