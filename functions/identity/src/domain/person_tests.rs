//! Who may add, see and change whom: every refusal, and every kind of caller.

use super::*;
use crate::domain::sample::{actor, at, communities, person};
use crate::domain::{NewPerson, erase_person, may_export, register_person};

fn new(kind: ActorKind, of: &[&str]) -> NewPerson {
    NewPerson {
        id: None,
        username: Username::parse("New").unwrap(),
        name: None,
        kind,
        communities: communities(of),
        phone: None,
        at: at(0),
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> &'static str {
    result.unwrap_err().code
}

#[test]
fn operators_add_every_kind_of_person_and_nothing_else() {
    let operator = actor(ActorKind::Operator, "op", &[]);
    for kind in ActorKind::ALL {
        let added = register_person(&operator, new(kind, &["garden"]));
        match kind {
            ActorKind::Device | ActorKind::Application => {
                assert_eq!(code(added), "kind_not_a_person")
            }
            _ => assert_eq!(
                (added.clone().unwrap().kind, added.unwrap().id.as_str()),
                (kind, "new")
            ),
        }
    }
}

#[test]
fn staff_add_residents_of_their_own_communities_only() {
    let staff = actor(ActorKind::Staff, "butler", &["garden"]);
    assert!(register_person(&staff, new(ActorKind::Resident, &["garden"])).is_ok());
    for (kind, of) in [
        (ActorKind::Resident, vec!["harbour"]),
        (ActorKind::Resident, vec!["garden", "harbour"]),
        (ActorKind::Staff, vec!["garden"]),
        (ActorKind::Operator, vec!["garden"]),
    ] {
        assert_eq!(
            code(register_person(&staff, new(kind, &of))),
            "person_registration_forbidden"
        );
    }
    assert_eq!(
        code(register_person(&staff, new(ActorKind::Resident, &[]))),
        "communities_missing"
    );
}

#[test]
fn nobody_else_adds_people() {
    for kind in ActorKind::ALL
        .into_iter()
        .filter(|kind| !matches!(kind, ActorKind::Operator | ActorKind::Staff))
    {
        let caller = actor(kind, "x", &["garden"]);
        assert_eq!(
            code(register_person(
                &caller,
                new(ActorKind::Resident, &["garden"])
            )),
            "person_registration_forbidden"
        );
    }
}

#[test]
fn communities_are_a_bounded_set() {
    let operator = actor(ActorKind::Operator, "op", &[]);
    let twice = register_person(&operator, new(ActorKind::Resident, &["b", "a", "b"])).unwrap();
    assert_eq!(twice.communities, communities(&["a", "b"]));
    let many: Vec<String> = (0..=COMMUNITIES_MAX)
        .map(|number| format!("c{number}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        code(register_person(&operator, new(ActorKind::Staff, &many))),
        "communities_too_many"
    );
}

#[test]
fn only_staff_operators_and_auditors_list_people() {
    for kind in ActorKind::ALL {
        let reach = people_reach(&actor(kind, "x", &["garden"]));
        match kind {
            ActorKind::Operator | ActorKind::Auditor => assert_eq!(reach, Ok(Reach::All)),
            ActorKind::Staff => assert_eq!(reach, Ok(Reach::Communities(communities(&["garden"])))),
            _ => assert_eq!(code(reach), "people_forbidden"),
        }
    }
}

#[test]
fn a_stranger_is_unknown_and_oneself_is_not() {
    let li = person(ActorKind::Resident, "li", &["garden"]);
    let sees = |caller: &Actor| known_person(caller, Some(li.clone())).is_ok();
    assert!(sees(&actor(ActorKind::Resident, "li", &["garden"])));
    assert!(sees(&actor(
        ActorKind::Staff,
        "butler",
        &["garden", "harbour"]
    )));
    assert!(sees(&actor(ActorKind::Operator, "op", &[])));
    for caller in [
        actor(ActorKind::Resident, "zhang", &["garden"]),
        actor(ActorKind::Staff, "butler", &["harbour"]),
        actor(ActorKind::Device, "li", &["garden"]),
    ] {
        assert_eq!(
            code(known_person(&caller, Some(li.clone()))),
            "person_unknown"
        );
        assert_eq!(code(known_person(&caller, None)), "person_unknown");
    }
}

#[test]
fn staff_change_residents_within_their_own_communities() {
    let staff = actor(ActorKind::Staff, "butler", &["garden"]);
    let to = |of: &[&str]| Change {
        communities: Some(communities(of)),
        ..Change::default()
    };
    let disable = Change {
        disabled: Some(true),
        ..Change::default()
    };
    let here = person(ActorKind::Resident, "li", &["garden"]);
    let both = person(ActorKind::Resident, "zhang", &["garden", "harbour"]);
    assert!(
        change_person(&staff, &here, disable.clone())
            .unwrap()
            .disabled
    );
    assert_eq!(
        change_person(&staff, &both, to(&["harbour"]))
            .unwrap()
            .version,
        2
    );
    for (whom, change) in [
        (&both, disable.clone()),
        (&both, to(&["garden"])),
        (&here, to(&["garden", "harbour"])),
        (
            &person(ActorKind::Staff, "butler", &["garden"]),
            disable.clone(),
        ),
    ] {
        assert_eq!(
            code(change_person(&staff, whom, change)),
            "person_change_forbidden"
        );
    }
}

#[test]
fn residents_auditors_and_merchants_change_nobody_not_even_themselves() {
    for kind in [
        ActorKind::Resident,
        ActorKind::Auditor,
        ActorKind::Merchant,
        ActorKind::Device,
        ActorKind::Application,
    ] {
        let oneself = person(kind, "x", &["garden"]);
        let change = Change {
            disabled: Some(false),
            ..Change::default()
        };
        assert_eq!(
            code(change_person(
                &actor(kind, "x", &["garden"]),
                &oneself,
                change
            )),
            "person_change_forbidden"
        );
    }
}

#[test]
fn an_operator_disables_others_and_not_oneself() {
    let operator = actor(ActorKind::Operator, "op", &[]);
    let disable = Change {
        disabled: Some(true),
        ..Change::default()
    };
    assert!(
        change_person(
            &operator,
            &person(ActorKind::Operator, "other", &[]),
            disable.clone()
        )
        .is_ok()
    );
    let oneself = change_person(&operator, &person(ActorKind::Operator, "op", &[]), disable);
    assert_eq!(code(oneself), "cannot_disable_oneself");
}

#[test]
fn one_shows_the_present_password_to_change_ones_own_and_strangers_change_none() {
    let li = person(ActorKind::Resident, "li", &["garden"]);
    let proof = |caller: &Actor, whom: &Person| password_proof(caller, whom);
    assert_eq!(
        proof(&actor(ActorKind::Resident, "li", &["garden"]), &li),
        Ok(Proof::CurrentPassword)
    );
    assert_eq!(
        proof(&actor(ActorKind::Operator, "op", &[]), &li),
        Ok(Proof::None)
    );
    assert_eq!(
        proof(&actor(ActorKind::Staff, "butler", &["garden"]), &li),
        Ok(Proof::None)
    );
    assert_eq!(
        proof(
            &actor(ActorKind::Operator, "op", &[]),
            &person(ActorKind::Operator, "op", &[])
        ),
        Ok(Proof::CurrentPassword)
    );
    for (caller, whom) in [
        (actor(ActorKind::Resident, "zhang", &["garden"]), &li),
        (actor(ActorKind::Auditor, "au", &[]), &li),
        (actor(ActorKind::Staff, "butler", &["harbour"]), &li),
        (
            actor(ActorKind::Staff, "butler", &["garden"]),
            &person(ActorKind::Staff, "other", &["garden"]),
        ),
        (
            actor(ActorKind::Staff, "butler", &["garden"]),
            &person(ActorKind::Resident, "two", &["garden", "harbour"]),
        ),
    ] {
        assert_eq!(code(proof(&caller, whom)), "password_change_forbidden");
    }
}

#[test]
fn everybody_corrects_the_own_name_and_nothing_else_of_oneself() {
    let name = |text| Some(Name::parse(text).unwrap());
    let li = person(ActorKind::Resident, "li", &["garden"]);
    let caller = actor(ActorKind::Resident, "li", &["garden"]);
    let renamed = change_person(
        &caller,
        &li,
        Change {
            name: name("李雷"),
            ..Change::default()
        },
    );
    assert_eq!(renamed.unwrap().name.as_str(), "李雷");
    for change in [
        Change {
            name: name("x"),
            disabled: Some(false),
            ..Change::default()
        },
        Change {
            name: name("x"),
            communities: Some(communities(&["garden", "harbour"])),
            ..Change::default()
        },
        Change::default(),
    ] {
        assert_eq!(
            code(change_person(&caller, &li, change)),
            "person_change_forbidden"
        );
    }
}

#[test]
fn people_and_operators_erase_and_nobody_else_and_no_operator_oneself() {
    let rest = || {
        (
            Username::parse("erased-1").unwrap(),
            Name::parse("已注销").unwrap(),
        )
    };
    let li = person(ActorKind::Resident, "li", &["garden"]);
    for (caller, allowed) in [
        (actor(ActorKind::Resident, "li", &["garden"]), true),
        (actor(ActorKind::Operator, "op", &[]), true),
        (actor(ActorKind::Staff, "butler", &["garden"]), false),
        (actor(ActorKind::Auditor, "au", &[]), false),
        (actor(ActorKind::Device, "li", &["garden"]), false),
    ] {
        assert_eq!(erase_person(&caller, &li, rest()).is_ok(), allowed);
        assert_eq!(may_export(&caller, &li).is_ok(), allowed);
    }
    let left = erase_person(&actor(ActorKind::Operator, "op", &[]), &li, rest()).unwrap();
    assert!(left.disabled && left.communities.is_empty() && left.phone.is_none());
    let oneself = person(ActorKind::Operator, "op", &[]);
    assert_eq!(
        code(erase_person(
            &actor(ActorKind::Operator, "op", &[]),
            &oneself,
            rest()
        )),
        "cannot_erase_oneself"
    );
}
