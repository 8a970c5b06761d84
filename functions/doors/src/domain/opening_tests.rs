//! Who may open, and the laws of what becomes of an opening.

use kernel::{ActorKind, MessageId};
use proptest::prelude::*;
use wire::snapshot::Window;

use super::super::sample::{actor, at, chen, grant_of_li, li, north_gate, reason, wang};
use super::super::{Grant, GrantState, resume, revoke, suspend};
use super::*;

const NOW: i64 = 200_000;
const DEADLINE: i64 = NOW + OPENING_EXPIRES_MS;

fn ask(reason_text: Option<&str>) -> Ask {
    Ask {
        id: OpeningId::parse("o1").unwrap(),
        reason: reason_text.map(reason),
    }
}

fn known(grant: Option<&Grant>) -> Known {
    let held = grant.filter(|grant| !matches!(grant.state, GrantState::Revoked { .. }));
    let subject = access::Subject {
        grant: held.map(|grant| access::Held {
            window: Window {
                from: grant.validity.from().millis(),
                until: grant.validity.until().map_or(i64::MAX, Timestamp::millis),
            },
            suspended: matches!(grant.state, GrantState::Suspended { .. }),
        }),
        ..access::Subject::default()
    };
    let door = north_gate();
    Known {
        place: access::Place {
            tenant: li().tenant,
            community: door.community.clone(),
            direction: door.direction,
            released: false,
            online: true,
            groups: vec![],
        },
        door,
        subject,
        grant: held.map(|grant| grant.id.clone()),
        history: access::History::default(),
    }
}

fn ask_for(
    actor: &Actor,
    grant: Option<&Grant>,
    ask: Ask,
    now: Timestamp,
) -> Result<Opening, Refusal> {
    request_opening(actor, &known(grant), ask, now).map(|(opening, _)| opening)
}

fn decide(actor: &Actor, grant: Option<&Grant>, now: i64) -> Result<OpeningState, &'static str> {
    let decided = ask_for(actor, grant, ask(None), at(now));
    decided
        .map(|opening| opening.state)
        .map_err(|refusal| refusal.code)
}

fn refused(denial: Why) -> Result<OpeningState, &'static str> {
    Ok(OpeningState::Refused { denial })
}

fn requested() -> Opening {
    ask_for(&li(), Some(&grant_of_li()), ask(None), at(NOW)).unwrap()
}

fn answer(outcome: Outcome) -> wire::door::Acknowledgement {
    wire::door::Acknowledgement {
        opening: requested().id,
        gateway: north_gate().gateway,
        outcome,
    }
}

/// The opening after an answer at that moment.
fn after(opening: &Opening, outcome: &Outcome, now: i64) -> Opening {
    let taken = acknowledge(
        opening,
        &north_gate().gateway,
        &answer(outcome.clone()),
        at(now),
    )
    .unwrap();
    taken.unwrap_or_else(|| observe(opening.clone(), at(now)))
}

fn failed(text: &str) -> Outcome {
    Outcome::Failed {
        reason: text.to_owned(),
    }
}

#[test]
fn a_person_with_a_grant_opens_within_its_time() {
    let grant = grant_of_li();
    let expires_at = at(DEADLINE);
    assert_eq!(
        decide(&li(), Some(&grant), NOW),
        Ok(OpeningState::Requested { expires_at })
    );
    assert_eq!(
        decide(&li(), Some(&grant), 99_999),
        refused(Why::GrantNotYetValid)
    );
    assert!(matches!(
        decide(&li(), Some(&grant), 100_000),
        Ok(OpeningState::Requested { .. })
    ));
    assert!(matches!(
        decide(&li(), Some(&grant), 899_999),
        Ok(OpeningState::Requested { .. })
    ));
    assert_eq!(
        decide(&li(), Some(&grant), 900_000),
        refused(Why::GrantExpired)
    );
    assert_eq!(requested().ground, Ground::Grant(grant.id));
}

#[test]
fn a_person_without_a_grant_that_holds_is_refused_and_the_refusal_kept() {
    let suspended = suspend(&wang(), &grant_of_li(), reason("欠费"), at(1))
        .unwrap()
        .unwrap();
    let revoked = revoke(&wang(), &grant_of_li(), at(1)).unwrap().unwrap();
    let resumed = resume(&wang(), &suspended).unwrap().unwrap();
    assert_eq!(decide(&li(), None, NOW), refused(Why::NoGrant));
    assert_eq!(
        decide(&li(), Some(&suspended), NOW),
        refused(Why::GrantSuspended)
    );
    assert_eq!(decide(&li(), Some(&revoked), NOW), refused(Why::NoGrant));
    assert!(matches!(
        decide(&li(), Some(&resumed), NOW),
        Ok(OpeningState::Requested { .. })
    ));
}

#[test]
fn auditors_devices_and_applications_open_nothing_even_with_a_grant() {
    for kind in [
        ActorKind::Auditor,
        ActorKind::Device,
        ActorKind::Application,
    ] {
        let caller = actor(kind, "li", &["garden"]);
        assert_eq!(
            decide(&caller, Some(&grant_of_li()), NOW),
            refused(Why::KindMayNotOpen),
            "{kind:?}"
        );
    }
}

#[test]
fn those_who_run_the_community_open_with_a_reason() {
    for caller in [wang(), chen()] {
        let decided = ask_for(&caller, None, ask(Some("送快递")), at(NOW)).unwrap();
        assert_eq!(decided.ground, Ground::Override(reason("送快递")));
        assert!(matches!(decided.state, OpeningState::Requested { .. }));
        assert_eq!(decide(&caller, None, NOW), Err("reason_required"));
    }
    let by_reason = ask_for(&li(), None, ask(Some("我住这里")), at(NOW)).unwrap();
    assert_eq!(
        by_reason.state,
        OpeningState::Refused {
            denial: Why::NoGrant
        }
    );
}

