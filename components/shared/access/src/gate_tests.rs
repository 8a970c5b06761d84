//! A gate without its uplink.

use kernel::{BuildingId, CommunityId, DoorGroupId, TenantId, UnitId};
use wire::pass::{PassKey, Target};
use wire::snapshot::{self, Direction, SNAPSHOT_MS, Window};

use super::*;

const SEED: [u8; 32] = [3; 32];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000).unwrap()
}

fn home() -> Target {
    Target::Unit(
        BuildingId::parse("b1").unwrap(),
        UnitId::parse("u1").unwrap(),
    )
}

fn person(id: &str, target: Target, holder: Holder) -> Member {
    Member {
        person: ActorId::parse(id).unwrap(),
        belongs: vec![Belonging {
            community: 0,
            target,
            holder,
            window: None,
        }],
        grants: vec![],
        suspended: vec![],
    }
}

fn card(number: u64, person: &str, blocked: bool) -> Card {
    Card {
        number,
        person: ActorId::parse(person).unwrap(),
        blocked,
    }
}

fn visitor() -> Pass {
    Pass {
        id: PassId::parse("visit-1").unwrap(),
        community: 0,
        targets: vec![home()],
        window: Window {
            from: 0,
            until: 100_000_000,
        },
        uses_max: 1,
    }
}

fn snapshot() -> Snapshot {
    let tenant = TenantId::parse("demo").unwrap();
    let key = pass::short_key(&SEED, &tenant, "gw").unwrap();
    Snapshot {
        tenant,
        gateway: DeviceId::parse("gw").unwrap(),
        version: 1,
        made_at: at(0),
        expires_at: at(0).plus_millis(SNAPSHOT_MS),
        communities: vec![CommunityId::parse("garden").unwrap()],
        doors: vec![Door {
            id: north(),
            community: 0,
            direction: Direction::Both,
            released: false,
            unlock_ms: 3_000,
        }],
        groups: vec![snapshot::Group {
            id: DoorGroupId::parse("all").unwrap(),
            community: 0,
            admits: vec![Target::Community],
            visitors: true,
            doors: vec![north()],
            windows: None,
        }],
        members: vec![
            person("li", home(), Holder::Resident),
            person("chen", Target::Community, Holder::Staff),
        ],
        cards: vec![
            card(11, "li", false),
            card(12, "chen", false),
            card(13, "li", true),
        ],
        passes: vec![visitor()],
        revoked_passes: vec![PassId::parse("visit-0").unwrap()],
        keys: vec![PassKey::of_seed(&SEED)],
        short_key: key.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}

fn north() -> DeviceId {
    DeviceId::parse("north").unwrap()
}

fn why(gate: &Gate, presented: &Presented, uses: u32, now: Timestamp) -> Reason {
    let recognised = gate.recognise(presented, now);
    let history = History {
        uses,
        ..History::default()
    };
    gate.decide(&north(), &recognised, &history, now).reason
}

fn text(pass: &str) -> Presented {
    let snapshot = snapshot();
    let claims = PassClaims {
        pass: PassId::parse(pass).unwrap(),
        tenant: snapshot.tenant,
        community: snapshot.communities[0].clone(),
        holder: Holder::Visitor,
        person: None,
        targets: vec![home()],
        not_before: at(0),
        expires_at: at(100_000),
        uses_max: 1,
        step: 0,
    };
    Presented::Text(pass::sign(&claims, &SEED).unwrap())
}

#[test]
fn a_visitors_code_opens_once() {
    let gate = Gate::new(snapshot());
    assert_eq!(why(&gate, &text("visit-1"), 0, at(500)), Reason::Pass);
    assert_eq!(
        why(&gate, &text("visit-1"), 1, at(504)),
        Reason::AlreadyUsed
    );
    assert_eq!(
        why(&gate, &text("visit-0"), 0, at(500)),
        Reason::PassRevoked
    );
    // A pass that was approved after the snapshot holds by its signature.
    assert_eq!(why(&gate, &text("visit-2"), 0, at(500)), Reason::Pass);
    let forged = Presented::Text("L1.e30.AAAA".to_owned());
    assert_eq!(why(&gate, &forged, 0, at(500)), Reason::PassMalformed);
}

#[test]
fn cards_open_unless_they_are_blocked_or_unknown() {
    let gate = Gate::new(snapshot());
    for (number, reason) in [
        (11, Reason::Member),
        (12, Reason::Member),
        (13, Reason::CardBlocked),
        (14, Reason::CardUnknown),
    ] {
        assert_eq!(why(&gate, &Presented::Card(number), 0, at(500)), reason);
    }
}

#[test]
fn after_a_day_only_the_cards_of_staff_open() {
    let gate = Gate::new(snapshot());
    let late = at(24 * 3_600);
    assert_eq!(
        why(&gate, &Presented::Card(11), 0, late),
        Reason::SnapshotExpired
    );
    assert_eq!(why(&gate, &Presented::Card(12), 0, late), Reason::Member);
    assert_eq!(
        why(&gate, &text("visit-1"), 0, late),
        Reason::SnapshotExpired
    );
}

#[test]
fn short_numbers_stand_for_residents_and_visitors() {
    let made = snapshot();
    let gate = Gate::new(snapshot());
    let key = pass::short_key(&SEED, &made.tenant, "gw").unwrap();
    let own = pass::personal_pass(&made.tenant, &ActorId::parse("li").unwrap()).unwrap();
    let now = at(5_000);
    let number = pass::short_number(&key, &own, pass::step_of(now)).unwrap();
    assert_eq!(
        why(&gate, &Presented::Number(number), 0, now),
        Reason::Member
    );
    assert_eq!(
        why(&gate, &Presented::Number(number), 1, now),
        Reason::AlreadyUsed
    );
    assert_eq!(
        why(&gate, &Presented::Number(number), 0, at(6_000)),
        Reason::CodeUnknown
    );
    let fixed = pass::short_number(&key, &visitor().id, 0).unwrap();
    assert_eq!(why(&gate, &Presented::Number(fixed), 0, now), Reason::Pass);
    assert_eq!(
        why(&gate, &Presented::Number(fixed ^ 1), 0, now),
        Reason::CodeUnknown
    );
}

#[test]
fn a_released_door_asks_nobody() {
    let mut made = snapshot();
    made.doors[0].released = true;
    let gate = Gate::new(made);
    assert_eq!(
        why(&gate, &Presented::Card(99), 0, at(90_000)),
        Reason::Released
    );
}

#[test]
fn another_gateways_door_is_unknown() {
    let gate = Gate::new(snapshot());
    let recognised = gate.recognise(&Presented::Card(11), at(1));
    let other = DeviceId::parse("south").unwrap();
    let decision = gate.decide(&other, &recognised, &History::default(), at(1));
    assert_eq!(decision, Decision::refused(Reason::DoorUnknown));
}
