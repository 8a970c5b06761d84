//! Presence and commands, by examples and by random histories.

use kernel::{Actor, ActorKind, CommunityId, DeviceId, MessageId, TenantId, Timestamp};
use proptest::prelude::*;
use wire::DeviceKind;
use wire::gateway::Outcome;

use super::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn actor(kind: ActorKind, id: &str) -> Actor {
    Actor {
        tenant: TenantId::parse("demo").unwrap(),
        kind,
        id: kernel::ActorId::parse(id).unwrap(),
        communities: vec![CommunityId::parse("garden").unwrap()],
        scopes: vec![],
    }
}

fn said(community: &str) -> Description {
    Description {
        community: CommunityId::parse(community).unwrap(),
        name: Name::parse("北门网关").unwrap(),
        model: None,
        location: None,
        gateway: None,
    }
}

fn id() -> DeviceId {
    DeviceId::parse("gateway-1").unwrap()
}

fn ping() -> Command {
    let command = MessageId::parse("c1").unwrap();
    Command::new(command, (id(), Action::Ping), None, at(0))
}

#[test]
fn a_heartbeat_within_a_minute_writes_nothing() {
    let online = hear(Presence::Unknown, Signal::Alive, at(0)).unwrap();
    assert_eq!(hear(online, Signal::Alive, at(LAST_SEEN_MS - 1)), None);
    let later = hear(online, Signal::Alive, at(LAST_SEEN_MS)).unwrap();
    assert_eq!(
        later,
        Presence::Online {
            since: at(0),
            last_seen: at(LAST_SEEN_MS)
        }
    );
}

#[test]
fn silence_makes_a_gateway_offline_after_the_window_of_its_profile() {
    let online = hear(Presence::Unknown, Signal::Alive, at(0)).unwrap();
    for profile in Profile::ALL {
        let window = profile.silence_ms();
        assert_eq!(fall_silent(online, profile, at(window - 1)), None);
        let gone = fall_silent(online, profile, at(window)).unwrap();
        assert_eq!(
            gone,
            Presence::Offline {
                since: at(window),
                cause: Cause::Inactivity,
                last_seen: Some(at(0))
            }
        );
        assert!(
            window > LAST_SEEN_MS,
            "a coarse last_seen must not look like silence"
        );
    }
}

#[test]
fn a_last_will_twice_is_one_change() {
    let online = hear(Presence::Unknown, Signal::Alive, at(0)).unwrap();
    let gone = hear(online, Signal::Gone, at(5)).unwrap();
    assert_eq!(gone.is_online(), Some(false));
    assert_eq!(hear(gone, Signal::Gone, at(6)), None);
}

fn gateway() -> Device {
    Device {
        id: id(),
        kind: DeviceKind::Gateway,
        description: None,
        gateway: None,
        reachable: None,
        version: 1,
    }
}

#[test]
fn staff_know_their_communities_devices_and_a_gateway_itself() {
    let operator = actor(ActorKind::Operator, "wang");
    let described = describe(&operator, &gateway(), said("garden"))
        .unwrap()
        .unwrap();
    assert!(knows(&actor(ActorKind::Staff, "chen"), &described));
    assert!(knows(&actor(ActorKind::Device, "gateway-1"), &described));
    assert!(!knows(&actor(ActorKind::Device, "gateway-2"), &described));
    assert!(!knows(
        &actor(ActorKind::Application, "gateway-1"),
        &described
    ));
    let reader = Actor {
        scopes: vec![kernel::Scope("devices:read".to_owned())],
        ..actor(ActorKind::Application, "app")
    };
    assert!(knows(&reader, &described) && overseers_only(&reader).is_ok());
    let elsewhere = describe(&operator, &gateway(), said("harbour"))
        .unwrap()
        .unwrap();
    assert!(!knows(&actor(ActorKind::Staff, "chen"), &elsewhere));
    assert!(!knows(&actor(ActorKind::Staff, "chen"), &gateway()));
    assert!(knows(&actor(ActorKind::Auditor, "qian"), &gateway()));
}

