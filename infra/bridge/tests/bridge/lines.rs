//! The hardware misbehaves: lost and broken answers, dead controllers, broken lines.

use std::time::{Duration, Instant};

use kernel::Timestamp;
use linli_bridge::adapters::{Adapter, Failure, Line, LockHandle, Noticed, Report};
use linli_bridge::clock::Clock;
use linli_bridge::config::{DoorConfig, LineConfig};
use linli_bridge::simulator::{Behaviour, Controller};
use tokio::sync::mpsc;
use wire::door::OccurrenceKind;

use crate::estate::{PATIENCE, controller, eventually};

const ADDRESSES: [u8; 2] = [5, 6];

fn line(
    controller: &Controller,
    clock: &Clock,
    reply_timeout: Duration,
) -> (LockHandle, mpsc::UnboundedReceiver<Report>) {
    let config = LineConfig {
        id: "l1".into(),
        port: controller.port().clone(),
        poll: Duration::from_millis(20),
        reply_timeout,
        lost_after: Duration::from_millis(400),
    };
    let door = |address: u8| DoorConfig {
        id: kernel::DeviceId::parse(&format!("d{address}")).unwrap(),
        adapter: "l1".into(),
        address,
        output: 0,
        reader: 0,
        unlock_ms: 3_000,
    };
    let (reports, reported) = mpsc::unbounded_channel();
    let (line, handle) = Line::new(config, &ADDRESSES.map(door), clock.clone(), reports);
    tokio::spawn(Box::new(line).run());
    (handle, reported)
}

fn is_lost(report: &Report) -> bool {
    matches!(
        report.noticed,
        Noticed::Occurrence(OccurrenceKind::ControllerLost { .. })
    )
}

fn later(clock: &Clock) -> Timestamp {
    clock.now().plus_millis(60_000)
}

