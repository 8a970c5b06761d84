//! The attacks on passes.

use proptest::prelude::*;

use super::*;

const SEED: [u8; 32] = [7; 32];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1_000).unwrap()
}

fn keys() -> Vec<PassKey> {
    vec![PassKey::of_seed(&SEED)]
}

/// Li's pass of the minute from 1,000,020 s on.
fn claims() -> PassClaims {
    PassClaims {
        pass: PassId::parse("pass-1").unwrap(),
        tenant: TenantId::parse("demo").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        holder: Holder::Resident,
        person: ActorId::parse("li").ok(),
        targets: vec![
            Target::Unit(
                BuildingId::parse("b1").unwrap(),
                UnitId::parse("u1").unwrap(),
            ),
            Target::Group(DoorGroupId::parse("pool").unwrap()),
        ],
        not_before: at(1_000_020),
        expires_at: at(1_000_080),
        uses_max: 1,
        step: 33_334,
    }
}

#[test]
fn a_pass_is_read_as_it_was_written_and_the_same_step_has_the_same_text() {
    let text = sign(&claims(), &SEED).unwrap();
    assert_eq!(text, sign(&claims(), &SEED).unwrap());
    assert_eq!(verify(&text, &keys(), at(1_000_030)), Ok(claims()));
    assert!(text.len() < 400, "{} characters", text.len());
}

#[test]
fn a_clock_may_be_wrong_by_60_s_and_no_more() {
    let text = sign(&claims(), &SEED).unwrap();
    let at_ms = |millis| verify(&text, &keys(), Timestamp::from_millis(millis).unwrap());
    assert_eq!(at_ms(1_000_020_000 - 60_001), Err(PassError::NotYetValid));
    assert!(at_ms(1_000_020_000 - 60_000).is_ok());
    assert!(at_ms(1_000_080_000 + 59_999).is_ok());
    assert_eq!(at_ms(1_000_080_000 + 60_000), Err(PassError::Expired));
}

#[test]
fn a_forged_pass_is_refused() {
    let text = sign(&claims(), &SEED).unwrap();
    let (signed, signature) = text.rsplit_once('.').unwrap();
    let mut longer = claims();
    longer.uses_max = 1_000;
    let other = sign(&longer, &SEED).unwrap();
    let mixed = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
    assert_eq!(
        verify(&mixed, &keys(), at(1_000_030)),
        Err(PassError::Forged)
    );
    for wrong in ["", "AA", &"A".repeat(86)] {
        let text = format!("{signed}.{wrong}");
        assert_eq!(
            verify(&text, &keys(), at(1_000_030)),
            Err(PassError::Forged)
        );
    }
    assert!(!signature.is_empty());
}

#[test]
fn a_key_is_only_tried_under_its_own_id() {
    let stranger = [9; 32];
    let text = sign(&claims(), &stranger).unwrap();
    assert_eq!(
        verify(&text, &keys(), at(1_000_030)),
        Err(PassError::KeyUnknown)
    );
    // A key list that puts a stranger's key under our id, or ours under a stranger's, believes neither.
    let confused = PassKey {
        id: PassKey::of_seed(&SEED).id,
        public: PassKey::of_seed(&stranger).public,
    };
    let ours = sign(&claims(), &SEED).unwrap();
    assert_eq!(
        verify(&ours, &[confused], at(1_000_030)),
        Err(PassError::KeyUnknown)
    );
    let renamed = PassKey {
        id: PassKey::of_seed(&stranger).id,
        public: PassKey::of_seed(&SEED).public,
    };
    assert_eq!(
        verify(&text, &[renamed], at(1_000_030)),
        Err(PassError::KeyUnknown)
    );
    assert_eq!(
        verify(&ours, &[], at(1_000_030)),
        Err(PassError::KeyUnknown)
    );
}

#[test]
fn another_form_or_algorithm_is_never_tried() {
    let text = sign(&claims(), &SEED).unwrap();
    let body = text.strip_prefix("L1").unwrap();
    for other in ["L2", "l1", "", "L1S", "eyJhbGciOiJub25lIn0"] {
        let text = format!("{other}{body}");
        assert_eq!(
            verify(&text, &keys(), at(1_000_030)),
            Err(PassError::Malformed),
            "{other}"
        );
    }
    // The claims without a signature, with a part more, padded, or in the other alphabet.
    let (signed, signature) = text.rsplit_once('.').unwrap();
    for wrong in [
        signed.to_owned(),
        format!("{signed}."),
        format!("{text}."),
        format!("{signed}=.{signature}"),
        format!(" {text}"),
        format!("{text}\n"),
    ] {
        assert!(verify(&wrong, &keys(), at(1_000_030)).is_err(), "{wrong:?}");
    }
}

