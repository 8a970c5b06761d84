//! What doors and gateways say about access stays what devices in the field already speak: each file is read as its
//! type and written again, and neither loses nor adds anything. The files with signatures, hashes and numbers were
//! computed by another program, from the descriptions in `wire` alone.

use kernel::{
    ActorId, BuildingId, CommunityId, DeviceId, DoorGroupId, MessageId, PassId, TenantId,
    Timestamp, UnitId,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use wire::audit::{Credential, Entry, FIRST_HASH, Line, follows};
use wire::door::{Command, Occurrence, OccurrenceKind};
use wire::pass::{self, Holder, PassClaims, PassKey, Target};
use wire::snapshot::{self, Direction, Snapshot, Window};
use wire::{Message, gateway};

/// The moment at which the passes begin: 2026-03-01T00:00:00Z.
const BEGIN_MS: i64 = 1_772_323_200_000;
const HOUR_MS: i64 = 3_600_000;
const SNAPSHOT: &[u8] = include_bytes!("golden/snapshot.txt");

/// The text of a file.
macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("golden/", $name, ".json"))
    };
}

fn id<Id: TryFrom<String>>(text: &str) -> Id
where
    Id::Error: std::fmt::Debug,
{
    Id::try_from(text.to_owned()).unwrap()
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

/// Holds a file against a value in both directions.
fn check<Body: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str, body: Body) {
    let expected = Message {
        id: id::<MessageId>("0199f1d2-7c3a-7e4b-9c5d-2f6a8b0c1d2e"),
        at: at(BEGIN_MS + 250),
        body,
    };
    let read = Message::<Body>::from_payload(text.as_bytes()).unwrap();
    assert_eq!(read, expected, "read");
    let written: Value = serde_json::from_slice(&expected.to_payload().unwrap()).unwrap();
    let file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(written, file, "written");
}

fn occurrence(kind: OccurrenceKind) -> Occurrence {
    let gateway = id("gateway-1");
    Occurrence { gateway, kind }
}

#[test]
fn doors_stand_open_for_a_fire_and_shut_again() {
    let expires_at = at(BEGIN_MS + 250 + 60_000);
    check(
        golden!("door_command_release"),
        Command::Release { expires_at },
    );
    check(
        golden!("door_command_restore"),
        Command::Restore { expires_at },
    );
    check(
        golden!("door_event_released"),
        occurrence(OccurrenceKind::Released),
    );
    check(
        golden!("door_event_restored"),
        occurrence(OccurrenceKind::Restored),
    );
}

#[test]
fn what_a_gate_decided_is_chained_by_hashes() {
    let first = Entry {
        sequence: 1,
        previous_hash: FIRST_HASH.to_owned(),
        hash: hash_in(golden!("door_event_access_decided_card")),
        credential: Credential::Card,
        person: Some(id("li")),
        pass: None,
        step: None,
        allowed: true,
        reason: "member".to_owned(),
        passback: true,
        decided_at: at(BEGIN_MS + 250),
        offline: true,
    };
    let second = Entry {
        sequence: 2,
        previous_hash: first.hash.clone(),
        hash: hash_in(golden!("door_event_access_decided_pass")),
        credential: Credential::Pass,
        person: None,
        pass: Some(id("pass-1")),
        step: Some(0),
        allowed: false,
        reason: "already_used".to_owned(),
        passback: false,
        decided_at: at(BEGIN_MS + 250),
        offline: false,
    };
    let line = |entry: &Entry| Line {
        gateway: id::<DeviceId>("gateway-1"),
        door: id::<DeviceId>("north"),
        entry: entry.clone(),
    };
    assert_eq!(follows(None, &line(&first)), Ok(()));
    assert_eq!(follows(Some((1, &first.hash)), &line(&second)), Ok(()));
    let decided = |entry| occurrence(OccurrenceKind::AccessDecided(entry));
    check(golden!("door_event_access_decided_card"), decided(first));
    check(golden!("door_event_access_decided_pass"), decided(second));
}

/// The hash that the file says.
fn hash_in(text: &str) -> String {
    let message: Value = serde_json::from_str(text).unwrap();
    message["body"]["hash"].as_str().unwrap().to_owned()
}

/// A secret, and what passes are under it.
#[derive(Deserialize)]
struct Passes {
    secret: String,
    key: PassKey,
    resident: String,
    visitor: String,
    personal_pass: String,
    step: u64,
    short_key: String,
    resident_number: String,
    visitor_number: String,
}

fn passes() -> (Passes, [u8; 32]) {
    let passes: Passes = serde_json::from_str(golden!("pass")).unwrap();
    let seed = pass::seed_of(&passes.secret);
    (passes, seed)
}

