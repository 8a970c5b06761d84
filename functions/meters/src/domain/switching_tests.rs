//! What may be cut for which reason, and what an answer makes of a request.

use super::*;
use crate::domain::{Name, Object, Register};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis).unwrap()
}

fn meter(commodity: Commodity) -> Meter {
    Meter {
        id: MeterId::parse("m1").unwrap(),
        community: CommunityId::parse("garden").unwrap(),
        commodity,
        name: Name::parse("表").unwrap(),
        gateway: DeviceId::parse("g1").ok(),
        master: None,
        interval_ms: 3_600_000,
        limit_milli_per_hour: 1,
        register: Register {
            seq: 1,
            digits: 5,
            multiplier: 1,
        },
        serial: None,
        opened_at: at(0),
        removed_at: None,
        object: Object::Room(RoomId::parse("r1").unwrap()),
        prepaid: false,
        decoding: None,
        version: 1,
    }
}

fn ask(supply: Supply, reason: Option<CutReason>) -> Ask {
    Ask {
        id: SwitchingId::parse("s1").unwrap(),
        supply,
        reason,
        note: None,
    }
}

fn requested(commodity: Commodity, ask: Ask) -> Result<Switching, &'static str> {
    let actor = ActorId::parse("chen").unwrap();
    request(&meter(commodity), ask, &actor, at(0)).map_err(|refusal| refusal.code)
}

fn cut() -> Switching {
    let ask = ask(Supply::Off, Some(CutReason::Leak));
    requested(Commodity::Water, ask).unwrap()
}

#[test]
fn nobody_is_cut_off_for_property_fees() {
    for text in FEES {
        assert_eq!(CutReason::of(text).unwrap_err().code, "supply_protected");
    }
    assert_eq!(
        CutReason::of("because").unwrap_err().code,
        "switching_reason"
    );
    for reason in CutReason::ALL {
        assert_eq!(CutReason::of(reason.as_str()), Ok(*reason));
        assert!(!FEES.contains(&reason.as_str()));
    }
}

#[test]
fn a_cut_has_a_reason_and_gas_is_opened_by_hand() {
    let without = requested(Commodity::Water, ask(Supply::Off, None));
    assert_eq!(without.unwrap_err(), "switching_reason");
    let gas = requested(Commodity::Gas, ask(Supply::On, None));
    assert_eq!(gas.unwrap_err(), "gas_opens_by_hand");
    let gas = requested(Commodity::Gas, ask(Supply::Off, Some(CutReason::Leak)));
    assert_eq!(gas.unwrap().state, SwitchingState::Requested);
    let mut by_hand = meter(Commodity::Water);
    by_hand.gateway = None;
    let actor = ActorId::parse("chen").unwrap();
    let refused = request(&by_hand, ask(Supply::On, None), &actor, at(0));
    assert_eq!(refused.unwrap_err().code, "meter_not_reached");
}

#[test]
fn the_first_answer_in_time_settles_and_later_ones_change_nothing() {
    let reason = || "no".to_owned();
    for (outcome, state) in [
        (Outcome::Done, "done"),
        (Outcome::Refused { reason: reason() }, "refused"),
        (Outcome::Unsupported { reason: reason() }, "refused"),
        (Outcome::Expired, "timed_out"),
        (Outcome::Unreached { reason: reason() }, "timed_out"),
        (Outcome::Unanswered { reason: reason() }, "timed_out"),
    ] {
        let settled = answered(&cut(), &outcome, at(1_000)).unwrap();
        assert_eq!(settled.state.name(), state);
        assert_eq!(settled.state.settled_at(), Some(at(1_000)));
        assert_eq!(answered(&settled, &outcome, at(2_000)), None);
    }
}

#[test]
fn without_an_answer_a_request_times_out_and_what_came_late_stands_beside_it() {
    let deadline = SWITCHING_EXPIRES_MS + ANSWER_MS;
    assert_eq!(observe(cut(), at(deadline - 1)), cut());
    let late = answered(&cut(), &Outcome::Done, at(deadline)).unwrap();
    assert_eq!(late.state.name(), "timed_out");
    assert_eq!(late.state.detail(), Some("it was done too late"));
    assert_eq!(answered(&late, &Outcome::Done, at(deadline + 1)), None);
}
