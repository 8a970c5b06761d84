//! What is decided about doors, pure: time, ids and the caller come in as arguments, a refusal comes out as a value.
//!
//! One file a noun: [`Door`], [`Grant`], [`Group`], [`Schedule`], [`Card`], [`Suspension`], [`Opening`],
//! [`Occurrence`]. Whether a door opens is decided in the crate `access`, which gates share.

mod card;
mod door;
mod grant;
mod group;
mod occurrence;
mod opening;
mod refusing;
mod schedule;
mod suspension;

pub use card::{Card, CardState, NUMBER_MAX, block, end_card, known_card, unblock, unknown_card};
pub use door::{
    Change, Door, Name, Registration, UnlockMillis, change_door, is_people, is_person, know,
    manages, oversee_it, overseers_only, oversees, own_unless_overseer, register_door, run_it,
    unknown_community, unknown_door, whose,
};
pub use grant::{
    Grant, GrantState, Offer, Validity, grant, known_grant, resume, revoke, suspend, unknown_grant,
};
pub use group::{
    ADMITS_MAX, GROUP_DOORS_MAX, Group, GroupChange, change_group, known_group, make_group,
    unknown_group,
};
pub use occurrence::{DEVICE_AHEAD_MS_MAX, DEVICE_BEHIND_MS_MAX, Occurrence, report};
pub use opening::{
    Ask, Ground, Known, LateAnswer, OPENING_EXPIRES_MS, Opening, OpeningState, acknowledge,
    known_opening, observe, request_opening, unknown_opening,
};
pub use refusing::refusal_of;
pub use schedule::{
    Schedule, ScheduleChange, change_schedule, known_schedule, make_schedule, unknown_schedule,
    windows,
};
pub use suspension::{Suspension, suspend_person};

use std::fmt;

/// A sentence that a person or a device gives for the audit: 1 to [`Reason::CHARACTERS_MAX`] characters, none of
/// them a control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// Why a text is no reason or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    characters_max: usize,
}

impl fmt::Display for TextError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "write 1 to {} characters on one line",
            self.characters_max
        )
    }
}

impl std::error::Error for TextError {}

impl Reason {
    /// The longest reason, in characters.
    pub const CHARACTERS_MAX: usize = 200;

    /// A reason that a person typed.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        one_line(text, Self::CHARACTERS_MAX).map(Self)
    }

    /// A reason that a device or a line gave: shortened and cleaned, because an audit is not lost for its form.
    #[must_use]
    pub fn of_device(text: &str) -> Self {
        let clean = text.chars().map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        });
        let short: String = clean.take(Self::CHARACTERS_MAX).collect();
        match short.trim() {
            "" => Self("unknown".to_owned()),
            trimmed => Self(trimmed.to_owned()),
        }
    }

    /// The sentence.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::parse(&text)
    }
}

fn one_line(text: &str, characters_max: usize) -> Result<String, TextError> {
    let trimmed = text.trim();
    let length = trimmed.chars().count();
    if length == 0 || length > characters_max || trimmed.chars().any(char::is_control) {
        return Err(TextError { characters_max });
    }
    Ok(trimmed.to_owned())
}

#[cfg(test)]
pub(crate) mod sample {
    //! One of everything, for the tests of the domain.

    use super::*;
    use kernel::{Actor, ActorId, ActorKind, CommunityId, DeviceId, GrantId, TenantId, Timestamp};

    pub fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    pub fn actor(kind: ActorKind, id: &str, communities: &[&str]) -> Actor {
        Actor {
            tenant: TenantId::parse("demo").unwrap(),
            kind,
            id: ActorId::parse(id).unwrap(),
            communities: communities
                .iter()
                .map(|id| CommunityId::parse(id).unwrap())
                .collect(),
            scopes: vec![],
        }
    }

    /// A resident of the garden.
    pub fn li() -> Actor {
        actor(ActorKind::Resident, "li", &["garden"])
    }

    /// A butler of the garden.
    pub fn chen() -> Actor {
        actor(ActorKind::Staff, "chen", &["garden"])
    }

    /// The operator.
    pub fn wang() -> Actor {
        actor(ActorKind::Operator, "wang", &[])
    }

    /// A door of the garden.
    pub fn north_gate() -> Door {
        Door {
            id: DeviceId::parse("north-gate").unwrap(),
            community: CommunityId::parse("garden").unwrap(),
            name: Name::parse("北门").unwrap(),
            gateway: DeviceId::parse("gateway-1").unwrap(),
            unlock: UnlockMillis::new(3000).unwrap(),
            direction: wire::snapshot::Direction::Both,
            released: false,
            version: 1,
        }
    }

    /// What lets Li open the north gate between 100 s and 900 s.
    pub fn grant_of_li() -> Grant {
        Grant {
            id: GrantId::parse("g1").unwrap(),
            door: north_gate().id,
            community: north_gate().community,
            person: li().id,
            validity: Validity::new(at(100_000), Some(at(900_000))).unwrap(),
            state: GrantState::Active,
            version: 1,
        }
    }

    pub fn reason(text: &str) -> Reason {
        Reason::parse(text).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_reason_is_one_line_of_bounded_length() {
        assert_eq!(Reason::parse(" 忘带门卡 ").unwrap().as_str(), "忘带门卡");
        for text in ["", "  ", "a\nb", "a\u{0}b", &"门".repeat(201)] {
            assert!(Reason::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_device_says_becomes_a_reason_that_can_be_read_back(text in ".{0,400}") {
            let reason = Reason::of_device(&text);
            prop_assert_eq!(Reason::parse(reason.as_str()).unwrap(), reason);
        }
    }
}