#[test]
fn only_operators_describe_and_the_same_twice_is_nothing() {
    let by = |kind| describe(&actor(kind, "x"), &gateway(), said("garden"));
    assert_eq!(by(ActorKind::Staff).unwrap_err().code, "operator_only");
    let described = by(ActorKind::Operator).unwrap().unwrap();
    assert_eq!(described.version, 2);
    let operator = actor(ActorKind::Operator, "wang");
    assert_eq!(describe(&operator, &described, said("garden")), Ok(None));
    let own = Description {
        gateway: Some(id()),
        ..said("garden")
    };
    let refusal = describe(&operator, &described, own).unwrap_err();
    assert_eq!(refusal.code, "own_gateway");
}

#[test]
fn the_same_configuration_is_no_new_version() {
    let operator = actor(ActorKind::Operator, "wang");
    let default = Configuration {
        text: "{}".into(),
        version: 0,
        applied: None,
    };
    let first = configure(&operator, &default, "{}".into())
        .unwrap()
        .unwrap();
    assert_eq!(first.version, 1);
    assert_eq!(configure(&operator, &first, "{}".into()), Ok(None));
    let long = "x".repeat(CONFIGURATION_BYTES_MAX + 1);
    assert_eq!(
        configure(&operator, &first, long).unwrap_err().code,
        "configuration_too_long"
    );
}

#[test]
fn a_command_that_was_sent_is_not_called_back() {
    let waiting = ping();
    assert_eq!(
        cancel(&waiting, at(1)).unwrap().unwrap().state,
        CommandState::Cancelled
    );
    let gone = sent(&waiting, at(1)).unwrap();
    assert_eq!(cancel(&gone, at(2)).unwrap_err().code, "command_state");
}

#[test]
fn an_answer_before_the_broker_is_known_to_have_it_counts() {
    let done = answered(&ping(), &Outcome::Done, at(1)).unwrap();
    assert_eq!(done.state, CommandState::Done);
    assert_eq!(sent(&done, at(2)), None);
}

#[test]
fn past_its_deadline_a_command_is_expired_or_timed_out() {
    let deadline = ping().expires_at;
    assert_eq!(
        expire(&ping(), deadline).unwrap().state,
        CommandState::Expired
    );
    let gone = sent(&ping(), at(1)).unwrap();
    assert_eq!(
        expire(&gone, deadline).unwrap().state,
        CommandState::Timeout
    );
    assert_eq!(answered(&gone, &Outcome::Done, deadline), None);
}

/// How far along a state is.
fn rank(state: &CommandState) -> u8 {
    match state {
        CommandState::Queued => 0,
        CommandState::Sent => 1,
        CommandState::Accepted => 2,
        _ => 3,
    }
}

proptest! {
    #[test]
    fn no_history_goes_back_and_an_end_is_for_good(steps in prop::collection::vec((0_u8..7, 0_i64..200_000), 0..30)) {
        let (mut command, mut now) = (ping(), at(0));
        for (choice, wait) in steps {
            now = now.plus_millis(wait);
            let next = match choice {
                0 => sent(&command, now),
                1 => answered(&command, &Outcome::Accepted, now),
                2 => answered(&command, &Outcome::Done, now),
                3 => answered(&command, &Outcome::Failed { reason: "x".into() }, now),
                4 => answered(&command, &Outcome::Expired, now),
                5 => cancel(&command, now).ok().flatten(),
                _ => expire(&command, now),
            };
            let after = next.unwrap_or_else(|| command.clone());
            prop_assert!(rank(&after.state) >= rank(&command.state));
            prop_assert!(!command.state.is_settled() || after == command);
            command = after;
        }
    }

    #[test]
    fn presence_changes_only_when_it_changes(steps in prop::collection::vec((any::<bool>(), 0_i64..100_000), 0..30)) {
        let (mut presence, mut now) = (Presence::Unknown, at(0));
        for (alive, wait) in steps {
            now = now.plus_millis(wait);
            let signal = if alive { Signal::Alive } else { Signal::Gone };
            if let Some(next) = hear(presence, signal, now) {
                let only_seen = next.is_online() == presence.is_online();
                prop_assert!(!only_seen || now.millis_since(presence.last_seen().unwrap()) >= LAST_SEEN_MS);
                presence = next;
            }
            prop_assert_eq!(presence.is_online(), Some(alive));
        }
    }
}
