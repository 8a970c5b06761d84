//! Deliveries over random lives, and the breaker.

use kernel::Timestamp;
use proptest::prelude::*;

use crate::delivery::*;
use crate::timing::Suppression;
use crate::{webhook, webpush};

const LEASE_MS: i64 = 30_000;

fn start() -> Timestamp {
    Timestamp::parse("2026-03-01T08:00:00Z").unwrap()
}

fn queued(ttl_ms: i64) -> Delivery {
    Delivery::queued(start(), start().plus_millis(ttl_ms), Schedule::Push)
}

fn leased(delivery: &Delivery, now: Timestamp) -> Delivery {
    match delivery.lease(now, LEASE_MS) {
        Lease::Taken(taken) => taken,
        other => panic!("{other:?}"),
    }
}

fn attempt(delivery: &Delivery, outcome: Outcome) -> Attempt {
    Attempt {
        number: delivery.tries,
        outcome,
        at: start(),
        random: u64::MAX,
    }
}

#[test]
fn a_delivery_goes_its_way() {
    let delivery = leased(&queued(60_000), start());
    let sent = delivery.attempted(&attempt(&delivery, Outcome::Accepted));
    assert_eq!(sent.state, State::Sent);
    let delivered = sent.proved(Proof::Delivered).unwrap();
    assert_eq!(delivered.state, State::Delivered);
    let clicked = delivered.proved(Proof::Clicked).unwrap();
    assert_eq!(clicked.state.as_str(), "clicked");
    assert_eq!(clicked.proved(Proof::Displayed).unwrap(), clicked, "late");
    assert_eq!(clicked.lease(start(), LEASE_MS), Lease::Settled);
}

#[test]
fn what_somebody_tries_is_not_leased_again_until_the_lease_runs_out() {
    let delivery = leased(&queued(600_000), start());
    let until = start().plus_millis(LEASE_MS);
    assert_eq!(
        delivery.lease(until.plus_millis(-1), LEASE_MS),
        Lease::NotYet(until)
    );
    let second = leased(&delivery, until);
    assert_eq!(second.tries, 2);
    let late = attempt(&delivery, Outcome::Again(None));
    assert_eq!(second.attempted(&late), second, "the first one's failure");
    let late = attempt(&delivery, Outcome::Accepted);
    assert_eq!(
        second.attempted(&late).state,
        State::Sent,
        "it arrived after all"
    );
}

#[test]
fn unsubscribing_stops_what_nobody_tries_yet() {
    let waiting = queued(60_000);
    let reason = Suppression::NoConsent;
    let suppressed = waiting.suppress(reason).unwrap();
    assert_eq!(suppressed.lease(start(), LEASE_MS), Lease::Settled);
    assert!(suppressed.proved(Proof::Clicked).is_err());
    let refused = leased(&waiting, start()).suppress(reason);
    assert_eq!(refused, Err(NotAllowed { state: "leased" }));
    assert!(waiting.proved(Proof::Delivered).is_err(), "never tried");
}

#[test]
fn a_service_that_names_a_moment_is_not_asked_before() {
    let delivery = leased(&queued(600_000), start());
    let named = start().plus_millis(120_000);
    let again = delivery.attempted(&attempt(&delivery, Outcome::Again(Some(named))));
    assert_eq!(again.state, State::Queued { due_at: named });
    let beyond = start().plus_millis(600_000);
    let dead = delivery.attempted(&attempt(&delivery, Outcome::Again(Some(beyond))));
    assert_eq!(
        dead.state,
        State::Dead {
            why: Death::Expired
        }
    );
}

#[test]
fn answers_become_outcomes() {
    let named = Some(start());
    for (answer, outcome) in [
        (webpush::Answer::Accepted, Outcome::Accepted),
        (webpush::Answer::Gone, Outcome::Gone),
        (webpush::Answer::Alarm, Outcome::Again(None)),
        (webpush::Answer::Failed, Outcome::Again(None)),
        (webpush::Answer::Busy(named), Outcome::Again(named)),
        (
            webpush::Answer::TooLarge,
            Outcome::Hopeless(Death::TooLarge),
        ),
        (webpush::Answer::Refused, Outcome::Hopeless(Death::Refused)),
    ] {
        assert_eq!(Outcome::from(answer), outcome);
    }
    assert_eq!(Outcome::from(webhook::Answer::Disabled), Outcome::Gone);
    assert_eq!(
        Outcome::from(webhook::Answer::Failed(named)),
        Outcome::Again(named)
    );
    assert_eq!(Outcome::from(webhook::Answer::Delivered), Outcome::Accepted);
}

#[test]
fn what_ends_a_delivery_ends_it() {
    let delivery = leased(&queued(60_000), start());
    let after = |outcome| delivery.attempted(&attempt(&delivery, outcome)).state;
    assert_eq!(after(Outcome::Gone), State::Gone);
    let too_large = Outcome::Hopeless(Death::TooLarge);
    assert_eq!(
        after(too_large),
        State::Dead {
            why: Death::TooLarge
        }
    );
    let late = queued(60_000).lease(start().plus_millis(60_000), LEASE_MS);
    let Lease::Ended(ended) = late else {
        panic!("{late:?}")
    };
    assert_eq!(
        ended.state,
        State::Dead {
            why: Death::Expired
        }
    );
    let deferred = queued(60_000).defer(start().plus_millis(60_000)).unwrap();
    assert_eq!(
        deferred.state,
        State::Dead {
            why: Death::Expired
        }
    );
    assert_eq!(queued(61_999).ttl_seconds(start()), 61);
    assert_eq!(queued(-1).ttl_seconds(start()), 0);
}

