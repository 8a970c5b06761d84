//! Sessions: how long they last, and what becomes of a refresh token that is presented.

use kernel::{Actor, ActorId, ActorKind, Message, Refusal, RefusalKind, Timestamp};

/// How long an access token of a person holds, in seconds: other capabilities honour it to its end, so it is short.
pub const ACCESS_SECONDS: u32 = 15 * 60;

/// How long the token of a device holds, in seconds.
pub const DEVICE_SECONDS: u32 = 60 * 60;

/// How long a session lasts after its last refresh, in milliseconds: 30 days.
pub const IDLE_MS: i64 = 30 * DAY_MS;

/// How long a session lasts however often it is refreshed, in milliseconds: 180 days.
pub const SESSION_MS: i64 = 180 * DAY_MS;

/// A day, in milliseconds.
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A session of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which one: tokens carry it as `sid`.
    pub id: String,
    /// Whose.
    pub person: ActorId,
    /// Since when.
    pub started_at: Timestamp,
    /// When it was last refreshed.
    pub used_at: Timestamp,
    /// From when on it is over.
    pub expires_at: Timestamp,
    /// When it was ended before its time.
    pub ended_at: Option<Timestamp>,
}

impl Session {
    /// A session that starts now.
    #[must_use]
    pub fn start(id: String, person: ActorId, now: Timestamp) -> Self {
        Self {
            id,
            person,
            started_at: now,
            used_at: now,
            expires_at: now.plus_millis(IDLE_MS),
            ended_at: None,
        }
    }

    /// Whether it still lasts.
    #[must_use]
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }
}

/// What a refresh token turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The one that was given out last.
    Live,
    /// One that was used before.
    Used,
    /// None of this session.
    Unknown,
}

/// What a presented refresh token leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refreshed {
    /// The session goes on, with a new token.
    On(Session),
    /// The session ends now, for everybody who holds a token of it: one of them stole it.
    Reused(Session),
    /// Nothing: it is no token of a session that lasts.
    Refused,
}

/// What a refresh token leads to.
#[must_use]
pub fn refresh(session: Option<Session>, presented: Presented, now: Timestamp) -> Refreshed {
    match (session, presented) {
        (Some(session), Presented::Live) if session.lasts(now) => {
            let last = session.started_at.plus_millis(SESSION_MS);
            Refreshed::On(Session {
                used_at: now,
                expires_at: now.plus_millis(IDLE_MS).min(last),
                ..session
            })
        }
        (Some(session), Presented::Used) if session.lasts(now) => Refreshed::Reused(Session {
            ended_at: Some(now),
            ..session
        }),
        _ => Refreshed::Refused,
    }
}

/// The refresh token is none, or its session is over.
#[must_use]
pub fn refresh_refused() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "refresh_token_invalid",
        Message::new(
            "This session is over. Sign in again.",
            "登录已失效，请重新登录。",
        ),
    )
}

/// The refresh token was used before.
#[must_use]
pub fn refresh_reused() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "refresh_token_reused",
        Message::new(
            "This session was ended because a refresh token was used twice. Sign in again; change your password if that was not you.",
            "刷新令牌被重复使用，登录已终止。请重新登录；如非本人操作请修改密码。",
        ),
    )
}

/// The session of the token was ended.
#[must_use]
pub fn session_ended() -> Refusal {
    Refusal::new(
        RefusalKind::Unauthenticated,
        "session_ended",
        Message::new(
            "This session was ended. Sign in again.",
            "登录已被终止，请重新登录。",
        ),
    )
}

/// There is no such session, as far as the caller may know.
#[must_use]
pub fn unknown_session() -> Refusal {
    Refusal::not_found(
        "session_unknown",
        Message::new(
            "There is no such session here. Check the id.",
            "没有这个登录会话，请检查编号。",
        ),
    )
}

/// The session, for the person it belongs to and for operators.
///
/// # Errors
/// Unknown to everybody else.
pub fn known_session(actor: &Actor, session: Option<Session>) -> Result<Session, Refusal> {
    session
        .filter(|session| is_person(actor, &session.person) || actor.kind == ActorKind::Operator)
        .ok_or_else(unknown_session)
}

/// Lets people pass, and operators for whomever: sessions are people's.
///
/// # Errors
/// For whoever is neither the person nor an operator.
pub fn may_end_sessions(actor: &Actor, person: &ActorId) -> Result<(), Refusal> {
    if is_person(actor, person) || actor.kind == ActorKind::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "sessions_forbidden",
        Message::new(
            "Only operators see and end other people's sessions.",
            "只有运营人员可以查看和终止他人的登录会话。",
        ),
    ))
}

/// Whether the caller is that person; a device or application of the same id is somebody else.
#[must_use]
pub fn is_person(actor: &Actor, person: &ActorId) -> bool {
    actor.id == *person && !matches!(actor.kind, ActorKind::Device | ActorKind::Application)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sample::at;
    use proptest::prelude::*;

    fn session() -> Session {
        Session::start("s1".to_owned(), ActorId::parse("li").unwrap(), at(0))
    }

    #[test]
    fn a_session_goes_on_while_it_is_used_and_not_forever() {
        let mut session = session();
        let mut now = at(0);
        while let Refreshed::On(next) = refresh(Some(session.clone()), Presented::Live, now) {
            assert!(next.expires_at > now);
            now = now.plus_millis(IDLE_MS - 1);
            session = next;
        }
        assert!(now >= at(SESSION_MS));
        let idle = refresh(Some(self::session()), Presented::Live, at(IDLE_MS));
        assert_eq!(idle, Refreshed::Refused);
    }

    #[test]
    fn a_used_token_ends_the_session_and_an_unknown_one_does_nothing() {
        let reused = refresh(Some(session()), Presented::Used, at(5));
        assert!(matches!(reused, Refreshed::Reused(ended) if !ended.lasts(at(5))));
        assert_eq!(
            refresh(Some(session()), Presented::Unknown, at(5)),
            Refreshed::Refused
        );
        assert_eq!(refresh(None, Presented::Live, at(5)), Refreshed::Refused);
    }

    proptest! {
        #[test]
        fn of_all_tokens_that_were_given_out_at_most_the_last_is_live(picks in prop::collection::vec(0_usize..6, 0..40)) {
            // The model of what the tables hold: tokens by number, the live one last.
            let (mut session, mut given) = (session(), 1_usize);
            for (step, pick) in picks.into_iter().enumerate() {
                let presented = match pick {
                    pick if pick + 1 == given => Presented::Live,
                    pick if pick < given => Presented::Used,
                    _ => Presented::Unknown,
                };
                let lasted = session.lasts(at(step as i64));
                match refresh(Some(session.clone()), presented, at(step as i64)) {
                    Refreshed::On(next) => {
                        prop_assert!(lasted && presented == Presented::Live);
                        (session, given) = (next, given + 1);
                    }
                    Refreshed::Reused(ended) => session = ended,
                    Refreshed::Refused => prop_assert!(!lasted || presented == Presented::Unknown),
                }
                if presented == Presented::Used {
                    prop_assert!(!session.lasts(at(step as i64)));
                }
            }
        }
    }
}
