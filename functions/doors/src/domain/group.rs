//! Door groups: doors that belong together, and whom they admit.

use kernel::{Actor, CommunityId, DeviceId, DoorGroupId, Message, Refusal, ScheduleId};
use wire::pass::Target;

use super::{Door, Name, run_it};

/// The most doors of a group.
pub const GROUP_DOORS_MAX: usize = 200;
/// The most buildings and entrances that a group admits.
pub const ADMITS_MAX: usize = 200;

/// A door group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id, made by the caller.
    pub id: DoorGroupId,
    /// The community.
    pub community: CommunityId,
    /// What people call it.
    pub name: Name,
    /// Whom it admits besides its explicit members.
    pub admits: Vec<Target>,
    /// Whether it admits visitors on their hosts' behalf.
    pub visitors: bool,
    /// When it is open to its people; always when absent.
    pub schedule: Option<ScheduleId>,
    /// Its doors, by id.
    pub doors: Vec<DeviceId>,
    /// Counts the changes, from 1.
    pub version: i64,
}

/// What is changed about a group; what is absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupChange {
    /// What people call it.
    pub name: Option<Name>,
    /// Whom it admits.
    pub admits: Option<Vec<Target>>,
    /// Whether it admits visitors.
    pub visitors: Option<bool>,
    /// When it is open; `Some(None)` for always.
    pub schedule: Option<Option<ScheduleId>>,
    /// Its doors.
    pub doors: Option<Vec<DeviceId>>,
}

/// Makes a group: those who run the community. `known` are the doors that it names, as far as they exist.
///
/// # Errors
/// 404 or 403 for others; 409 when the id is taken; 422 when it names doors or targets that it cannot.
pub fn make_group(
    actor: &Actor,
    group: Group,
    known: &[Door],
    existing: Option<&Group>,
) -> Result<Group, Refusal> {
    run_it(actor, &group.community)?;
    if existing.is_some() {
        return Err(Refusal::conflict(
            "group_exists",
            Message::new(
                "Another door group has this id. Change that one, or choose another id.",
                "该编号已被另一个门组使用，请修改原门组或更换编号。",
            ),
        ));
    }
    possible(group, known)
}

/// Changes a group: those who run the community.
///
/// # Errors
/// 403 for others; 422 when it names doors or targets that it cannot.
pub fn change_group(
    actor: &Actor,
    group: &Group,
    change: GroupChange,
    known: &[Door],
) -> Result<Group, Refusal> {
    run_it(actor, &group.community)?;
    let changed = Group {
        name: change.name.unwrap_or_else(|| group.name.clone()),
        admits: change.admits.unwrap_or_else(|| group.admits.clone()),
        visitors: change.visitors.unwrap_or(group.visitors),
        schedule: change.schedule.unwrap_or_else(|| group.schedule.clone()),
        doors: change.doors.unwrap_or_else(|| group.doors.clone()),
        version: group.version + 1,
        ..group.clone()
    };
    possible(changed, known)
}

/// The group, for a caller who reaches its community.
///
/// # Errors
/// 404 for everybody else.
pub fn known_group(actor: &Actor, group: Option<Group>) -> Result<Group, Refusal> {
    group
        .filter(|group| actor.reaches(&group.community))
        .ok_or_else(unknown_group)
}

/// No such group, or none that the caller may know.
#[must_use]
pub fn unknown_group() -> Refusal {
    Refusal::not_found(
        "group_unknown",
        Message::new(
            "There is no such door group that you can see.",
            "没有您可见的这个门组。",
        ),
    )
}

fn possible(mut group: Group, known: &[Door]) -> Result<Group, Refusal> {
    group.doors.sort();
    group.doors.dedup();
    group.admits.sort();
    group.admits.dedup();
    if group.doors.len() > GROUP_DOORS_MAX || group.admits.len() > ADMITS_MAX {
        return Err(Refusal::invalid(
            "group_too_large",
            Message::new(
                format!(
                    "A door group has at most {GROUP_DOORS_MAX} doors and admits at most {ADMITS_MAX} buildings and entrances."
                ),
                format!("一个门组最多包含 {GROUP_DOORS_MAX} 扇门、{ADMITS_MAX} 个楼栋和单元。"),
            ),
        ));
    }
    let of_groups = |target: &Target| matches!(target, Target::Group(_));
    if group.admits.iter().any(of_groups) {
        return Err(Refusal::invalid(
            "group_admits_invalid",
            Message::new(
                "A door group admits `c`, `b:BUILDING` or `u:BUILDING:UNIT`; explicit members are added one by one.",
                "门组可授权 c、b:楼栋 或 u:楼栋:单元；个人成员请单独添加。",
            ),
        ));
    }
    let here = |id: &DeviceId| {
        known
            .iter()
            .any(|door| door.id == *id && door.community == group.community)
    };
    if let Some(missing) = group.doors.iter().find(|door| !here(door)) {
        return Err(Refusal::invalid(
            "group_door_unknown",
            Message::new(
                format!("The community has no door {missing}."),
                format!("本小区没有编号为 {missing} 的门。"),
            ),
        ));
    }
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{actor, chen, li, north_gate};
    use super::*;
    use kernel::ActorKind;

    fn group() -> Group {
        Group {
            id: DoorGroupId::parse("gates").unwrap(),
            community: north_gate().community,
            name: Name::parse("大门").unwrap(),
            admits: vec![Target::Community],
            visitors: true,
            schedule: None,
            doors: vec![north_gate().id],
            version: 1,
        }
    }

    #[test]
    fn only_those_who_run_the_community_make_groups() {
        assert!(make_group(&chen(), group(), &[north_gate()], None).is_ok());
        for (other, code) in [
            (li(), "managers_only"),
            (actor(ActorKind::Auditor, "a", &[]), "managers_only"),
            (
                actor(ActorKind::Staff, "s", &["harbour"]),
                "community_unknown",
            ),
        ] {
            let refusal = make_group(&other, group(), &[north_gate()], None).unwrap_err();
            assert_eq!(refusal.code, code);
        }
    }

    #[test]
    fn a_group_holds_doors_of_its_community_only() {
        let refusal = make_group(&chen(), group(), &[], None).unwrap_err();
        assert_eq!(refusal.code, "group_door_unknown");
        let elsewhere = Door {
            community: CommunityId::parse("harbour").unwrap(),
            ..north_gate()
        };
        let refusal = make_group(&chen(), group(), &[elsewhere], None).unwrap_err();
        assert_eq!(refusal.code, "group_door_unknown");
        let of_group = Group {
            admits: vec![Target::Group(group().id)],
            ..group()
        };
        let refusal = make_group(&chen(), of_group, &[north_gate()], None).unwrap_err();
        assert_eq!(refusal.code, "group_admits_invalid");
    }
}
