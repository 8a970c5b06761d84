//! Who registers, changes and knows doors.

use super::super::sample::{actor, chen, li, north_gate, wang};
use super::*;

fn registration() -> Registration {
    let Door {
        id,
        community,
        name,
        gateway,
        unlock,
        direction,
        ..
    } = north_gate();
    Registration {
        id,
        community,
        name,
        gateway,
        unlock,
        direction,
    }
}

#[test]
fn only_an_operator_registers_and_changes_a_door() {
    assert_eq!(
        register_door(&wang(), registration(), None),
        Ok(north_gate())
    );
    for other in [
        li(),
        chen(),
        actor(ActorKind::Auditor, "a", &[]),
        actor(ActorKind::Device, "d", &["garden"]),
    ] {
        assert_eq!(
            register_door(&other, registration(), None)
                .unwrap_err()
                .code,
            "operator_only"
        );
        assert_eq!(
            change_door(&other, &north_gate(), Change::default())
                .unwrap_err()
                .code,
            "operator_only"
        );
    }
}

#[test]
fn a_door_registered_again_is_the_same_door_and_another_one_is_refused() {
    let changed = Door {
        version: 4,
        ..north_gate()
    };
    assert_eq!(
        register_door(&wang(), registration(), Some(&changed)),
        Ok(changed)
    );
    let other = Registration {
        name: Name::parse("南门").unwrap(),
        ..registration()
    };
    assert_eq!(
        register_door(&wang(), other, Some(&north_gate()))
            .unwrap_err()
            .code,
        "door_exists"
    );
}

#[test]
fn a_change_touches_only_what_it_names_and_counts_the_version() {
    let change = Change {
        unlock: Some(UnlockMillis::new(500).unwrap()),
        ..Change::default()
    };
    let changed = change_door(&wang(), &north_gate(), change).unwrap();
    assert_eq!(
        changed,
        Door {
            unlock: UnlockMillis(500),
            version: 2,
            ..north_gate()
        }
    );
}

#[test]
fn a_door_of_another_community_cannot_be_told_from_none() {
    let stranger = actor(ActorKind::Staff, "s", &["harbour"]);
    assert_eq!(know(&stranger, Some(north_gate())), know(&stranger, None));
    assert_eq!(know(&li(), Some(north_gate())), Ok(north_gate()));
}

#[test]
fn managing_and_overseeing_need_the_kind_and_the_community() {
    let garden = &north_gate().community;
    for (caller, may_manage, may_oversee) in [
        (wang(), true, true),
        (chen(), true, true),
        (actor(ActorKind::Auditor, "a", &[]), false, true),
        (li(), false, false),
        (actor(ActorKind::Staff, "s", &["harbour"]), false, false),
        (
            actor(ActorKind::Application, "p", &["garden"]),
            false,
            false,
        ),
    ] {
        assert_eq!(
            (manages(&caller, garden), oversees(&caller, garden)),
            (may_manage, may_oversee),
            "{caller:?}"
        );
    }
}

#[test]
fn a_resident_reads_only_the_own_records() {
    let person = |id: &str| ActorId::parse(id).unwrap();
    let read =
        |caller: &Actor, asked: Option<&str>| whose(caller, &north_gate(), asked.map(person));
    assert_eq!(read(&li(), None), Ok(Some(person("li"))));
    assert_eq!(read(&li(), Some("li")), Ok(Some(person("li"))));
    assert_eq!(
        read(&li(), Some("zhao")).unwrap_err().code,
        "own_records_only"
    );
    let device = actor(ActorKind::Device, "li", &["garden"]);
    assert_eq!(read(&device, None).unwrap_err().code, "own_records_only");
    assert_eq!(read(&chen(), Some("zhao")), Ok(Some(person("zhao"))));
    assert_eq!(read(&wang(), None), Ok(None));
    assert_eq!(
        overseers_only(&li(), &north_gate()).unwrap_err().code,
        "overseers_only"
    );
    assert_eq!(overseers_only(&chen(), &north_gate()), Ok(()));
}

#[test]
fn a_lock_is_released_neither_too_short_nor_for_ever() {
    for (millis, right) in [
        (0, false),
        (499, false),
        (500, true),
        (30_000, true),
        (30_001, false),
    ] {
        assert_eq!(UnlockMillis::new(millis).is_ok(), right, "{millis}");
    }
}
