//! Who is calling: a person or device with a token, or the machine's own scheduler and broker.

use http::header::AUTHORIZATION;
use kernel::{Actor, Message, Refusal, RefusalKind, Timestamp};

use crate::token::{TokenError, verify_session};
use crate::{Request, Secret};

/// The caller behind `Authorization: Bearer <token>`: the first line of every route under `/api`.
///
/// # Errors
/// 401 without a token, with a token of another deployment, or with an expired one.
pub fn actor(request: &Request, token_secret: &Secret, now: Timestamp) -> Result<Actor, Refusal> {
    actor_in_session(request, token_secret, now).map(|(actor, _)| actor)
}

/// The caller as [`actor`] tells it, and the session that the token names, if it names one.
///
/// # Errors
/// As [`actor`].
pub fn actor_in_session(
    request: &Request,
    token_secret: &Secret,
    now: Timestamp,
) -> Result<(Actor, Option<String>), Refusal> {
    let token = bearer(request).ok_or_else(missing)?;
    verify_session(token_secret, token, now).map_err(|error| match error {
        TokenError::Expired => unauthenticated(
            "token_expired",
            Message::new(
                "Your session has ended. Sign in again.",
                "登录已过期，请重新登录。",
            ),
        ),
        _ => unauthenticated(
            "token_invalid",
            Message::new(
                "This token is not valid here. Sign in again.",
                "令牌无效，请重新登录。",
            ),
        ),
    })
}

/// Lets only the deployment itself pass: the first line of every route under `/internal`.
///
/// # Errors
/// 401 without the internal token.
pub fn internal(request: &Request, internal_token: &Secret) -> Result<(), Refusal> {
    let token = bearer(request).ok_or_else(missing)?;
    if internal_token.is(token) {
        return Ok(());
    }
    Err(unauthenticated(
        "token_invalid",
        Message::new(
            "This is not the internal token of this deployment.",
            "内部令牌不正确。",
        ),
    ))
}

/// What follows `Authorization: Bearer`, of whatever kind it is; nothing without the header, or with two of them.
#[must_use]
pub fn bearer(request: &Request) -> Option<&str> {
    let mut values = request.headers().get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next()?, values.next());
    if second.is_some() {
        return None;
    }
    let (scheme, token) = first.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn missing() -> Refusal {
    unauthenticated(
        "token_missing",
        Message::new(
            "Sign in first and send the token as `Authorization: Bearer <token>`.",
            "请先登录，并以 Authorization: Bearer <令牌> 发送令牌。",
        ),
    )
}

fn unauthenticated(code: &'static str, message: Message) -> Refusal {
    Refusal::new(RefusalKind::Unauthenticated, code, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use kernel::{ActorId, ActorKind, TenantId};

    fn secret() -> Secret {
        Secret::new("token_secret", "k".repeat(32)).unwrap()
    }

    fn request(authorization: &[&str]) -> Request {
        let mut builder = http::Request::get("/");
        for value in authorization {
            builder = builder.header("authorization", *value);
        }
        builder.body(Bytes::new()).unwrap()
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    #[test]
    fn only_a_valid_bearer_token_makes_an_actor() {
        let operator = Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind: ActorKind::Operator,
            id: ActorId::parse("wang").unwrap(),
            communities: vec![],
            scopes: vec![],
        };
        let token = crate::token::issue(&secret(), &operator, at(0), 60).unwrap();
        let bearer = format!("Bearer {token}");
        assert_eq!(
            actor(&request(&[&bearer]), &secret(), at(0)),
            Ok(operator.clone())
        );
        assert_eq!(
            actor(
                &request(&[&bearer.replace("Bearer", "bearer")]),
                &secret(),
                at(0)
            ),
            Ok(operator)
        );
        for (headers, moment, code) in [
            (vec![], 0, "token_missing"),
            (vec!["Basic eDp5"], 0, "token_missing"),
            (vec![token.as_str()], 0, "token_missing"),
            (vec![bearer.as_str(), bearer.as_str()], 0, "token_missing"),
            (vec!["Bearer x.y.z"], 0, "token_invalid"),
            (vec![bearer.as_str()], 60_000, "token_expired"),
        ] {
            let refusal = actor(&request(&headers), &secret(), at(moment)).unwrap_err();
            assert_eq!(
                (refusal.kind, refusal.code),
                (RefusalKind::Unauthenticated, code),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn only_the_internal_token_opens_internal_routes() {
        let right = format!("Bearer {}", "k".repeat(32));
        assert_eq!(internal(&request(&[&right]), &secret()), Ok(()));
        for wrong in ["Bearer ", "Bearer k", "Basic k"] {
            assert!(internal(&request(&[wrong]), &secret()).is_err(), "{wrong}");
        }
        assert!(internal(&request(&[]), &secret()).is_err());
    }
}
