//! What is decided, case by case.

use kernel::{ActorId, BuildingId, PassId, UnitId};

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000).unwrap()
}

fn unit(building: &str, unit: &str) -> Target {
    Target::Unit(
        BuildingId::parse(building).unwrap(),
        UnitId::parse(unit).unwrap(),
    )
}

fn group(id: &str, admits: Vec<Target>) -> Group {
    Group {
        id: DoorGroupId::parse(id).unwrap(),
        admits,
        visitors: true,
        windows: None,
    }
}

fn place(groups: Vec<Group>) -> Place {
    Place {
        tenant: TenantId::parse("demo").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        direction: Direction::Both,
        released: false,
        online: true,
        groups,
    }
}

fn li() -> Subject {
    Subject {
        belongs: vec![Belongs {
            target: unit("b1", "u1"),
            holder: Holder::Resident,
            window: None,
        }],
        grant: None,
        suspended: false,
    }
}

fn claims() -> PassClaims {
    PassClaims {
        pass: PassId::parse("p1").unwrap(),
        tenant: TenantId::parse("demo").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        holder: Holder::Visitor,
        person: None::<ActorId>,
        targets: vec![unit("b1", "u1")],
        not_before: at(0),
        expires_at: at(10_000),
        uses_max: 2,
        step: 0,
    }
}

fn why(place: &Place, subject: &Subject, shown: &Shown, history: &History) -> Reason {
    let now = at(1_000);
    decide(Ask {
        place,
        subject,
        shown,
        history,
        now,
    })
    .reason
}

fn person(place: &Place, subject: &Subject) -> Reason {
    why(place, subject, &Shown::Person, &History::default())
}

#[test]
fn a_resident_opens_the_own_entrance_the_building_and_the_communitys_doors() {
    let b = |id| BuildingId::parse(id).unwrap();
    for (admits, reason) in [
        (Target::Community, Reason::Member),
        (Target::Building(b("b1")), Reason::Member),
        (unit("b1", "u1"), Reason::Member),
        (unit("b1", "u2"), Reason::NoGrant),
        (unit("b2", "u1"), Reason::NoGrant),
        (Target::Building(b("b2")), Reason::NoGrant),
    ] {
        assert_eq!(
            person(&place(vec![group("g", vec![admits.clone()])]), &li()),
            reason,
            "{admits:?}"
        );
    }
    assert_eq!(person(&place(vec![]), &li()), Reason::NoGrant);
}

#[test]
fn an_explicit_member_is_admitted_by_that_group_only() {
    let mut chen = li();
    chen.belongs = vec![Belongs {
        target: Target::Group(DoorGroupId::parse("staff").unwrap()),
        holder: Holder::Staff,
        window: None,
    }];
    assert_eq!(
        person(&place(vec![group("staff", vec![])]), &chen),
        Reason::Member
    );
    assert_eq!(
        person(&place(vec![group("pool", vec![])]), &chen),
        Reason::NoGrant
    );
}

#[test]
fn schedules_and_the_times_of_memberships_count() {
    let mut pool = group("pool", vec![Target::Community]);
    pool.windows = Some(vec![Window {
        from: 0,
        until: 1_000_000,
    }]);
    assert_eq!(
        person(&place(vec![pool.clone()]), &li()),
        Reason::OutsideSchedule
    );
    // A second group that is open opens the door.
    let both = vec![pool.clone(), group("all", vec![Target::Community])];
    assert_eq!(person(&place(both), &li()), Reason::Member);
    pool.windows = Some(vec![Window {
        from: 1_000_000,
        until: 1_000_001,
    }]);
    assert_eq!(person(&place(vec![pool]), &li()), Reason::Member);
    for (from, until, reason) in [
        (0, 1_000_000, Reason::GrantExpired),
        (1_000_001, 2_000_000, Reason::GrantNotYetValid),
        (1_000_000, 1_000_001, Reason::Member),
    ] {
        let mut li = li();
        li.belongs[0].window = Some(Window { from, until });
        let doors = place(vec![group("all", vec![Target::Community])]);
        assert_eq!(person(&doors, &li), reason);
    }
}

#[test]
fn a_single_grant_opens_without_any_group() {
    for (window, suspended, reason) in [
        (
            Window {
                from: 0,
                until: 1_000_001,
            },
            false,
            Reason::Granted,
        ),
        (
            Window {
                from: 0,
                until: 1_000_001,
            },
            true,
            Reason::GrantSuspended,
        ),
        (
            Window {
                from: 0,
                until: 1_000_000,
            },
            false,
            Reason::GrantExpired,
        ),
        (
            Window {
                from: 1_000_001,
                until: 2_000_000,
            },
            false,
            Reason::GrantNotYetValid,
        ),
    ] {
        let subject = Subject {
            grant: Some(Held { window, suspended }),
            ..Subject::default()
        };
        assert_eq!(person(&place(vec![]), &subject), reason);
    }
}