#[test]
fn an_oversized_text_is_not_even_read() {
    let text = format!("L1.{}", "A".repeat(PASS_CHARACTERS_MAX));
    assert_eq!(verify(&text, &keys(), at(0)), Err(PassError::TooLong));
    let mut many = claims();
    many.targets = vec![Target::Group(DoorGroupId::parse(&"g".repeat(64)).unwrap()); TARGETS_MAX];
    assert_eq!(sign(&many, &SEED), Err(PassError::TooLong));
}

#[test]
fn claims_that_no_pass_has_are_not_signed() {
    let wrong: [fn(&mut PassClaims); 5] = [
        |claims| claims.expires_at = claims.not_before,
        |claims| claims.expires_at = claims.expires_at.plus_millis(1),
        |claims| claims.uses_max = 0,
        |claims| (claims.targets, claims.person) = (vec![], None),
        |claims| claims.targets = vec![Target::Community; TARGETS_MAX + 1],
    ];
    for change in wrong {
        let mut claims = claims();
        change(&mut claims);
        assert_eq!(
            sign(&claims, &SEED),
            Err(PassError::Malformed),
            "{claims:?}"
        );
    }
    let mut visitor = claims();
    visitor.holder = Holder::Visitor;
    visitor.expires_at = at(1_500_000);
    assert!(sign(&visitor, &SEED).is_ok());
}

#[test]
fn a_short_number_holds_in_its_minute_and_at_its_gateway_only() {
    let tenant = TenantId::parse("demo").unwrap();
    let key = short_key(&SEED, &tenant, "gw-1").unwrap();
    let other = short_key(&SEED, &tenant, "gw-2").unwrap();
    let pass = claims().pass;
    let now = at(1_000_020);
    let number = short_number(&key, &pass, step_of(now)).unwrap();
    for second in [-60, 0, 59, 119] {
        let now = now.plus_millis(second * 1_000);
        assert_eq!(
            short_step(&key, &pass, true, number, now),
            Some(33_334),
            "{second}"
        );
    }
    for second in [-61, 120, 3_600] {
        let now = now.plus_millis(second * 1_000);
        assert_eq!(short_step(&key, &pass, true, number, now), None, "{second}");
    }
    assert_eq!(short_step(&other, &pass, true, number, now), None);
    assert_eq!(
        short_step(&key, &PassId::parse("pass-2").unwrap(), true, number, now),
        None
    );
    assert_eq!(short_step(&key, &pass, true, number ^ 1, now), None);
    let fixed = short_number(&key, &pass, 0).unwrap();
    assert_eq!(
        short_step(&key, &pass, false, fixed, at(9_999_999)),
        Some(0)
    );
}

proptest! {
    #[test]
    fn any_text_is_a_pass_or_an_error(text in ".{0,1200}", parts in prop::collection::vec("[A-Za-z0-9_-]{0,200}", 0..5)) {
        prop_assert!(verify(&text, &keys(), at(1)).is_err());
        prop_assert!(verify(&parts.join("."), &keys(), at(1)).is_err());
        let formed = format!("L1.{}", parts.join("."));
        prop_assert!(verify(&formed, &keys(), at(1)).is_err());
    }

    #[test]
    fn a_pass_with_one_character_changed_is_refused(place in 0_usize..1_000, replacement in "[A-Za-z0-9_.-]") {
        let text = sign(&claims(), &SEED).unwrap();
        let place = place % text.len();
        prop_assume!(text[place..=place] != replacement);
        let changed = format!("{}{replacement}{}", &text[..place], &text[place + 1..]);
        prop_assert!(verify(&changed, &keys(), at(1_000_030)).is_err());
    }

    #[test]
    fn a_target_survives_its_word(building in "[A-Za-z0-9_-]{1,64}", unit in "[A-Za-z0-9_-]{1,64}") {
        let target = Target::Unit(BuildingId::parse(&building).unwrap(), UnitId::parse(&unit).unwrap());
        prop_assert_eq!(Target::unpack(&target.pack()), Some(target));
    }
}
