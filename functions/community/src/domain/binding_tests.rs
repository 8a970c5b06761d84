//! Terms, the rules of binding, and ending.

use kernel::ActorKind;
use proptest::prelude::*;

use super::super::sample::{actor, at, garden};
use super::*;

fn binding(person: &str, role: BindingRole, from: i64, until: Option<i64>) -> Binding {
    Binding {
        id: BindingId::parse(&format!("b-{person}")).unwrap(),
        person: ActorId::parse(person).unwrap(),
        role,
        community: garden(),
        home: Some((
            BuildingId::parse("b1").unwrap(),
            UnitId::parse("u1").unwrap(),
            RoomId::parse("r1").unwrap(),
        )),
        term: Term::new(at(from), until.map(at)).unwrap(),
        started_by: ActorId::parse("chen").unwrap(),
        ended_by: None,
        end_reason: None,
        version: 1,
    }
}

#[test]
fn a_person_is_bound_to_a_room_once_at_a_time() {
    let held = [binding("li", BindingRole::Owner, 100, Some(200))];
    let again = |from, until| {
        start(
            &binding("li", BindingRole::Family, from, until),
            &held,
            false,
        )
    };
    assert_eq!(again(150, None).unwrap_err().code, "binding_exists");
    assert_eq!(again(50, Some(101)).unwrap_err().code, "binding_exists");
    assert!(again(200, None).is_ok());
    assert!(again(50, Some(100)).is_ok());
}

#[test]
fn a_new_owner_ends_the_old_one_and_a_co_owner_does_not() {
    let held = [
        binding("li", BindingRole::Owner, 100, None),
        binding("zhao", BindingRole::Tenant, 100, None),
    ];
    let new = binding("sun", BindingRole::Owner, 500, None);
    let ended = start(&new, &held, false).unwrap();
    let told: Vec<_> = ended
        .iter()
        .map(|binding| (binding.person.as_str(), binding.term.until, binding.version))
        .collect();
    assert_eq!(told, [("li", Some(at(500)), 2)]);
    assert!(start(&new, &held, true).unwrap().is_empty());
    let earlier = binding("sun", BindingRole::Owner, 50, None);
    assert_eq!(
        start(&earlier, &held, false).unwrap_err().code,
        "owner_later"
    );
}

#[test]
fn what_has_ended_stays_as_it_is() {
    let chen = actor(ActorKind::Staff, "chen", &["garden"]);
    let held = binding("li", BindingRole::Owner, 100, None);
    let ended = end(&chen, &held, (at(300), at(300)), None)
        .unwrap()
        .unwrap();
    assert_eq!(ended.term.until, Some(at(300)));
    assert_eq!(end(&chen, &ended, (at(300), at(300)), None), Ok(None));
    let again = end(&chen, &ended, (at(250), at(400)), None);
    assert_eq!(again.unwrap_err().code, "binding_ended");
    let li = actor(ActorKind::Resident, "li", &["garden"]);
    assert_eq!(
        end(&li, &held, (at(300), at(300)), None).unwrap_err().code,
        "managers_only"
    );
}

#[test]
fn only_owners_tenants_and_family_ask() {
    let li = actor(ActorKind::Resident, "li", &[]);
    assert!(check_request(&li, BindingRole::Family).is_ok());
    assert_eq!(
        check_request(&li, BindingRole::Staff).unwrap_err().code,
        "role_not_requested"
    );
    let device = actor(ActorKind::Device, "li", &["garden"]);
    assert_eq!(
        check_request(&device, BindingRole::Owner).unwrap_err().code,
        "people_only"
    );
}

proptest! {
    #[test]
    fn two_terms_meet_when_a_moment_is_in_both(a in 0_i64..40, b in 1_i64..40, c in 0_i64..40, d in 1_i64..40) {
        let one = Term::new(at(a), Some(at(a + b))).unwrap();
        let two = Term::new(at(c), Some(at(c + d))).unwrap();
        let both = (0..100).any(|moment| one.holds(at(moment)) && two.holds(at(moment)));
        prop_assert_eq!(one.meets(&two), both);
        prop_assert_eq!(two.meets(&one), both);
    }
}
