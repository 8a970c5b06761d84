//! What is read of a snapshot, and with which keys.

use super::*;

fn snapshot() -> Snapshot {
    Snapshot {
        tenant: TenantId::parse("demo").unwrap(),
        gateway: DeviceId::parse("gw").unwrap(),
        version: 3,
        made_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH.plus_millis(SNAPSHOT_MS),
        communities: vec![CommunityId::parse("garden").unwrap()],
        doors: vec![],
        groups: vec![],
        members: vec![Member {
            person: ActorId::parse("li").unwrap(),
            belongs: vec![Belonging {
                community: 0,
                target: Target::Community,
                holder: Holder::Staff,
                window: None,
            }],
            grants: vec![],
            suspended: vec![],
        }],
        cards: vec![],
        passes: vec![],
        revoked_passes: vec![],
        keys: vec![PassKey::of_seed(&[1; 32])],
        short_key: String::new(),
    }
}

#[test]
fn a_snapshot_is_read_as_it_was_written_and_by_its_own_key_only() {
    let bytes = sign(&snapshot(), &[1; 32]).unwrap();
    let own = [PassKey::of_seed(&[1; 32])];
    assert_eq!(verify(&bytes, &own).unwrap(), snapshot());
    let other = [PassKey::of_seed(&[2; 32])];
    assert_eq!(verify(&bytes, &other), Err(SnapshotError::KeyUnknown));
    assert_eq!(verify(b"", &own), Err(SnapshotError::Malformed));
}

#[test]
fn a_snapshot_with_one_byte_changed_is_refused() {
    let bytes = sign(&snapshot(), &[1; 32]).unwrap();
    let own = [PassKey::of_seed(&[1; 32])];
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        assert!(verify(&changed, &own).is_err(), "byte {place}");
    }
}

#[test]
fn while_a_key_is_rotated_gateways_with_the_old_or_the_new_one_take_the_same_snapshot() {
    let bytes = sign_all(&snapshot(), &[[1; 32], [2; 32]]).unwrap();
    let [new, old, other] = [1, 2, 3].map(|seed| PassKey::of_seed(&[seed; 32]));
    for keys in [
        vec![new.clone()],
        vec![old.clone()],
        vec![old.clone(), new.clone()],
    ] {
        assert_eq!(verify(&bytes, &keys).unwrap(), snapshot());
    }
    assert_eq!(verify(&bytes, &[other]), Err(SnapshotError::KeyUnknown));
    let text = String::from_utf8(bytes).unwrap();
    let (head, json) = text.split_once('\n').unwrap();
    let forged = format!("{}A.{}\n{json}", head.split_once('.').unwrap().0, old.id);
    assert!(verify(forged.as_bytes(), &[new.clone(), old.clone()]).is_err());
    // A signature that the reader can check has to be right, whatever stands beside it.
    let parts: Vec<&str> = head.split('.').collect();
    let swapped = format!(
        "L1S.{}.{}.{}.{}\n{json}",
        new.id, parts[2], old.id, parts[2]
    );
    assert_eq!(
        verify(swapped.as_bytes(), &[new.clone(), old]),
        Err(SnapshotError::Forged)
    );
    assert!(verify(swapped.as_bytes(), &[new]).is_ok());
    assert!(verify(b"L1S\n{}", &[]).is_err());
}
