//! The machine of a visit, by examples and by random histories.

use kernel::{Actor, ActorKind, Phone, Timestamp};
use proptest::prelude::*;

use super::*;

/// Wherever a history leads, only these steps were taken.
const EDGES: [(&str, &str); 9] = [
    ("requested", "approved"),
    ("requested", "rejected"),
    ("requested", "expired"),
    ("approved", "arrived"),
    ("approved", "revoked"),
    ("approved", "expired"),
    ("arrived", "left"),
    ("arrived", "revoked"),
    ("arrived", "arrived"),
];

pub(crate) mod sample {
    use super::*;

    pub fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis).unwrap()
    }

    pub fn actor(kind: ActorKind, id: &str) -> Actor {
        Actor {
            tenant: kernel::TenantId::parse("demo").unwrap(),
            kind,
            id: kernel::ActorId::parse(id).unwrap(),
            communities: vec![kernel::CommunityId::parse("garden").unwrap()],
            scopes: vec![],
        }
    }

    pub fn room() -> Room {
        Room {
            building: kernel::BuildingId::parse("b1").unwrap(),
            unit: kernel::UnitId::parse("u1").unwrap(),
            room: kernel::RoomId::parse("r101").unwrap(),
        }
    }

    pub fn visitor() -> Visitor {
        Visitor {
            name: Name::parse("周").unwrap(),
            phone: Some(KnownPhone {
                phone: Phone::parse("13800138000").unwrap(),
                digest: "d".repeat(64),
            }),
            plate: None,
            purpose: None,
        }
    }

    pub fn signed() -> Signed {
        Signed {
            by: kernel::ActorId::parse("li").unwrap(),
            reason: None,
        }
    }

    pub fn terms() -> Terms {
        Terms {
            pass: kernel::PassId::parse("p1").unwrap(),
            room: None,
            until: None,
            uses_max: UsesMax::ONCE,
        }
    }

    pub fn registration() -> Registration {
        Registration {
            id: kernel::VisitId::parse("v1").unwrap(),
            community: kernel::CommunityId::parse("garden").unwrap(),
            place: Place::Room(room()),
            kind: VisitKind::Guest,
            visitor: visitor(),
        }
    }

    pub fn requested() -> Visit {
        register(registration(), false, (0, 0), at(0)).unwrap()
    }

    pub fn recurring() -> Recurring {
        Recurring {
            id: kernel::VisitId::parse("w1").unwrap(),
            community: kernel::CommunityId::parse("garden").unwrap(),
            room: room(),
            visitor: Some(visitor()),
            signed: signed(),
            weekly: Weekly {
                days: Days::of_mask(1).unwrap(),
                minute_from: 0,
                minute_until: 1,
                first: chrono::NaiveDate::default(),
                last: chrono::NaiveDate::default(),
            },
            uses_max: UsesMax::ONCE,
            created_at: at(0),
            state: RecurringState::Active,
            planned_through: chrono::NaiveDate::default(),
        }
    }
}

use sample::{at, requested, signed, terms};

#[test]
fn no_answer_within_five_minutes_is_a_refusal() {
    let visit = requested();
    assert_eq!(observe(visit.clone(), at(ANSWER_MS - 1)), visit);
    let late = observe(visit, at(ANSWER_MS));
    assert_eq!(late.state.name(), "expired");
    let refusal = approve(&late, signed(), terms(), false, at(ANSWER_MS)).unwrap_err();
    assert_eq!(refusal.code, "visit_state");
}

#[test]
fn a_blacklisted_visitor_is_rejected_unseen_and_never_approved() {
    let visit = register(sample::registration(), true, (0, 0), at(0)).unwrap();
    assert_eq!(visit.state.name(), "rejected");
    let refusal = approve(&requested(), signed(), terms(), true, at(1)).unwrap_err();
    assert_eq!(refusal.code, "visitor_blacklisted");
}

#[test]
fn too_many_registrations_are_refused() {
    for counts in [(PHONE_REQUESTS_MAX, 0), (0, COMMUNITY_REQUESTS_MAX)] {
        let refusal = register(sample::registration(), false, counts, at(0)).unwrap_err();
        assert_eq!(refusal.code, "too_many_requests");
    }
}

#[test]
fn what_the_visitor_wrote_becomes_a_room_by_the_answer() {
    let asked = Registration {
        place: Place::Text(RoomText::parse("一栋101").unwrap()),
        ..sample::registration()
    };
    let visit = register(asked, false, (0, 0), at(0)).unwrap();
    let refusal = approve(&visit, signed(), terms(), false, at(1)).unwrap_err();
    assert_eq!(refusal.code, "room_required");
    let with_room = Terms {
        room: Some(sample::room()),
        ..terms()
    };
    let approved = approve(&visit, signed(), with_room, false, at(1))
        .unwrap()
        .unwrap();
    assert_eq!(approved.place, Place::Room(sample::room()));
}

