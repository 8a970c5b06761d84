//! Errors on the wire: problem documents (RFC 9457) with a stable `code` and a sentence in the caller's language.
//!
//! The public sentence says what the caller can do. The cause of an internal error goes to the log and never
//! into a reply.

use std::fmt;

use http::StatusCode;
use http::header::{
    ALLOW, CONTENT_LANGUAGE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use kernel::{Message, Refusal, RefusalKind, Transient};
use serde::Serialize;

use crate::{Language, Reply, Request, language, log, request_id};

/// What a route answers when it cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// The stable name that programs branch on.
    pub code: &'static str,
    /// What people read.
    pub message: Message,
    /// The field of the body or the query parameter at fault, if it is one.
    pub field: Option<String>,
    /// Headers that belong to the answer, such as `allow`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Document<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    request_id: &'a str,
}

impl Problem {
    /// A problem of that status.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: Message) -> Self {
        Self {
            status,
            code,
            message,
            field: None,
            headers: Vec::new(),
        }
    }

    /// Names the field or parameter at fault.
    #[must_use]
    pub fn at_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds a header to the answer; a value that no header may hold is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Tells the caller to come back after that many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.with_header(RETRY_AFTER, &seconds.to_string())
    }

    /// The document as a reply to this request.
    #[must_use]
    pub fn into_reply(self, request: &Request) -> Reply {
        let language = language(request);
        let document = Document {
            r#type: "about:blank",
            title: title(self.status, language),
            status: self.status.as_u16(),
            code: self.code,
            detail: language.of(&self.message),
            field: self.field.as_deref(),
            request_id: request_id(request),
        };
        let mut reply = Reply::json(self.status, "application/problem+json", &document)
            .with_header(CONTENT_LANGUAGE, language.tag());
        if self.status == StatusCode::UNAUTHORIZED {
            reply = reply.with_header(WWW_AUTHENTICATE, "Bearer");
        }
        reply.headers.extend(self.headers);
        reply
    }

    /// The database is busy or away: 503, to be tried again.
    fn unavailable() -> Self {
        let message = Message::new(
            "The service is busy at the moment. Try again in a second; with an Idempotency-Key nothing happens twice.",
            "服务暂时繁忙，请稍后重试；带上 Idempotency-Key 不会重复执行。",
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).retry_after(1)
    }

    fn internal() -> Self {
        let message = Message::new(
            "Something went wrong on our side. Try again; if it stays, report the request_id.",
            "服务内部出错，请重试；如仍失败，请提供 request_id。",
        );
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message.english)
    }
}

impl std::error::Error for Problem {}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.kind {
            RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Stale => StatusCode::PRECONDITION_FAILED,
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        };
        Self::new(status, refusal.code, refusal.message)
    }
}

/// The last line of every route table: a result becomes a reply, with the request's id on it. A [`Refusal`] or
/// a [`Problem`] anywhere in the error is what the caller reads; any other error is logged with its causes and
/// answered as `internal`.
#[must_use]
pub fn answer(request: &Request, result: anyhow::Result<Reply>) -> Reply {
    let reply = result.unwrap_or_else(|error| problem_of(request, error).into_reply(request));
    match request_id(request) {
        "-" => reply,
        id => reply.with_header(HeaderName::from_static(crate::REQUEST_ID), id),
    }
}

fn problem_of(request: &Request, error: anyhow::Error) -> Problem {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return refusal.clone().into();
    }
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone();
    }
    let place = format!("{} {}", request.method(), request.uri().path());
    log("error", request_id(request), &format!("{place}: {error:#}"));
    if error.chain().any(|cause| cause.is::<Transient>()) {
        return Problem::unavailable();
    }
    Problem::internal()
}

/// No route has this path: 404.
///
/// # Errors
/// Always.
pub fn unknown_route() -> anyhow::Result<Reply> {
    let message = Message::new(
        "There is nothing at this address. Check the path.",
        "该地址不存在，请检查路径。",
    );
    Err(Problem::new(StatusCode::NOT_FOUND, "not_found", message).into())
}

/// The path exists, the method does not: 405, with what is allowed.
///
/// # Errors
/// Always.
pub fn method_not_allowed(allowed: &str) -> anyhow::Result<Reply> {
    let message = Message::new(
        format!("This address does not know that method. It knows: {allowed}."),
        format!("该地址不支持此方法，支持：{allowed}。"),
    );
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        message,
    );
    Err(problem.with_header(ALLOW, allowed).into())
}

