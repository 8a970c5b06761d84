//! Money to a meter: asked for the number, sent, lost, answered late; a small meter is played to show the law.

use proptest::prelude::*;

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + minutes * 60_000).unwrap()
}

fn paid() -> Recharge {
    let ids = (
        RechargeId::parse("r").unwrap(),
        MeterId::parse("m").unwrap(),
        CommunityId::parse("garden").unwrap(),
    );
    commanded(ids, 5_000, (at(0), at(0)))
}

fn send(recharge: Recharge, minutes: i64) -> (Recharge, Try) {
    let (recharge, sent) = due(recharge, at(minutes)).unwrap();
    (recharge, sent.expect("a try"))
}

fn unanswered() -> Outcome {
    Outcome::Unanswered {
        reason: "lost".to_owned(),
    }
}

fn number(sent: &Try) -> Option<u8> {
    match sent.order {
        Order::Recharge { number, .. } => number,
        Order::Switch { .. } => panic!("money was to be sent"),
    }
}

#[test]
fn the_number_is_asked_for_first_and_the_next_one_is_sent() {
    let (recharge, sent) = send(paid(), 0);
    assert_eq!((number(&sent), sent.command.as_str()), (None, "r-1"));
    let counted = Outcome::Counted { number: 255 };
    let recharge = answered(&recharge, 1, &counted, at(1)).unwrap();
    assert_eq!((recharge.number, recharge.next_at), (Some(0), at(1)));
    let (recharge, sent) = send(recharge, 1);
    assert_eq!((number(&sent), sent.command.as_str()), (Some(0), "r-2"));
    assert_eq!(named_by(&sent.command), Some((paid().id, 2)));
    let done = answered(&recharge, 2, &Outcome::Done, at(2)).unwrap();
    assert_eq!(
        (done.state, done.ended_at),
        (RechargeState::Done, Some(at(2)))
    );
    assert_eq!(answered(&done, 2, &unanswered(), at(3)), None);
}

#[test]
fn a_try_that_may_have_been_taken_is_never_sent_under_another_number() {
    let numbered = Recharge {
        number: Some(7),
        ..paid()
    };
    let counted = Outcome::Counted { number: 9 };
    let (sent, _) = send(numbered.clone(), 0);
    let lost = answered(&sent, 1, &unanswered(), at(1)).unwrap();
    assert_eq!((lost.state, lost.doubtful), (RechargeState::Waiting, true));
    let (again, _) = send(lost, 10);
    let unclear = answered(&again, 2, &counted, at(11)).unwrap();
    assert_eq!(unclear.state, RechargeState::Unclear);
    // Silence is as good as a lost answer.
    let (silent, _) = send(numbered.clone(), 0);
    let (again, sent) = send(silent, 10);
    assert_eq!(number(&sent), Some(7));
    let unclear = answered(&again, 2, &counted, at(11)).unwrap();
    assert_eq!(unclear.state, RechargeState::Unclear);
    // The answer to the first comes after all.
    let done = answered(&unclear, 1, &Outcome::Done, at(12)).unwrap();
    assert_eq!(done.state, RechargeState::Done);
    // What was surely not taken goes under the next number.
    let (sure, _) = send(numbered, 0);
    let next = answered(&sure, 1, &counted, at(1)).unwrap();
    assert_eq!((next.number, next.doubtful), (Some(10), false));
}

#[test]
fn it_is_tried_for_less_than_the_day_after_which_the_money_goes_back() {
    let hours = TRYING_MS_MAX / 60_000;
    const { assert!(TRYING_MS_MAX + TRY_EXPIRES_MS < 24 * 60 * 60_000) };
    let (over, sent) = due(paid(), at(hours)).unwrap();
    assert_eq!((over.state, sent), (RechargeState::TimedOut, None));
    let (silent, _) = send(
        Recharge {
            number: Some(1),
            ..paid()
        },
        0,
    );
    let (over, _) = due(silent, at(hours)).unwrap();
    assert_eq!(over.state, RechargeState::Unclear);
}

#[test]
fn a_meter_that_takes_no_money_leaves_it_to_people_and_a_refusal_gives_it_back() {
    let gateway = DeviceId::parse("g").unwrap();
    let reason = || "no".to_owned();
    for (outcome, state, is_told) in [
        (
            Outcome::Unsupported { reason: reason() },
            RechargeState::Unsupported,
            None,
        ),
        (
            Outcome::Refused { reason: reason() },
            RechargeState::Refused,
            Some(false),
        ),
        (Outcome::Done, RechargeState::Done, Some(true)),
    ] {
        let (sent, _) = send(paid(), 0);
        let after = answered(&sent, 1, &outcome, at(1)).unwrap();
        assert_eq!(after.state, state);
        let taken = told(state, Some(&gateway)).map(|(_, taken)| taken);
        assert_eq!(taken, is_told);
        assert_eq!(cancelled(after, at(2)), None);
    }
}

/// The meter and its gateway, of whom everything may be lost.
struct Played {
    last: (u8, i64),
    taken: usize,
}

impl Played {
    /// What the gateway does at the meter; see the bridge's `orders.rs`.
    fn obey(&mut self, order: Order, writes: bool) -> Outcome {
        let Order::Recharge {
            amount_minor,
            number,
        } = order
        else {
            panic!("money was to be sent")
        };
        let (last, amount) = self.last;
        match number {
            Some(number) if number == last && amount == amount_minor => Outcome::Done,
            Some(number) if number == last.wrapping_add(1) => {
                if !writes {
                    return Outcome::Unreached {
                        reason: String::new(),
                    };
                }
                self.last = (number, amount_minor);
                self.taken += 1;
                Outcome::Done
            }
            _ => Outcome::Counted { number: last },
        }
    }
}

proptest! {
    /// Whatever is lost on its way there or back, the meter takes the money at most once, and `done` is never wrong.
    #[test]
    fn the_meter_takes_the_money_at_most_once(
        tries in proptest::collection::vec((any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 1..40)
    ) {
        let (mut recharge, mut meter) = (paid(), Played { last: (3, 100), taken: 0 });
        for (minute, (arrives, writes, returns, card)) in tries.into_iter().enumerate() {
            let now = at(i64::try_from(minute).unwrap() * 10);
            if recharge.state != RechargeState::Waiting {
                break;
            }
            if card {
                meter.last = (meter.last.0.wrapping_add(1), 1);
            }
            let (sent, order) = due(recharge, now).unwrap();
            recharge = sent;
            let Some(order) = order else { break };
            if !arrives {
                continue;
            }
            let outcome = meter.obey(order.order, writes);
            if returns {
                let attempt = recharge.attempt;
                recharge = answered(&recharge, attempt, &outcome, now).unwrap_or(recharge);
            }
        }
        prop_assert!(meter.taken <= 1);
        prop_assert!(recharge.state != RechargeState::Done || meter.taken == 1);
    }
}