#[test]
fn a_couriers_pass_holds_for_half_an_hour() {
    let asked = Registration {
        kind: VisitKind::Courier,
        ..sample::registration()
    };
    let visit = register(asked, false, (0, 0), at(0)).unwrap();
    let approved = approve(&visit, signed(), terms(), false, at(1))
        .unwrap()
        .unwrap();
    let until = approved.state.approval().unwrap().pass.window.until();
    assert_eq!(until, at(1 + COURIER_MS));
    let longer = Terms {
        until: Some(at(COURIER_MS * 2)),
        ..terms()
    };
    let refusal = approve(&visit, signed(), longer, false, at(1)).unwrap_err();
    assert_eq!(refusal.code, "courier_window_fixed");
}

#[test]
fn a_use_that_is_reported_late_is_counted_and_opens_nothing_again() {
    let approved = approve(&requested(), signed(), terms(), false, at(1))
        .unwrap()
        .unwrap();
    let over = observe(approved, at(REGISTERED_GUEST_MS + 1));
    let reported = pass_used(&over, at(10));
    assert_eq!(reported.state.name(), "expired");
    let approval = reported.state.approval().unwrap();
    assert_eq!((approval.pass.uses, approval.arrived_at), (1, Some(at(10))));
}

#[test]
fn only_those_who_run_the_community_let_in_by_hand() {
    let approved = approve(&requested(), signed(), terms(), false, at(1))
        .unwrap()
        .unwrap();
    let li = sample::actor(ActorKind::Resident, "li");
    assert_eq!(
        arrive(&li, &approved, at(2)).unwrap_err().code,
        "managers_only"
    );
    let chen = sample::actor(ActorKind::Staff, "chen");
    assert_eq!(
        arrive(&chen, &approved, at(2))
            .unwrap()
            .unwrap()
            .state
            .name(),
        "arrived"
    );
}

#[test]
fn who_acts_for_the_household_says_why() {
    let chen = sample::actor(ActorKind::Staff, "chen");
    let garden = kernel::CommunityId::parse("garden").unwrap();
    assert_eq!(relation(&chen, &garden, false), Some(Relation::Manager));
    assert_eq!(relation(&chen, &garden, true), Some(Relation::Host));
    assert_eq!(
        on_behalf(&chen, Relation::Manager, None).unwrap_err().code,
        "reason_required"
    );
    let auditor = sample::actor(ActorKind::Auditor, "qian");
    assert_eq!(relation(&auditor, &garden, true), Some(Relation::Reader));
    assert_eq!(
        on_behalf(&auditor, Relation::Reader, None)
            .unwrap_err()
            .code,
        "hosts_only"
    );
    for kind in [ActorKind::Device, ActorKind::Application] {
        assert_eq!(relation(&sample::actor(kind, "li"), &garden, true), None);
    }
}

/// One step of a history.
fn step(visit: &Visit, choice: u8, now: Timestamp) -> Visit {
    let chen = sample::actor(ActorKind::Staff, "chen");
    let changed = match choice {
        0 => approve(visit, signed(), terms(), false, now),
        1 => reject(visit, signed(), now),
        2 => revoke(visit, signed().end(now)),
        3 => arrive(&chen, visit, now),
        4 => leave(visit, signed().end(now)),
        _ => Ok(Some(pass_used(visit, now))),
    };
    changed.ok().flatten().unwrap_or_else(|| visit.clone())
}

proptest! {
    #[test]
    fn no_history_leaves_the_edges_and_an_end_is_for_good(steps in prop::collection::vec((0_u8..6, 0_i64..3_600_000), 0..40)) {
        let (mut visit, mut now) = (requested(), at(0));
        for (choice, wait) in steps {
            now = now.plus_millis(wait);
            let observed = observe(visit.clone(), now);
            for (before, after) in [(&visit, &observed), (&observed, &step(&observed, choice, now))] {
                let edge = (before.state.name(), after.state.name());
                prop_assert!(edge.0 == edge.1 || EDGES.contains(&edge), "{edge:?}");
                prop_assert_eq!(after.state.is_ended(), after.state.due_at().is_none());
            }
            visit = step(&observed, choice, now);
        }
    }

    #[test]
    fn time_ends_a_visit_once(wait in 0_i64..100_000_000, again in 0_i64..100_000_000) {
        let approved = approve(&requested(), signed(), terms(), false, at(1)).unwrap().unwrap();
        let once = observe(approved, at(wait));
        if once.state.is_ended() {
            prop_assert_eq!(observe(once.clone(), at(wait.saturating_add(again))), once);
        }
    }
}
