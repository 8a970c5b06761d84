//! Versions as ETags, and the conditions on them: nobody overwrites what they have not seen.

use http::StatusCode;
use http::header::{IF_MATCH, IF_NONE_MATCH};
use kernel::{Message, Refusal, RefusalKind};

use crate::{Problem, Request};

/// Which versions the caller accepts to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whatever the version.
    Any,
    /// One of these.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// Holds the condition against the present version.
    ///
    /// # Errors
    /// 412 when the present version is another one.
    pub fn check(&self, version: i64) -> Result<(), Refusal> {
        match self {
            Self::Any => Ok(()),
            Self::Versions(versions) if versions.contains(&version) => Ok(()),
            Self::Versions(_) => Err(Refusal::new(
                RefusalKind::Stale,
                "version_changed",
                Message::new(
                    "It has changed since you read it. Read it again, then repeat your change.",
                    "内容已被他人修改，请重新读取后再提交。",
                ),
            )),
        }
    }
}

/// The caller's `If-Match`, if there is one. A tag that is not one of ours matches no version.
#[must_use]
pub fn if_match(request: &Request) -> Option<IfMatch> {
    tags(request, IF_MATCH, |tag| !tag.starts_with("W/"))
}

/// The caller's `If-Match`, where a change must not go without.
///
/// # Errors
/// 428 without the header.
pub fn required_if_match(request: &Request) -> Result<IfMatch, Problem> {
    if_match(request).ok_or_else(|| {
        let message = Message::new(
            "Read it first and send its ETag as `If-Match`.",
            "请先读取，并以 If-Match 发送其 ETag。",
        );
        Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "if_match_required",
            message,
        )
    })
}

/// Whether the caller's copy (`If-None-Match`) is the present version.
#[must_use]
pub fn is_fresh(request: &Request, version: i64) -> bool {
    match tags(request, IF_NONE_MATCH, |_| true) {
        None => false,
        Some(IfMatch::Any) => true,
        Some(IfMatch::Versions(versions)) => versions.contains(&version),
    }
}

fn tags(
    request: &Request,
    name: http::HeaderName,
    usable: impl Fn(&str) -> bool,
) -> Option<IfMatch> {
    if !request.headers().contains_key(&name) {
        return None;
    }
    let mut versions = Vec::new();
    for value in request.headers().get_all(name) {
        for tag in value.to_str().unwrap_or("").split(',').map(str::trim) {
            if tag == "*" {
                return Some(IfMatch::Any);
            }
            if usable(tag) {
                versions.extend(version(tag));
            }
        }
    }
    Some(IfMatch::Versions(versions))
}

fn version(tag: &str) -> Option<i64> {
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    quoted.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn request(name: &str, values: &[&str]) -> Request {
        let mut builder = http::Request::get("/");
        for value in values {
            builder = builder.header(name, *value);
        }
        builder.body(Bytes::new()).unwrap()
    }

    fn holds(values: &[&str], version: i64) -> bool {
        if_match(&request("if-match", values))
            .unwrap()
            .check(version)
            .is_ok()
    }

    #[test]
    fn only_the_version_that_was_read_may_be_changed() {
        assert!(holds(&["\"3\""], 3));
        assert!(holds(&["\"1\", \"3\""], 3));
        assert!(holds(&["\"1\"", "\"3\""], 3));
        assert!(holds(&["*"], 3));
        for stale in ["\"2\"", "3", "W/\"3\"", "\"abc\"", "", "\""] {
            assert!(!holds(&[stale], 3), "{stale:?}");
        }
    }

    #[test]
    fn a_change_without_a_version_is_asked_for_one() {
        let problem = required_if_match(&request("x", &[])).unwrap_err();
        assert_eq!(
            (problem.status.as_u16(), problem.code),
            (428, "if_match_required")
        );
        assert_eq!(if_match(&request("x", &[])), None);
    }

    #[test]
    fn a_fresh_copy_need_not_be_sent_again() {
        assert!(is_fresh(&request("if-none-match", &["\"3\""]), 3));
        assert!(is_fresh(&request("if-none-match", &["W/\"3\""]), 3));
        assert!(is_fresh(&request("if-none-match", &["*"]), 3));
        assert!(!is_fresh(&request("if-none-match", &["\"2\""]), 3));
        assert!(!is_fresh(&request("x", &[]), 3));
    }
}