#[test]
fn states_are_stored_and_read() {
    let state = State::Queued { due_at: start() };
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(
        text,
        r#"{"state":"queued","due_at":"2026-03-01T08:00:00.000Z"}"#
    );
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
}

#[test]
fn five_failures_open_a_breaker_and_one_request_closes_it() {
    let mut breaker = Breaker::default();
    for _ in 0..4 {
        breaker = breaker.failed(start());
    }
    assert!(breaker.admit(start()).is_ok());
    breaker = breaker.failed(start());
    let until = start().plus_millis(OPEN_MS_MIN);
    assert_eq!(breaker.admit(start()), Err(until));
    assert_eq!(breaker.answered(), breaker, "an answer from before");
    let asking = breaker.admit(until).unwrap();
    assert!(asking.admit(until).is_err(), "only one asks");
    assert_eq!(asking.answered(), Breaker::default());
    let again = asking.failed(until);
    assert_eq!(again.admit(until), Err(until.plus_millis(2 * OPEN_MS_MIN)));
    let lost = asking.admit(until.plus_millis(PROBE_MS));
    assert!(lost.is_ok(), "the one that asked never came back");
}

#[test]
fn a_service_that_asks_for_peace_gets_it() {
    let until = start().plus_millis(90_000);
    let breaker = Breaker::default().told_to_wait(until);
    assert_eq!(breaker.admit(until.plus_millis(-1)), Err(until));
    assert_eq!(breaker.told_to_wait(start()), breaker);
    assert!(breaker.admit(until).is_ok());
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        8 => Just(Outcome::Again(None)),
        2 => (0_i64..7_200_000).prop_map(|wait| Outcome::Again(Some(start().plus_millis(wait)))),
        1 => Just(Outcome::Accepted),
        1 => Just(Outcome::Gone),
        1 => Just(Outcome::Hopeless(Death::Refused)),
    ]
}

proptest! {
    #[test]
    fn a_wait_is_within_a_bound_that_doubles_up_to_an_hour(tries in 1_u32..6, random in any::<u64>()) {
        let bound = (5_000_i64 << (tries - 1)).min(3_600_000);
        let wait = Schedule::Push.wait_ms(tries, random).unwrap();
        prop_assert!((0..=bound).contains(&wait));
        prop_assert_eq!(Schedule::Push.wait_ms(tries, u64::MAX), Some(bound));
        prop_assert_eq!(Schedule::Push.wait_ms(tries, 0), Some(0));
        prop_assert_eq!(Schedule::Push.wait_ms(TRIES_MAX, random), None);
    }

    #[test]
    fn no_life_of_a_delivery_has_a_try_past_its_time_or_too_many(
        ttl_ms in 1_i64..7_200_000,
        is_webhook in any::<bool>(),
        steps in prop::collection::vec((0_i64..400_000, outcome(), any::<u64>(), 0_u32..2, any::<bool>()), 1..60),
    ) {
        let schedule = if is_webhook { Schedule::Webhook } else { Schedule::Push };
        let expires_at = start().plus_millis(ttl_ms);
        let mut delivery = Delivery::queued(start(), expires_at, schedule);
        let (mut now, mut leases, mut held_until) = (start(), 0, start());
        for (passed, outcome, random, late, crashed) in steps {
            now = now.plus_millis(passed);
            match delivery.lease(now, LEASE_MS) {
                Lease::Taken(taken) => {
                    leases += 1;
                    prop_assert!(now < expires_at, "a try past the time to live");
                    prop_assert!(now >= held_until, "two leases at once");
                    prop_assert!(taken.ttl_seconds(now) <= u32::try_from(ttl_ms / 1_000).unwrap());
                    held_until = now.plus_millis(LEASE_MS);
                    delivery = taken;
                }
                Lease::NotYet(then) => prop_assert!(then > now),
                Lease::Ended(ended) => delivery = ended,
                Lease::Settled => {}
            }
            if !crashed {
                let number = delivery.tries.saturating_sub(late);
                delivery = delivery.attempted(&Attempt { number, outcome, at: now, random });
                if !matches!(delivery.state, State::Leased { .. }) {
                    held_until = now;
                }
            }
            if let State::Queued { due_at } = delivery.state {
                prop_assert!(due_at < expires_at || delivery.tries == 0);
            }
            prop_assert!(delivery.tries <= schedule.tries_max());
            prop_assert_eq!(delivery.tries, leases);
        }
    }

    #[test]
    fn what_devices_tell_in_any_order_is_the_furthest(order in prop::collection::vec(0_u8..3, 1..12)) {
        let taken = leased(&queued(60_000), start());
        let mut delivery = taken.attempted(&attempt(&taken, Outcome::Accepted));
        for proof in &order {
            delivery = delivery.proved(match proof {
                0 => Proof::Delivered,
                1 => Proof::Displayed,
                _ => Proof::Clicked,
            }).unwrap();
        }
        let furthest = ["delivered", "displayed", "clicked"][usize::from(*order.iter().max().unwrap())];
        prop_assert_eq!(delivery.state.as_str(), furthest);
    }

    #[test]
    fn an_open_breaker_lets_nothing_pass_and_an_asking_one_a_single_request(
        steps in prop::collection::vec((0_i64..40_000, any::<bool>()), 1..200),
    ) {
        let (mut breaker, mut now) = (Breaker::default(), start());
        for (passed, fails) in steps {
            now = now.plus_millis(passed);
            match breaker.admit(now) {
                Ok(admitted) => {
                    if let Breaker::Open { until, .. } = breaker {
                        prop_assert!(now >= until);
                        prop_assert!(admitted.admit(now).is_err());
                    }
                    breaker = if fails { admitted.failed(now) } else { admitted.answered() };
                }
                Err(until) => prop_assert!(until > now && until.millis_since(now) <= OPEN_MS_MAX),
            }
        }
    }
}
