//! What is decided about communities, pure: time, ids and the caller come in as arguments, a refusal comes out as a
//! value. One file a noun.

mod binding;
mod parking;
mod place;
mod resident;
pub mod sheet;

pub use binding::{
    Binding, BindingRequest, Decision, RequestState, Term, check_request, end, know_binding,
    know_request, start,
};
pub use kernel::place_key;
pub use parking::{ParkingSpace, Plate, PlateError, PlateHolding, know_space, unknown_plate};
pub use place::{
    Building, Community, Company, Room, RoomUse, Unit, find_one, know_building, know_room,
    know_unit, overlooks,
};
pub use resident::{PHONES_MAX, Resident, Sight, know_resident};

use std::fmt;

use kernel::{Actor, ActorKind, CommunityId, Message, Refusal};

/// A text on one line: 1 to `MAX` characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Line<const MAX: usize>(String);

/// What people call something.
pub type Name = Line<100>;
/// A street address, a note or a reason.
pub type Note = Line<200>;

/// Why a text is no [`Line`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineError {
    characters_max: usize,
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = self.characters_max;
        write!(formatter, "write 1 to {most} characters on one line")
    }
}

impl std::error::Error for LineError {}

impl<const MAX: usize> Line<MAX> {
    /// Parses a text; space around it is left out.
    ///
    /// # Errors
    /// When it is blank, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        let trimmed = text.trim();
        let length = trimmed.chars().count();
        if length == 0 || length > MAX || trimmed.chars().any(char::is_control) {
            return Err(LineError {
                characters_max: MAX,
            });
        }
        Ok(Self(trimmed.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> TryFrom<String> for Line<MAX> {
    type Error = LineError;
    fn try_from(text: String) -> Result<Self, LineError> {
        Self::parse(&text)
    }
}

/// Whether the caller runs this community: its houses, people and cars.
#[must_use]
pub fn manages(actor: &Actor, community: &CommunityId) -> bool {
    matches!(actor.kind, ActorKind::Operator | ActorKind::Staff) && actor.reaches(community)
}

/// Whether the caller reads everything of this community.
#[must_use]
pub fn oversees(actor: &Actor, community: &CommunityId) -> bool {
    manages(actor, community) || (actor.kind == ActorKind::Auditor && actor.reaches(community))
}

/// Whether the caller reads the register of every community within reach, and not only the own household's part.
#[must_use]
pub fn is_overseer(actor: &Actor) -> bool {
    matches!(
        actor.kind,
        ActorKind::Operator | ActorKind::Staff | ActorKind::Auditor
    )
}

/// Whether the caller is one of the people who live, work or sell somewhere.
#[must_use]
pub fn is_people(actor: &Actor) -> bool {
    is_overseer(actor) && actor.kind != ActorKind::Auditor
        || matches!(actor.kind, ActorKind::Resident | ActorKind::Merchant)
}

/// Lets only operators pass.
///
/// # Errors
/// 403 for everybody else.
pub fn operators_only(actor: &Actor) -> Result<(), Refusal> {
    if actor.kind == ActorKind::Operator {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "operator_only",
        Message::new(
            "Only the platform's operators can do this. Ask one of them.",
            "仅平台运营人员可执行此操作，请联系运营人员。",
        ),
    ))
}

/// Lets only those pass who run the community.
///
/// # Errors
/// 404 for whoever does not reach the community, 403 for whoever does and does not run it.
pub fn managers_only(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if manages(actor, community) {
        return Ok(());
    }
    if actor.reaches(community) {
        return Err(not_manager());
    }
    Err(unknown_community())
}

/// Lets only those pass who may run any community at all; which one is checked when it is known.
///
/// # Errors
/// 403 for everybody else.
pub fn managing_kinds_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Operator | ActorKind::Staff => Ok(()),
        _ => Err(not_manager()),
    }
}

/// Lets people and auditors pass: devices and applications have no household.
///
/// # Errors
/// 403 for everybody else.
pub fn people_only(actor: &Actor) -> Result<(), Refusal> {
    match actor.kind {
        ActorKind::Device | ActorKind::Application => Err(Refusal::forbidden(
            "people_only",
            Message::new(
                "Only people can read this. Sign in as a person.",
                "仅限个人账号访问，请使用个人账号登录。",
            ),
        )),
        _ => Ok(()),
    }
}

fn not_manager() -> Refusal {
    Refusal::forbidden(
        "managers_only",
        Message::new(
            "Only operators and the community's staff can do this. Ask the property office.",
            "仅运营人员和本小区物业员工可执行此操作，请联系物业服务中心。",
        ),
    )
}

/// No such community, or none that the caller may know.
#[must_use]
pub fn unknown_community() -> Refusal {
    unknown("community_unknown", "community", "小区")
}

/// No such thing, or none that the caller may know.
#[must_use]
pub fn unknown(code: &'static str, english: &str, chinese: &str) -> Refusal {
    Refusal::not_found(
        code,
        Message::new(
            format!("There is no such {english} that you can see."),
            format!("没有您可见的该{chinese}。"),
        ),
    )
}

/// Something of that id or name is there already.
#[must_use]
pub fn taken(code: &'static str, english: &str, chinese: &str) -> Refusal {
    Refusal::conflict(
        code,
        Message::new(
            format!("There is already such a {english}. Change that one, or choose another name."),
            format!("该{chinese}已存在，请修改原有记录或更换名称。"),
        ),
    )
}

#[cfg(test)]
pub(crate) mod sample {
    //! One of everything, for the tests of the domain.

    use kernel::{ActorId, TenantId, Timestamp};

    use super::*;

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

    pub fn garden() -> CommunityId {
        CommunityId::parse("garden").unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sample::{actor, garden};

    #[test]
    fn staff_run_their_own_communities_and_operators_all() {
        let harbour = CommunityId::parse("harbour").unwrap();
        let staff = actor(ActorKind::Staff, "chen", &["garden"]);
        assert!(managers_only(&staff, &garden()).is_ok());
        assert_eq!(
            managers_only(&staff, &harbour).unwrap_err().code,
            "community_unknown"
        );
        assert!(managers_only(&actor(ActorKind::Operator, "wang", &[]), &harbour).is_ok());
    }

    #[test]
    fn auditors_read_and_residents_do_not_manage() {
        let auditor = actor(ActorKind::Auditor, "qian", &[]);
        assert!(oversees(&auditor, &garden()) && !manages(&auditor, &garden()));
        let li = actor(ActorKind::Resident, "li", &["garden"]);
        assert_eq!(
            managers_only(&li, &garden()).unwrap_err().code,
            "managers_only"
        );
        assert!(!oversees(&li, &garden()));
    }

    #[test]
    fn a_line_is_one_line_of_bounded_length() {
        assert_eq!(Name::parse(" 阳光花园 ").unwrap().as_str(), "阳光花园");
        for text in ["", "  ", "a\nb", "a\u{0}b", &"门".repeat(101)] {
            assert!(Name::parse(text).is_err(), "{text:?}");
        }
    }
}
