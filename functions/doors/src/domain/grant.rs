//! Grants: who may open which door, from when until when, and whether it holds at present.

use std::fmt;

use kernel::{Actor, ActorId, CommunityId, DeviceId, GrantId, Message, Refusal, Timestamp};

use super::{Door, Reason, is_person, manages, oversees};

/// A permission of one person for one door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The grant.
    pub id: GrantId,
    /// The door.
    pub door: DeviceId,
    /// Where the door stands.
    pub community: CommunityId,
    /// Who may open it.
    pub person: ActorId,
    /// When it holds.
    pub validity: Validity,
    /// Whether it holds at present.
    pub state: GrantState,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// From when a grant holds, and until when, if it ends by itself; the end is the first moment outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    from: Timestamp,
    until: Option<Timestamp>,
}

/// Why two moments make no validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ValidityError;

impl fmt::Display for ValidityError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a grant must end after it starts")
    }
}

impl std::error::Error for ValidityError {}

impl Validity {
    /// From one moment until another, or for good.
    ///
    /// # Errors
    /// When it ends before or when it starts.
    pub fn new(from: Timestamp, until: Option<Timestamp>) -> Result<Self, ValidityError> {
        match until {
            Some(until) if until <= from => Err(ValidityError),
            _ => Ok(Self { from, until }),
        }
    }

    /// The first moment inside.
    #[must_use]
    pub fn from(self) -> Timestamp {
        self.from
    }

    /// The first moment after, if it ends.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        self.until
    }
}

/// Whether a grant holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantState {
    /// It does.
    Active,
    /// Not until it is resumed.
    Suspended {
        /// Why.
        reason: Reason,
        /// Who suspended it.
        by: ActorId,
        /// When.
        at: Timestamp,
    },
    /// Never again.
    Revoked {
        /// Who revoked it.
        by: ActorId,
        /// When.
        at: Timestamp,
    },
}

/// What is granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The new grant's id.
    pub id: GrantId,
    /// Who may open the door.
    pub person: ActorId,
    /// When.
    pub validity: Validity,
}

/// Grants a person a door: operators, and staff of the community. A person holds at most one grant for a door.
///
/// # Errors
/// 403 for others; 409 when the person holds one already.
pub fn grant(
    actor: &Actor,
    door: &Door,
    offer: Offer,
    existing: Option<&Grant>,
) -> Result<Grant, Refusal> {
    managers_only(actor, &door.community)?;
    if let Some(existing) = existing {
        let id = &existing.id;
        return Err(Refusal::conflict(
            "grant_exists",
            Message::new(
                format!(
                    "This person already holds the grant {id} for this door. Revoke that one first."
                ),
                format!("此人已持有该门的授权 {id}，请先撤销原授权。"),
            ),
        ));
    }
    let Offer {
        id,
        person,
        validity,
    } = offer;
    let (door, community) = (door.id.clone(), door.community.clone());
    Ok(Grant {
        id,
        door,
        community,
        person,
        validity,
        state: GrantState::Active,
        version: 1,
    })
}

/// The grant, for those who run or audit its community, and for the person who holds it.
///
/// # Errors
/// 404 for everybody else.
pub fn known_grant(actor: &Actor, grant: Option<Grant>) -> Result<Grant, Refusal> {
    let may_know = |grant: &Grant| {
        oversees(actor, &grant.community)
            || (is_person(actor, &grant.person) && actor.reaches(&grant.community))
    };
    grant.filter(may_know).ok_or_else(unknown_grant)
}

/// No such grant, or none that the caller may know.
#[must_use]
pub fn unknown_grant() -> Refusal {
    Refusal::not_found(
        "grant_unknown",
        Message::new(
            "There is no such grant that you can see.",
            "没有您可见的这项授权。",
        ),
    )
}

/// Suspends a grant; nothing when it is already suspended for that reason.
///
/// # Errors
/// 403 for those who do not run the community; 409 when it is revoked or suspended for another reason.
pub fn suspend(
    actor: &Actor,
    grant: &Grant,
    reason: Reason,
    now: Timestamp,
) -> Result<Option<Grant>, Refusal> {
    managers_only(actor, &grant.community)?;
    match &grant.state {
        GrantState::Active => Ok(Some(grant.in_state(GrantState::Suspended {
            reason,
            by: actor.id.clone(),
            at: now,
        }))),
        GrantState::Suspended { reason: known, .. } if *known == reason => Ok(None),
        GrantState::Suspended { .. } => Err(Refusal::conflict(
            "grant_suspended",
            Message::new(
                "The grant is suspended for another reason. Resume it first, or leave it.",
                "该授权已因其他原因停用，请先恢复或保持现状。",
            ),
        )),
        GrantState::Revoked { .. } => Err(revoked()),
    }
}

/// Lets a suspended grant hold again; nothing when it does already.
///
/// # Errors
/// 403 for those who do not run the community; 409 when it is revoked.
pub fn resume(actor: &Actor, grant: &Grant) -> Result<Option<Grant>, Refusal> {
    managers_only(actor, &grant.community)?;
    match grant.state {
        GrantState::Active => Ok(None),
        GrantState::Suspended { .. } => Ok(Some(grant.in_state(GrantState::Active))),
        GrantState::Revoked { .. } => Err(revoked()),
    }
}