#[test]
fn a_suspended_person_is_refused_whatever_is_shown() {
    let mut li = li();
    li.suspended = true;
    let doors = place(vec![group("all", vec![Target::Community])]);
    assert_eq!(person(&doors, &li), Reason::PersonSuspended);
    let mut claims = claims();
    claims.holder = Holder::Resident;
    let pass = Shown::Pass {
        claims,
        revoked: false,
    };
    assert_eq!(
        why(&doors, &li, &pass, &History::default()),
        Reason::PersonSuspended
    );
}

#[test]
fn a_fire_opens_for_everybody_and_an_override_for_its_reason() {
    let mut doors = place(vec![]);
    assert_eq!(
        why(
            &doors,
            &Subject::default(),
            &Shown::Override,
            &History::default()
        ),
        Reason::Override
    );
    doors.online = false;
    assert_eq!(
        why(&doors, &li(), &Shown::Override, &History::default()),
        Reason::DoorOffline
    );
    doors.released = true;
    let mut li = li();
    li.suspended = true;
    assert_eq!(person(&doors, &li), Reason::Released);
}

#[test]
fn a_pass_opens_as_often_as_it_says_and_only_where_it_belongs() {
    let doors = place(vec![group("all", vec![Target::Community])]);
    let shown = |claims| Shown::Pass {
        claims,
        revoked: false,
    };
    let used = |uses| History {
        uses,
        ..History::default()
    };
    let nobody = Subject::default();
    assert_eq!(
        why(&doors, &nobody, &shown(claims()), &used(1)),
        Reason::Pass
    );
    assert_eq!(
        why(&doors, &nobody, &shown(claims()), &used(2)),
        Reason::AlreadyUsed
    );
    let mut foreign = claims();
    foreign.community = CommunityId::parse("harbour").unwrap();
    assert_eq!(
        why(&doors, &nobody, &shown(foreign), &used(0)),
        Reason::PassForeign
    );
    let mut foreign = claims();
    foreign.tenant = TenantId::parse("other").unwrap();
    assert_eq!(
        why(&doors, &nobody, &shown(foreign), &used(0)),
        Reason::PassForeign
    );
    let revoked = Shown::Pass {
        claims: claims(),
        revoked: true,
    };
    assert_eq!(
        why(&doors, &nobody, &revoked, &used(0)),
        Reason::PassRevoked
    );
    let mut gym = group("gym", vec![Target::Community]);
    gym.visitors = false;
    assert_eq!(
        why(&place(vec![gym]), &nobody, &shown(claims()), &used(0)),
        Reason::NoGrant
    );
}

#[test]
fn a_number_opens_once() {
    let doors = place(vec![group("all", vec![Target::Community])]);
    let used = |uses| History {
        uses,
        ..History::default()
    };
    assert_eq!(why(&doors, &li(), &Shown::Number, &used(0)), Reason::Member);
    assert_eq!(
        why(&doors, &li(), &Shown::Number, &used(1)),
        Reason::AlreadyUsed
    );
}

#[test]
fn asking_too_fast_or_too_often_is_refused() {
    let doors = place(vec![group("all", vec![Target::Community])]);
    for (last, in_hour, reason) in [
        (at(998), 0, Reason::TooFast),
        (at(997), 29, Reason::Member),
        (at(997), 30, Reason::TooOften),
        (at(2_000), 0, Reason::Member),
    ] {
        let history = History {
            last_at: Some(last),
            in_hour,
            ..History::default()
        };
        assert_eq!(why(&doors, &li(), &Shown::Person, &history), reason);
    }
}

#[test]
fn going_the_same_way_twice_is_flagged_and_not_stopped() {
    let mut doors = place(vec![group("all", vec![Target::Community])]);
    doors.direction = Direction::Entry;
    for (last, passback) in [
        (Some(Direction::Entry), true),
        (Some(Direction::Exit), false),
        (None, false),
    ] {
        let history = History {
            last_direction: last,
            ..History::default()
        };
        let decision = decide(Ask {
            place: &doors,
            subject: &li(),
            shown: &Shown::Person,
            history: &history,
            now: at(1_000),
        });
        assert_eq!((decision.allowed, decision.passback), (true, passback));
    }
}
