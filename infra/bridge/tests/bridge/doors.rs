//! Commands at doors: opened once, in time, or not at all.

use std::time::Duration;

use kernel::{DeviceId, OpeningId};
use linli_bridge::clock::Clock;
use linli_bridge::counters::Counters;
use linli_bridge::simulator::{Behaviour, Controller};
use linli_bridge::spool::{Spool, Taken};
use wire::door::{OccurrenceKind, Outcome};

use crate::estate::{Estate, controller, eventually, order, started};

const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_command_opens_the_door_over_tcp() {
    let (estate, mut controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.order(5, "o1", SOON);
    assert_eq!(estate.outcome("o1").await, Outcome::Opened);
    let released = controller.next_release().await;
    assert_eq!(
        (released.address, released.output, released.for_ms),
        (5, 0, 3_000)
    );
    assert!(controller.is_on(5, 0));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_opens_the_door_over_a_pseudo_terminal() {
    let estate = Estate::new().await;
    let path = estate.folder.path().join("tty");
    let listen = format!("pty:{}", path.display()).parse().unwrap();
    let controller = Controller::listen(&listen, &[5], Behaviour::default())
        .await
        .unwrap();
    for round in ["o1", "o2"] {
        let bridge = estate.bridge(&controller, &[5]).await;
        estate.order(5, round, SOON);
        assert_eq!(estate.outcome(round).await, Outcome::Opened);
        bridge.stop().await;
    }
    assert_eq!(
        controller.releases(5, 0),
        2,
        "also after the terminal was opened anew"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_reordered_commands_move_the_door_once_each() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5, 6], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5, 6]).await;
    for opening in ["o1", "o2", "o3", "o2", "o1", "o3", "o1"] {
        estate.order(5, opening, SOON);
        estate.order(6, opening, SOON);
    }
    for opening in ["o1", "o2", "o3"] {
        eventually("both doors have answered", || {
            (estate.answers(opening).len() >= 2).then_some(())
        })
        .await;
        assert!(
            estate
                .answers(opening)
                .iter()
                .all(|answer| answer.body.outcome == Outcome::Opened)
        );
    }
    eventually("all are acknowledged", || {
        (bridge.counters().commands_repeated.get() == 8).then_some(())
    })
    .await;
    assert_eq!(
        (controller.releases(5, 0), controller.releases(6, 0)),
        (3, 3)
    );
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_command_is_answered_from_memory_also_after_a_restart() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.order(5, "o1", SOON);
    assert_eq!(estate.outcome("o1").await, Outcome::Opened);
    bridge.stop().await;

    let bridge = estate.bridge(&controller, &[5]).await;
    let before = estate.answers("o1").len();
    // A repetition before the first answer's receipt is covered by that answer, so it is repeated until then.
    eventually("it is answered again", || {
        estate.order(5, "o1", SOON);
        (estate.answers("o1").len() > before).then_some(())
    })
    .await;
    let answers = estate.answers("o1");
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "the same words with the same id: {answers:?}"
    );
    assert_eq!(controller.releases(5, 0), 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_taken_and_never_answered_is_answered_as_interrupted_and_never_acted_on()
{
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let config = estate.config(&controller.port().to_string(), &[5]);
    let spool = Spool::open(
        &config.data,
        config.spool,
        "the run that died".into(),
        Clock::System,
        Counters::default().into(),
    )
    .unwrap();
    let (door, opening) = (
        DeviceId::parse("d5").unwrap(),
        OpeningId::parse("o1").unwrap(),
    );
    let expires_at = Clock::System.now().plus_millis(60_000);
    assert_eq!(
        spool.take(&door, &opening, expires_at).await.unwrap(),
        Taken::First
    );
    drop(spool);

    let bridge = started(config).await;
    assert_eq!(
        estate.outcome("o1").await,
        Outcome::Failed {
            reason: "interrupted".into()
        }
    );
    estate
        .broker
        .publish("linli/demo/door/d5/cmd", order("o1", expires_at));
    eventually("the repetition is known", || {
        (bridge.counters().commands_repeated.get() == 1).then_some(())
    })
    .await;
    assert_eq!(controller.releases(5, 0), 0);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_arrives_at_its_expiry_leaves_the_door_shut() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.order(5, "o1", Duration::ZERO);
    assert_eq!(estate.outcome("o1").await, Outcome::Expired);
    assert_eq!(controller.releases(5, 0), 0);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_command_is_refused_and_reported() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    estate.broker.retain(
        "linli/demo/door/d5/cmd",
        order("o1", Clock::System.now().plus_millis(60_000)),
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    eventually("it is reported", || {
        estate
            .occurrences(5)
            .contains(&OccurrenceKind::RetainedCommandRefused)
            .then_some(())
    })
    .await;
    assert_eq!(controller.releases(5, 0), 0);
    assert!(estate.answers("o1").is_empty());
    estate.order(5, "o2", SOON);
    assert_eq!(
        estate.outcome("o2").await,
        Outcome::Opened,
        "the door works none the less"
    );
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_commands_are_counted_and_harm_nobody() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    let good = String::from_utf8(order("o1", Clock::System.now().plus_millis(60_000))).unwrap();
    let bad: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        vec![0xFF; 300],
        vec![b'['; 60_000],
        good.replace("open", "close").into_bytes(),
        good.replace("o1", "o/1").into_bytes(),
        good.replace("3000", "-1").into_bytes(),
        good.replace("3000", "\"3000\"").into_bytes(),
        good.replace('Z', "").into_bytes(),
        good[..good.len() / 2].into(),
    ];
    for payload in &bad {
        estate
            .broker
            .publish("linli/demo/door/d5/cmd", payload.clone());
        estate
            .broker
            .publish("linli/demo/gateway/gate-1/cmd", payload.clone());
    }
    estate.order(5, "o2", SOON);
    assert_eq!(estate.outcome("o2").await, Outcome::Opened);
    eventually("all are counted", || {
        (bridge.counters().commands_malformed.get() == 2 * bad.len() as u64).then_some(())
    })
    .await;
    assert_eq!(controller.releases(5, 0), 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_with_its_reason() {
    let (estate, controller) = (
        Estate::new().await,
        controller(
            &[5],
            Behaviour {
                refuse: true,
                ..Behaviour::default()
            },
        )
        .await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.order(5, "o1", SOON);
    let Outcome::Failed { reason } = estate.outcome("o1").await else {
        panic!("not failed")
    };
    assert!(reason.contains("refused: NAK 09"), "{reason}");
    assert_eq!(controller.releases(5, 0), 0);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_far_ahead_or_an_endless_release_is_not_carried_out() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let bridge = estate.bridge(&controller, &[5]).await;
    estate.order(5, "far", Duration::from_secs(3_600));
    let endless = String::from_utf8(order("long", Clock::System.now().plus_millis(5_000)))
        .unwrap()
        .replace("3000", "4294967295");
    estate.broker.publish("linli/demo/door/d5/cmd", endless);
    for opening in ["far", "long"] {
        assert!(
            matches!(estate.outcome(opening).await, Outcome::Failed { .. }),
            "{opening}"
        );
    }
    assert_eq!(controller.releases(5, 0), 0);
    bridge.stop().await;
}