#[test]
fn a_pass_has_the_same_text_for_ever() {
    let (golden, seed) = passes();
    assert_eq!(PassKey::of_seed(&seed), golden.key);
    let (tenant, li) = (id::<TenantId>("demo"), id::<ActorId>("li"));
    let own = pass::personal_pass(&tenant, &li).unwrap();
    assert_eq!(own.as_str(), golden.personal_pass);
    assert_eq!(pass::step_of(at(BEGIN_MS)), golden.step);
    let resident = PassClaims {
        pass: own,
        tenant: tenant.clone(),
        community: id::<CommunityId>("garden"),
        holder: Holder::Resident,
        person: Some(li),
        targets: vec![
            Target::Unit(id::<BuildingId>("b1"), id::<UnitId>("u1")),
            Target::Group(id::<DoorGroupId>("pool")),
        ],
        not_before: at(BEGIN_MS),
        expires_at: at(BEGIN_MS + 60_000),
        uses_max: 1,
        step: golden.step,
    };
    let visitor = PassClaims {
        pass: id::<PassId>("pass-1"),
        holder: Holder::Visitor,
        person: None,
        targets: vec![Target::Building(id("b1")), Target::Community],
        expires_at: at(BEGIN_MS + HOUR_MS),
        uses_max: 3,
        step: 0,
        ..resident.clone()
    };
    for (claims, text) in [(resident, &golden.resident), (visitor, &golden.visitor)] {
        assert_eq!(pass::sign(&claims, &seed).as_ref(), Ok(text));
        let keys = std::slice::from_ref(&golden.key);
        assert_eq!(pass::verify(text, keys, at(BEGIN_MS)), Ok(claims));
    }
}

#[test]
fn a_pass_has_the_same_number_for_ever() {
    let (golden, seed) = passes();
    let key = pass::short_key(&seed, &id::<TenantId>("demo"), "gateway-1").unwrap();
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, golden.short_key);
    let (own, visitors) = (id::<PassId>(&golden.personal_pass), id::<PassId>("pass-1"));
    for (pass, step, rotates, number) in [
        (own, golden.step, true, &golden.resident_number),
        (visitors, 0, false, &golden.visitor_number),
    ] {
        let number: u64 = number.parse().unwrap();
        assert_eq!(pass::short_number(&key, &pass, step), Some(number));
        let found = pass::short_step(&key, &pass, rotates, number, at(BEGIN_MS));
        assert_eq!(found, Some(step));
    }
}

#[test]
fn a_snapshot_has_the_same_bytes_for_ever() {
    let (golden, seed) = passes();
    let keys = std::slice::from_ref(&golden.key);
    let read = snapshot::verify(SNAPSHOT, keys).unwrap();
    assert_eq!(snapshot::sign(&read, &seed).unwrap(), SNAPSHOT);
    check_content(&read);
    assert_eq!(
        (read.keys.as_slice(), &read.short_key),
        (keys, &golden.short_key)
    );
    check(
        golden!("gateway_command_snapshot_ready"),
        gateway::Command::SnapshotReady {
            version: 7,
            sha256: snapshot::digest(SNAPSHOT),
            bytes: SNAPSHOT.len() as u64,
        },
    );
}

/// What the short names of the file mean, one of each sort.
fn check_content(read: &Snapshot) {
    assert_eq!((read.version, read.made_at), (7, at(BEGIN_MS)));
    let [north, south] = read.doors.as_slice() else {
        panic!("two doors");
    };
    assert_eq!((north.direction, north.released), (Direction::Entry, false));
    assert_eq!((south.direction, south.released), (Direction::Both, true));
    let (from, hour) = (BEGIN_MS, BEGIN_MS + HOUR_MS);
    let windows = read.groups[1].windows.as_deref();
    assert_eq!(windows, Some(&[Window { from, until: hour }][..]));
    let li = &read.members[0];
    assert_eq!(
        (li.person.as_str(), li.suspended.as_slice()),
        ("li", &[0][..])
    );
    let until_then = Window {
        from: 0,
        until: hour,
    };
    assert_eq!(li.belongs[1].window, Some(until_then));
    assert_eq!((li.grants[0].door, li.grants[0].suspended), (1, true));
    let always = Window {
        from: 0,
        until: i64::MAX,
    };
    assert_eq!(li.grants[0].window, always);
    assert_eq!(read.members[1].belongs[0].holder, Holder::Staff);
    assert_eq!(
        (read.cards[0].blocked, read.cards[1].blocked),
        (false, true)
    );
    assert_eq!(
        (read.passes[0].uses_max, read.passes[0].window.until),
        (3, hour)
    );
    assert_eq!(read.revoked_passes, [id::<PassId>("pass-2")]);
}
