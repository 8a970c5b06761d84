//! Access tokens: compact JWTs, HS256 over the deployment's secret, issued by `identity` and read by everyone.
//!
//! Exactly one algorithm is known, whatever a token's header says, and nothing of a token is believed before
//! its signature holds.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Actor, ActorId, ActorKind, CommunityId, Scope, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Secret;

/// The longest token that is read, in bytes.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// Why a text is not a token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not three base64url parts of JSON with our claims.
    Malformed,
    /// Another algorithm than HS256, or an extension that must be understood.
    Algorithm,
    /// Signed with another key, or changed.
    Signature,
    /// Its time is over.
    Expired,
}

impl fmt::Display for TokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the token is malformed",
            Self::Algorithm => "the token's algorithm is not HS256",
            Self::Signature => "the token's signature does not hold",
            Self::Expired => "the token has expired",
        })
    }
}

impl std::error::Error for TokenError {}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<String>,
    /// Extensions that a reader must understand (RFC 7515, section 4.1.11); we understand none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    ten: TenantId,
    sub: ActorId,
    knd: ActorKind,
    com: Vec<CommunityId>,
    sco: Vec<Scope>,
    /// The session the token belongs to; tokens of devices and applications have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    /// Seconds since the epoch.
    iat: i64,
    /// Seconds since the epoch; from then on the token is nothing.
    exp: i64,
}

/// A token that speaks for `actor` for `lifetime_seconds` from `now`.
///
/// # Errors
/// When the claims cannot be written.
pub fn issue(
    secret: &Secret,
    actor: &Actor,
    now: Timestamp,
    lifetime_seconds: u32,
) -> anyhow::Result<String> {
    issue_in_session(secret, actor, None, (now, lifetime_seconds))
}

/// A token as [`issue`] makes it that also names the session it belongs to.
///
/// # Errors
/// When the claims cannot be written.
pub fn issue_in_session(
    secret: &Secret,
    actor: &Actor,
    session: Option<&str>,
    (now, lifetime_seconds): (Timestamp, u32),
) -> anyhow::Result<String> {
    let issued = now.millis().div_euclid(1000);
    let claims = Claims {
        ten: actor.tenant.clone(),
        sub: actor.id.clone(),
        knd: actor.kind,
        com: actor.communities.clone(),
        sco: actor.scopes.clone(),
        sid: session.map(str::to_owned),
        iat: issued,
        exp: issued + i64::from(lifetime_seconds),
    };
    let header = Header {
        alg: "HS256".into(),
        typ: Some("JWT".into()),
        crit: None,
    };
    let mut token = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(&claims)?, &mut token);
    let tag = secret.sign(token.as_bytes()).ok_or(TokenError::Signature)?;
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(tag, &mut token);
    Ok(token)
}

/// Whom the token speaks for.
///
/// # Errors
/// When the text is not an unexpired token signed with this secret.
pub fn verify(secret: &Secret, token: &str, now: Timestamp) -> Result<Actor, TokenError> {
    verify_session(secret, token, now).map(|(actor, _)| actor)
}

