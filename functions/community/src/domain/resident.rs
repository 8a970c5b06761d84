//! The register of people.

use kernel::{Actor, ActorId, CommunityId, Message, Phone, Refusal, Timestamp};

use super::{Name, Note, manages, oversees, unknown};

/// The most phone numbers of one person.
pub const PHONES_MAX: usize = 5;

/// An entry of the register of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// The person: the id of the account, once there is one.
    pub id: ActorId,
    /// Where the person was entered; its staff see the entry.
    pub community: CommunityId,
    /// Absent once the person has been erased.
    pub name: Option<Name>,
    /// The numbers, the first is the one that counts.
    pub phones: Vec<Phone>,
    /// Where the person works, or which company the room is rented by.
    pub company: Option<Name>,
    /// What the property office writes down.
    pub notes: Option<Note>,
    /// When the person was erased.
    pub erased_at: Option<Timestamp>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// How much of an entry the caller sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Numbers and notes in full.
    Full,
    /// Numbers masked, no notes.
    Masked,
}

impl Resident {
    /// How much the caller sees of an entry that the caller may know.
    #[must_use]
    pub fn sight(&self, actor: &Actor, communities: &[CommunityId]) -> Sight {
        let is_managed = manages(actor, &self.community)
            || communities
                .iter()
                .any(|community| manages(actor, community));
        if is_managed || actor.id == self.id {
            Sight::Full
        } else {
            Sight::Masked
        }
    }

    /// Whether the caller may change it.
    ///
    /// # Errors
    /// 403 for whoever sees it and does not run one of its communities, 409 once it is erased.
    pub fn check_change(&self, actor: &Actor, communities: &[CommunityId]) -> Result<(), Refusal> {
        let is_managed = manages(actor, &self.community)
            || communities
                .iter()
                .any(|community| manages(actor, community));
        if !is_managed {
            return Err(super::not_manager());
        }
        self.check_present()
    }

    /// Refuses what needs a person who is still there.
    ///
    /// # Errors
    /// 409 once the person has been erased.
    pub fn check_present(&self) -> Result<(), Refusal> {
        if self.erased_at.is_none() {
            return Ok(());
        }
        Err(Refusal::conflict(
            "resident_erased",
            Message::new(
                "This person has been erased from the register. Record a new entry.",
                "该人员信息已被删除，请重新登记。",
            ),
        ))
    }
}

/// The entry, for those who read one of its communities, for the person, and for the household.
///
/// # Errors
/// 404 for everybody else.
pub fn know_resident(
    actor: &Actor,
    resident: Option<Resident>,
    communities: &[CommunityId],
    is_household: bool,
) -> Result<Resident, Refusal> {
    resident
        .filter(|resident| {
            is_household
                || actor.id == resident.id
                || oversees(actor, &resident.community)
                || communities
                    .iter()
                    .any(|community| oversees(actor, community))
        })
        .ok_or_else(|| unknown("resident_unknown", "person", "人员"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{actor, garden};
    use super::*;
    use kernel::ActorKind;

    fn li() -> Resident {
        Resident {
            id: ActorId::parse("li").unwrap(),
            community: garden(),
            name: Some(Name::parse("李雷").unwrap()),
            phones: vec![Phone::parse("13800138000").unwrap()],
            company: None,
            notes: None,
            erased_at: None,
            version: 1,
        }
    }

    #[test]
    fn only_those_who_manage_and_the_person_see_a_number_in_full() {
        for (kind, id, communities, sight) in [
            (ActorKind::Staff, "chen", &["garden"][..], Sight::Full),
            (ActorKind::Operator, "wang", &[], Sight::Full),
            (ActorKind::Resident, "li", &["garden"], Sight::Full),
            (ActorKind::Resident, "zhao", &["garden"], Sight::Masked),
            (ActorKind::Auditor, "qian", &[], Sight::Masked),
            (ActorKind::Staff, "sun", &["harbour"], Sight::Masked),
        ] {
            assert_eq!(
                li().sight(&actor(kind, id, communities), &[]),
                sight,
                "{id}"
            );
        }
    }

    #[test]
    fn strangers_learn_nothing() {
        let zhao = actor(ActorKind::Resident, "zhao", &["garden"]);
        assert!(know_resident(&zhao, Some(li()), &[], false).is_err());
        assert!(know_resident(&zhao, Some(li()), &[], true).is_ok());
        let sun = actor(ActorKind::Staff, "sun", &["harbour"]);
        let harbour = CommunityId::parse("harbour").unwrap();
        assert!(know_resident(&sun, Some(li()), &[], false).is_err());
        assert!(know_resident(&sun, Some(li()), &[harbour], false).is_ok());
    }
}