/// Revokes a grant for good; nothing when that is done already.
///
/// # Errors
/// 403 for those who do not run the community.
pub fn revoke(actor: &Actor, grant: &Grant, now: Timestamp) -> Result<Option<Grant>, Refusal> {
    managers_only(actor, &grant.community)?;
    match grant.state {
        GrantState::Revoked { .. } => Ok(None),
        _ => Ok(Some(grant.in_state(GrantState::Revoked {
            by: actor.id.clone(),
            at: now,
        }))),
    }
}

impl Grant {
    fn in_state(&self, state: GrantState) -> Self {
        Self {
            state,
            version: self.version + 1,
            ..self.clone()
        }
    }
}

fn managers_only(actor: &Actor, community: &CommunityId) -> Result<(), Refusal> {
    if manages(actor, community) {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "managers_only",
        Message::new(
            "Only operators and the community's staff change who may open a door.",
            "只有平台运营和本小区员工可以变更开门授权。",
        ),
    ))
}

fn revoked() -> Refusal {
    Refusal::conflict(
        "grant_revoked",
        Message::new(
            "The grant is revoked for good. Grant the door anew.",
            "该授权已被撤销，请重新授权。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::sample::{actor, at, chen, grant_of_li, li, north_gate, reason, wang};
    use super::*;
    use kernel::ActorKind;

    fn offer() -> Offer {
        let Grant {
            id,
            person,
            validity,
            ..
        } = grant_of_li();
        Offer {
            id,
            person,
            validity,
        }
    }

    fn suspended() -> Grant {
        suspend(&chen(), &grant_of_li(), reason("欠费"), at(5))
            .unwrap()
            .unwrap()
    }

    fn gone() -> Grant {
        revoke(&wang(), &grant_of_li(), at(6)).unwrap().unwrap()
    }

    #[test]
    fn those_who_run_the_community_grant_and_nobody_else() {
        assert_eq!(
            grant(&chen(), &north_gate(), offer(), None),
            Ok(grant_of_li())
        );
        let stranger = actor(ActorKind::Staff, "s", &["harbour"]);
        for other in [li(), stranger, actor(ActorKind::Auditor, "a", &[])] {
            let check = |result: Result<Option<Grant>, Refusal>| {
                assert_eq!(result.unwrap_err().code, "managers_only")
            };
            check(grant(&other, &north_gate(), offer(), None).map(Some));
            check(suspend(&other, &grant_of_li(), reason("x"), at(1)));
            check(resume(&other, &suspended()));
            check(revoke(&other, &grant_of_li(), at(1)));
        }
    }

    #[test]
    fn a_person_holds_at_most_one_grant_for_a_door() {
        let refusal = grant(&wang(), &north_gate(), offer(), Some(&grant_of_li())).unwrap_err();
        assert_eq!(refusal.code, "grant_exists");
        assert!(refusal.message.english.contains("g1"));
    }

    #[test]
    fn suspending_resuming_and_revoking_twice_changes_nothing_the_second_time() {
        assert_eq!(
            suspend(&wang(), &suspended(), reason("欠费"), at(9)),
            Ok(None)
        );
        assert_eq!(resume(&wang(), &grant_of_li()), Ok(None));
        assert_eq!(revoke(&wang(), &gone(), at(9)), Ok(None));
        let resumed = resume(&wang(), &suspended()).unwrap().unwrap();
        assert_eq!(
            resumed,
            Grant {
                version: 3,
                ..grant_of_li()
            }
        );
    }

    #[test]
    fn what_the_state_does_not_allow_is_a_conflict() {
        assert_eq!(
            suspend(&wang(), &suspended(), reason("其他"), at(9))
                .unwrap_err()
                .code,
            "grant_suspended"
        );
        assert_eq!(
            suspend(&wang(), &gone(), reason("欠费"), at(9))
                .unwrap_err()
                .code,
            "grant_revoked"
        );
        assert_eq!(resume(&wang(), &gone()).unwrap_err().code, "grant_revoked");
    }

    #[test]
    fn a_grant_is_known_to_its_person_and_to_those_who_run_or_audit() {
        let auditor = actor(ActorKind::Auditor, "a", &[]);
        for knows in [li(), chen(), wang(), auditor] {
            assert!(
                known_grant(&knows, Some(grant_of_li())).is_ok(),
                "{knows:?}"
            );
        }
        let moved_away = actor(ActorKind::Resident, "li", &["harbour"]);
        for stranger in [
            actor(ActorKind::Device, "li", &["garden"]),
            actor(ActorKind::Resident, "zhao", &["garden"]),
            moved_away,
        ] {
            assert_eq!(
                known_grant(&stranger, Some(grant_of_li()))
                    .unwrap_err()
                    .code,
                "grant_unknown"
            );
        }
    }

    #[test]
    fn a_grant_ends_after_it_starts() {
        assert_eq!(Validity::new(at(5), Some(at(5))), Err(ValidityError));
        assert!(Validity::new(at(5), Some(at(6))).is_ok() && Validity::new(at(5), None).is_ok());
    }
}