/// Whom the token speaks for, and the session it names. Whether that session still lasts is known to `identity` alone.
///
/// # Errors
/// As [`verify`].
pub fn verify_session(
    secret: &Secret,
    token: &str,
    now: Timestamp,
) -> Result<(Actor, Option<String>), TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let (signed, tag) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header: Header = decode(header)?;
    if header.alg != "HS256" || header.crit.is_some() {
        return Err(TokenError::Algorithm);
    }
    let tag = URL_SAFE_NO_PAD
        .decode(tag)
        .map_err(|_| TokenError::Malformed)?;
    if !secret.signed(signed.as_bytes(), &tag) {
        return Err(TokenError::Signature);
    }
    let claims: Claims = decode(claims)?;
    if now.millis().div_euclid(1000) >= claims.exp {
        return Err(TokenError::Expired);
    }
    let actor = Actor {
        tenant: claims.ten,
        kind: claims.knd,
        id: claims.sub,
        communities: claims.com,
        scopes: claims.sco,
    };
    Ok((actor, claims.sid))
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(byte: char) -> Secret {
        Secret::new("token_secret", byte.to_string().repeat(32)).unwrap()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    fn li() -> Actor {
        Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind: ActorKind::Resident,
            id: ActorId::parse("li").unwrap(),
            communities: vec![CommunityId::parse("garden").unwrap()],
            scopes: vec![Scope("doors:open".into())],
        }
    }

    fn token() -> String {
        issue(&secret('a'), &li(), at(1000), 3600).unwrap()
    }

    fn check(token: &str, expected: TokenError) {
        assert_eq!(
            verify(&secret('a'), token, at(1001)),
            Err(expected),
            "{token}"
        );
    }

    /// A token of any header and claims, signed with the right key.
    fn signed(header: &str, claims: &str) -> String {
        let text = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let tag = URL_SAFE_NO_PAD.encode(secret('a').sign(text.as_bytes()).unwrap());
        format!("{text}.{tag}")
    }

    #[test]
    fn a_token_speaks_for_its_actor_until_it_expires() {
        assert_eq!(verify(&secret('a'), &token(), at(1000)), Ok(li()));
        assert_eq!(verify(&secret('a'), &token(), at(4599)), Ok(li()));
        assert_eq!(
            verify(&secret('a'), &token(), at(4600)),
            Err(TokenError::Expired)
        );
    }

    #[test]
    fn a_token_names_its_session_where_it_has_one() {
        let token = issue_in_session(&secret('a'), &li(), Some("s1"), (at(1000), 60)).unwrap();
        let verified = verify_session(&secret('a'), &token, at(1000)).unwrap();
        assert_eq!(verified, (li(), Some("s1".to_owned())));
        assert_eq!(verify(&secret('a'), &token, at(1000)), Ok(li()));
    }

    #[test]
    fn a_token_of_another_key_is_refused() {
        check(
            &issue(&secret('b'), &li(), at(1000), 3600).unwrap(),
            TokenError::Signature,
        );
    }

    #[test]
    fn a_token_that_names_another_algorithm_is_refused_even_with_a_right_signature() {
        let claims = r#"{"ten":"demo","sub":"li","knd":"operator","com":[],"sco":[],"iat":1,"exp":9999999999}"#;
        for alg in ["none", "None", "HS512", "RS256", "hs256", ""] {
            check(
                &signed(&format!(r#"{{"alg":"{alg}"}}"#), claims),
                TokenError::Algorithm,
            );
        }
        check(
            &signed(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, claims),
            TokenError::Algorithm,
        );
        let unsigned = signed(r#"{"alg":"none"}"#, claims);
        check(
            &unsigned[..=unsigned.rfind('.').unwrap()],
            TokenError::Algorithm,
        );
        assert!(verify(&secret('a'), &signed(r#"{"alg":"HS256"}"#, claims), at(1)).is_ok());
    }

    #[test]
    fn a_forged_claim_breaks_the_signature() {
        let token = token();
        let parts: Vec<&str> = token.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let forged = URL_SAFE_NO_PAD.encode(claims.replace("resident", "operator"));
        check(
            &format!("{}.{forged}.{}", parts[0], parts[2]),
            TokenError::Signature,
        );
        check(
            &format!("{}.{}.", parts[0], parts[1]),
            TokenError::Signature,
        );
    }

    #[test]
    fn rightly_signed_nonsense_is_malformed() {
        for claims in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"ten":"a/b","sub":"li","knd":"resident","com":[],"sco":[],"iat":1,"exp":9999999999}"#,
        ] {
            check(&signed(r#"{"alg":"HS256"}"#, claims), TokenError::Malformed);
        }
        for garbage in [
            "",
            ".",
            "..",
            "...",
            "a.b.c",
            "门.门.门",
            &"x".repeat(TOKEN_BYTES_MAX + 1),
        ] {
            check(garbage, TokenError::Malformed);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_an_error_and_never_a_panic(text in ".*", parts in prop::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
            prop_assert!(verify(&secret('a'), &text, at(1)).is_err());
            prop_assert!(verify(&secret('a'), &parts.join("."), at(1)).is_err());
        }

        #[test]
        fn a_token_with_one_character_changed_is_refused(place in 0_usize..200, replacement in "[A-Za-z0-9_.-]") {
            let token = token();
            let place = place % token.len();
            prop_assume!(token[place..=place] != replacement);
            let changed = format!("{}{replacement}{}", &token[..place], &token[place + 1..]);
            prop_assert!(verify(&secret('a'), &changed, at(1001)).is_err());
        }
    }
}