#[test]
fn a_caller_from_elsewhere_learns_nothing() {
    for kind in [ActorKind::Resident, ActorKind::Staff, ActorKind::Device] {
        assert_eq!(
            decide(&actor(kind, "li", &["harbour"]), Some(&grant_of_li()), NOW),
            Err("door_unknown")
        );
    }
}

#[test]
fn the_first_answer_before_the_deadline_settles_an_opening() {
    let opened = after(&requested(), &Outcome::Opened, NOW + 180);
    assert_eq!(
        opened.state,
        OpeningState::Opened {
            at: at(NOW + 180),
            latency_ms: 180
        }
    );
    let state = after(&requested(), &failed("NAK 03\n"), NOW + 9).state;
    assert_eq!(
        state,
        OpeningState::Failed {
            at: at(NOW + 9),
            reason: reason("NAK 03")
        }
    );
    assert_eq!(
        after(&requested(), &Outcome::Expired, NOW + 9).state,
        OpeningState::Expired { at: at(NOW + 9) }
    );
}

#[test]
fn at_the_deadline_an_unanswered_opening_has_timed_out() {
    assert_eq!(observe(requested(), at(DEADLINE - 1)), requested());
    let state = observe(requested(), at(DEADLINE)).state;
    assert_eq!(
        state,
        OpeningState::TimedOut {
            at: at(DEADLINE),
            late: None
        }
    );
}

#[test]
fn a_late_answer_is_kept_beside_the_time_out_and_only_the_first() {
    let late = after(&requested(), &Outcome::Opened, DEADLINE);
    let expected = LateAnswer {
        at: at(DEADLINE),
        outcome: Outcome::Opened,
    };
    assert_eq!(
        late.state,
        OpeningState::TimedOut {
            at: at(DEADLINE),
            late: Some(expected)
        }
    );
    assert_eq!(after(&late, &Outcome::Expired, DEADLINE + 7), late);
}

#[test]
fn another_gateway_settles_nothing() {
    let foreign = wire::door::Acknowledgement {
        gateway: DeviceId::parse("gateway-2").unwrap(),
        ..answer(Outcome::Opened)
    };
    let refusal = acknowledge(&requested(), &north_gate().gateway, &foreign, at(NOW)).unwrap_err();
    assert_eq!(refusal.code, "gateway_foreign");
}

#[test]
fn an_opening_is_known_to_the_person_and_to_those_who_run_or_audit() {
    for knows in [li(), chen(), wang(), actor(ActorKind::Auditor, "a", &[])] {
        assert!(known_opening(&knows, Some(requested())).is_ok());
    }
    let neighbour = actor(ActorKind::Resident, "zhao", &["garden"]);
    let device_of_that_name = actor(ActorKind::Device, "li", &["garden"]);
    for stranger in [neighbour, device_of_that_name] {
        let refusal = known_opening(&stranger, Some(requested())).unwrap_err();
        assert_eq!(refusal.code, "opening_unknown");
    }
    assert_eq!(
        known_opening(&wang(), None).unwrap_err().code,
        "opening_unknown"
    );
}

#[test]
fn every_denial_has_a_code_of_its_own() {
    for denial in Why::ALL {
        assert_eq!(super::super::refusal_of(*denial).code, denial.code());
    }
    assert!(MessageId::parse(requested().id.as_str()).is_ok());
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Opened),
        Just(Outcome::Expired),
        ".{0,20}".prop_map(|reason| Outcome::Failed { reason })
    ]
}

/// What readers go by: everything of the state except the late answer, which is for the audit.
fn settled(opening: &Opening) -> Option<OpeningState> {
    match &opening.state {
        OpeningState::Requested { .. } => None,
        OpeningState::TimedOut { at, .. } => Some(OpeningState::TimedOut {
            at: *at,
            late: None,
        }),
        state => Some(state.clone()),
    }
}

proptest! {
    #[test]
    fn whatever_answers_come_whenever_a_settled_opening_stays_as_readers_saw_it(
        answers in prop::collection::vec((any_outcome(), 0_i64..4_000), 0..12),
    ) {
        let (mut opening, mut now, mut seen) = (requested(), NOW, None);
        for (outcome, pause) in answers {
            now += pause;
            let read = settled(&observe(opening.clone(), at(now)));
            prop_assert!(seen.is_none() || read == seen, "a read changed: {seen:?}, {read:?}");
            seen = read;
            opening = after(&opening, &outcome, now);
            let read = settled(&opening);
            prop_assert!(seen.is_none() || read == seen, "an answer changed it: {seen:?}, {read:?}");
            seen = read;
        }
    }

    #[test]
    fn an_answer_delivered_many_times_is_the_answer_delivered_once(
        outcome in any_outcome(), first in 0_i64..10_000, pauses in prop::collection::vec(0_i64..9_000, 0..8),
    ) {
        let once = after(&requested(), &outcome, NOW + first);
        let (mut opening, mut now) = (once.clone(), NOW + first);
        for pause in pauses {
            now += pause;
            opening = after(&opening, &outcome, now);
        }
        prop_assert_eq!(opening, once);
    }

    #[test]
    fn storing_the_time_out_or_not_makes_no_difference(
        outcome in any_outcome(), stored in 0_i64..9_000, later in 0_i64..9_000,
    ) {
        let persisted = observe(requested(), at(NOW + stored));
        let now = NOW + stored + later;
        prop_assert_eq!(after(&persisted, &outcome, now), after(&requested(), &outcome, now));
    }
}