fn title(status: StatusCode, language: Language) -> &'static str {
    if language == Language::English {
        return status.canonical_reason().unwrap_or("Error");
    }
    match status.as_u16() {
        400 => "请求格式错误",
        401 => "未登录",
        403 => "没有权限",
        404 => "未找到",
        405 => "方法不支持",
        409 => "状态冲突",
        412 => "版本已变化",
        413 => "内容过大",
        415 => "内容类型不支持",
        422 => "内容无法接受",
        428 => "缺少版本条件",
        429 => "请求过于频繁",
        503 => "服务繁忙",
        _ => "服务出错",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;
    use bytes::Bytes;

    fn request(accept_language: &str) -> Request {
        http::Request::get("/api/doors")
            .header("accept-language", accept_language)
            .header("x-request-id", "r-1")
            .body(Bytes::new())
            .unwrap()
    }

    fn document(reply: &Reply) -> serde_json::Value {
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn suspended() -> Refusal {
        Refusal::forbidden("grant_suspended", Message::new("Suspended.", "已停用。"))
    }

    #[test]
    fn a_refusal_deep_in_an_error_is_what_the_caller_reads() {
        let result = Err(anyhow::Error::from(suspended())
            .context("opening")
            .context("tx"));
        let reply = answer(&request("zh"), result);
        assert_eq!(reply.status, 403);
        assert_eq!(reply.headers["content-type"], "application/problem+json");
        assert_eq!(
            reply.headers["content-length"],
            reply.body.len().to_string()
        );
        assert_eq!(reply.headers["x-request-id"], "r-1");
        assert_eq!(
            document(&reply),
            serde_json::json!({
                "type": "about:blank", "title": "没有权限", "status": 403, "code": "grant_suspended",
                "detail": "已停用。", "request_id": "r-1",
            })
        );
    }

    #[test]
    fn the_code_is_the_same_in_both_languages() {
        let in_language = |tag| document(&answer(&request(tag), Err(suspended().into())));
        assert_eq!(in_language("zh")["code"], in_language("en")["code"]);
        assert_eq!(in_language("en")["detail"], "Suspended.");
    }

    #[test]
    fn an_internal_cause_never_reaches_the_caller() {
        let cause: anyhow::Result<Reply> =
            Err(anyhow::anyhow!("password=hunter2")).context("opening the database");
        let reply = answer(&request("en"), cause);
        assert_eq!(reply.status, 500);
        assert_eq!(document(&reply)["code"], "internal");
        assert!(!String::from_utf8_lossy(&reply.body).contains("hunter2"));
    }

    #[test]
    fn what_passes_by_itself_is_to_be_tried_again() {
        let busy: anyhow::Result<Reply> = Err(kernel::Transient).context("loading the door");
        let reply = answer(&request("en"), busy);
        assert_eq!(reply.status, 503);
        assert_eq!(document(&reply)["code"], "busy");
        assert_eq!(reply.headers["retry-after"], "1");
    }

    #[test]
    fn every_family_of_refusals_has_one_status() {
        for (kind, status) in [
            (RefusalKind::Unauthenticated, 401),
            (RefusalKind::Forbidden, 403),
            (RefusalKind::NotFound, 404),
            (RefusalKind::Conflict, 409),
            (RefusalKind::Stale, 412),
            (RefusalKind::Invalid, 422),
            (RefusalKind::TooMany, 429),
        ] {
            let refusal = Refusal::new(kind, "code", Message::new("a", "b"));
            let reply = answer(&request("en"), Err(refusal.into()));
            assert_eq!(reply.status, status);
            assert_eq!(
                reply.headers.contains_key("www-authenticate"),
                status == 401
            );
        }
    }

    #[test]
    fn a_wrong_method_names_the_right_ones() {
        let reply = answer(&request("en"), method_not_allowed("GET, POST"));
        assert_eq!(
            (reply.status.as_u16(), &reply.headers["allow"]),
            (405, &HeaderValue::from_static("GET, POST"))
        );
        assert_eq!(answer(&request("en"), unknown_route()).status, 404);
    }
}