/// Opens the door at 5 until it works: the line needs a moment to open.
async fn until_released(handle: &LockHandle, clock: &Clock) {
    let deadline = Instant::now() + PATIENCE;
    while let Err(failure) = handle.release(5, 0, 3_000, later(clock)).await {
        assert!(Instant::now() < deadline, "{failure}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

const USUAL: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_broken_answer_is_asked_for_again_and_the_door_moves_once() {
    for behaviour in [
        Behaviour {
            drop_answers: 1,
            ..Behaviour::default()
        },
        Behaviour {
            drop_answers: 2,
            ..Behaviour::default()
        },
        Behaviour {
            corrupt_answers: 2,
            ..Behaviour::default()
        },
        Behaviour {
            drop_answers: 1,
            corrupt_answers: 1,
            ..Behaviour::default()
        },
    ] {
        let (controller, clock) = (
            controller(&ADDRESSES, behaviour.clone()).await,
            Clock::System,
        );
        let (handle, mut reported) = line(&controller, &clock, USUAL);
        reported.recv().await.unwrap();
        assert_eq!(
            handle.release(5, 0, 3_000, later(&clock)).await,
            Ok(()),
            "{behaviour:?}"
        );
        assert_eq!(controller.releases(5, 0), 1, "{behaviour:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_never_answers_the_order_leaves_it_open_whether_the_door_moved() {
    let (controller, clock) = (
        controller(
            &ADDRESSES,
            Behaviour {
                drop_answers: 5,
                ..Behaviour::default()
            },
        )
        .await,
        Clock::System,
    );
    let (handle, mut reported) = line(&controller, &clock, USUAL);
    reported.recv().await.unwrap();
    let result = handle.release(5, 0, 3_000, later(&clock)).await;
    assert!(matches!(result, Err(Failure::Unanswered(_))), "{result:?}");
    assert_eq!(controller.releases(5, 0), 1);
    assert_eq!(
        handle.release(5, 0, 3_000, later(&clock)).await,
        Ok(()),
        "the next order is a new one"
    );
    assert_eq!(controller.releases(5, 0), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_are_always_too_late_never_count_for_a_later_order() {
    let (controller, clock) = (
        controller(&ADDRESSES, Behaviour::default()).await,
        Clock::System,
    );
    let (handle, mut reported) = line(&controller, &clock, Duration::from_millis(60));
    reported.recv().await.unwrap();
    controller.behave(|behaviour| behaviour.answer_delay = Duration::from_millis(90));
    for _ in 0..5 {
        let before = controller.releases(5, 0);
        let result = handle.release(5, 0, 3_000, later(&clock)).await;
        let moved = controller.releases(5, 0) - before;
        assert!(
            moved <= 1 && (result.is_err() || moved == 1),
            "{result:?} but it moved {moved} times"
        );
    }
    controller.behave(|behaviour| behaviour.answer_delay = Duration::ZERO);
    until_released(&handle, &clock).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_not_sent_when_it_expires_while_the_line_is_busy() {
    let behaviour = Behaviour {
        dead: vec![5, 6],
        ..Behaviour::default()
    };
    let (controller, clock) = (
        controller(&ADDRESSES, behaviour).await,
        Clock::manual(1_000_000),
    );
    let (handle, _reported) = line(&controller, &clock, Duration::from_millis(300));
    eventually("the line is open", || {
        (controller.connections() == 1).then_some(())
    })
    .await;
    let release = handle.release(5, 0, 3_000, clock.now().plus_millis(5_000));
    let late = async {
        clock.advance(5_000);
        controller.behave(|behaviour| behaviour.dead.clear());
    };
    assert_eq!(tokio::join!(release, late).0, Err(Failure::Expired));
    assert_eq!(controller.releases(5, 0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_an_order_that_expired_without_an_answer_is_not_given_to_the_next_order() {
    let (controller, clock) = (
        controller(&ADDRESSES, Behaviour::default()).await,
        Clock::manual(1_000_000),
    );
    let (handle, mut reported) = line(&controller, &clock, Duration::from_millis(300));
    reported.recv().await.unwrap();
    controller.behave(|behaviour| behaviour.drop_answers = 1);
    let release = handle.release(5, 0, 3_000, clock.now().plus_millis(5_000));
    let expire = async {
        eventually("the door moves", || {
            (controller.releases(5, 0) == 1).then_some(())
        })
        .await;
        clock.advance(5_000);
    };
    let result = tokio::join!(release, expire).0;
    assert!(matches!(result, Err(Failure::Unanswered(_))), "{result:?}");
    for round in 2..=4 {
        assert_eq!(handle.release(5, 0, 3_000, later(&clock)).await, Ok(()));
        assert_eq!(
            controller.releases(5, 0),
            round,
            "every order said to be carried out moved the door"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_controller_is_asked_again_and_moves_once() {
    let (controller, clock) = (
        controller(&ADDRESSES, Behaviour::default()).await,
        Clock::System,
    );
    let (handle, mut reported) = line(&controller, &clock, USUAL);
    reported.recv().await.unwrap();
    controller.behave(|behaviour| behaviour.busy_answers = 3);
    assert_eq!(handle.release(5, 0, 3_000, later(&clock)).await, Ok(()));
    assert_eq!(controller.releases(5, 0), 1);
    controller.behave(|behaviour| behaviour.busy_answers = 1_000);
    let result = handle.release(5, 0, 3_000, later(&clock)).await;
    assert!(matches!(result, Err(Failure::Unanswered(_))), "{result:?}");
    assert_eq!(controller.releases(5, 0), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_controller_does_not_starve_its_neighbour_and_is_reported_once() {
    let (controller, clock) = (
        controller(&ADDRESSES, Behaviour::default()).await,
        Clock::System,
    );
    let (handle, mut reported) = line(&controller, &clock, USUAL);
    let found = [
        reported.recv().await.unwrap(),
        reported.recv().await.unwrap(),
    ];
    assert!(
        found
            .iter()
            .all(|report| report.noticed == Noticed::Occurrence(OccurrenceKind::ControllerFound))
    );
    controller.behave(|behaviour| behaviour.dead = vec![6]);
    let lost = reported.recv().await.unwrap();
    assert_eq!((lost.door.as_str(), is_lost(&lost)), ("d6", true));
    let (before, began) = (controller.orders(5), Instant::now());
    let dead = tokio::spawn({
        let (handle, clock) = (handle.clone(), clock.clone());
        async move { handle.release(6, 0, 3_000, later(&clock)).await }
    });
    for _ in 0..10 {
        assert_eq!(handle.release(5, 0, 3_000, later(&clock)).await, Ok(()));
    }
    assert!(
        began.elapsed() < USUAL * 6,
        "ten releases took {:?}",
        began.elapsed()
    );
    assert!(matches!(dead.await.unwrap(), Err(Failure::Unreached(_))));
    eventually("the neighbour is polled on", || {
        (controller.orders(5) > before + 20).then_some(())
    })
    .await;
    controller.behave(|behaviour| behaviour.dead.clear());
    let back = reported.recv().await.unwrap();
    assert_eq!(
        (back.door.as_str(), back.noticed),
        ("d6", Noticed::Occurrence(OccurrenceKind::ControllerFound))
    );
    assert!(reported.try_recv().is_err(), "nothing else was reported");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_controller_that_restarted_is_spoken_to_anew() {
    let (controller, clock) = (
        controller(&ADDRESSES, Behaviour::default()).await,
        Clock::System,
    );
    let (handle, mut reported) = line(&controller, &clock, USUAL);
    reported.recv().await.unwrap();
    for round in 1..=5 {
        controller.restart(5);
        assert_eq!(handle.release(5, 0, 3_000, later(&clock)).await, Ok(()));
        assert_eq!(controller.releases(5, 0), round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_is_opened_again() {
    let (first, clock) = (
        controller(&ADDRESSES, Behaviour::default()).await,
        Clock::System,
    );
    let (handle, mut reported) = line(&first, &clock, USUAL);
    until_released(&handle, &clock).await;
    let port = first.port().to_string();
    drop(first);
    while !is_lost(&reported.recv().await.unwrap()) {}
    let failure = handle.release(5, 0, 3_000, later(&clock)).await;
    assert!(matches!(failure, Err(Failure::Unreached(_))), "{failure:?}");
    let second = Controller::listen(&port.parse().unwrap(), &ADDRESSES, Behaviour::default())
        .await
        .unwrap();
    until_released(&handle, &clock).await;
    assert_eq!(second.releases(5, 0), 1);
}
