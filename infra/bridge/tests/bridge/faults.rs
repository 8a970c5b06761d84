//! kill -9 at the worst moments: nothing said is lost, nothing is done twice.

use std::time::Duration;

use linli_bridge::simulator::Behaviour;
use wire::door::Outcome;

use crate::estate::{Estate, controller, eventually};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn answers_without_a_receipt_survive_a_kill() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    estate.broker.receipts(false);
    let openings: Vec<String> = (0..20).map(|number| format!("o{number}")).collect();
    let mut process = estate.process(&controller, &[5]).await;
    for opening in &openings {
        estate.order(5, opening, SOON);
    }
    for opening in &openings {
        assert_eq!(estate.outcome(opening).await, Outcome::Opened);
    }
    process.kill();
    let before: Vec<usize> = openings
        .iter()
        .map(|opening| estate.answers(opening).len())
        .collect();
    estate.broker.receipts(true);
    let process = estate.process(&controller, &[5]).await;
    for (opening, before) in openings.iter().zip(before) {
        eventually("said again", || {
            (estate.answers(opening).len() > before).then_some(())
        })
        .await;
        let answers = estate.answers(opening);
        assert!(
            answers.iter().all(|answer| *answer == answers[0]),
            "{opening}"
        );
    }
    assert!(process.terminate().await.success());
    assert_eq!(controller.releases(5, 0), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_between_acting_and_answering_is_answered_as_interrupted() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let mut process = estate.process(&controller, &[5]).await;
    eventually("the controller is in step", || {
        (controller.orders(5) > 3).then_some(())
    })
    .await;
    controller.behave(|behaviour| behaviour.drop_answers = 1_000);
    estate.order(5, "o1", SOON);
    eventually("the door moves", || {
        (controller.releases(5, 0) == 1).then_some(())
    })
    .await;
    process.kill();
    assert!(estate.answers("o1").is_empty());
    controller.behave(|behaviour| behaviour.drop_answers = 0);
    let process = estate.process(&controller, &[5]).await;
    assert_eq!(
        estate.outcome("o1").await,
        Outcome::Failed {
            reason: "interrupted".into()
        }
    );
    // A repetition before the first answer's receipt is covered by that answer, so it is repeated until then.
    eventually("it is answered again", || {
        estate.order(5, "o1", SOON);
        (estate.answers("o1").len() >= 2).then_some(())
    })
    .await;
    assert!(process.terminate().await.success());
    assert_eq!(controller.releases(5, 0), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_amid_a_flood_of_commands_lose_no_answer_and_move_no_door_twice() {
    let (estate, mut controller) = (
        Estate::new().await,
        controller(&[5, 6], Behaviour::default()).await,
    );
    let openings: Vec<String> = (0..60).map(|number| format!("o{number}")).collect();
    let mut process = estate.process(&controller, &[5, 6]).await;
    for (number, opening) in openings.iter().enumerate() {
        estate.order(5 + number as u8 % 2, opening, SOON);
        if number % 20 == 10 {
            // The kill falls wherever the bridge is when the next door moves.
            controller.next_release().await;
            process.kill();
            process = estate.process(&controller, &[5, 6]).await;
        }
    }
    let mut opened = 0;
    for opening in &openings {
        let outcome = estate.outcome(opening).await;
        assert!(
            matches!(outcome, Outcome::Opened | Outcome::Failed { .. }),
            "{opening}: {outcome:?}"
        );
        opened += u64::from(outcome == Outcome::Opened);
    }
    let moved = controller.releases(5, 0) + controller.releases(6, 0);
    assert!(
        opened <= moved && moved <= openings.len() as u64,
        "{opened} said opened, {moved} moved"
    );
    assert!(process.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_is_under_way() {
    let (estate, controller) = (
        Estate::new().await,
        controller(&[5], Behaviour::default()).await,
    );
    let process = estate.process(&controller, &[5]).await;
    eventually("the controller is in step", || {
        (controller.orders(5) > 3).then_some(())
    })
    .await;
    controller.behave(|behaviour| behaviour.answer_delay = Duration::from_millis(150));
    estate.order(5, "o1", SOON);
    eventually("the door moves", || {
        (controller.releases(5, 0) == 1).then_some(())
    })
    .await;
    assert!(process.terminate().await.success());
    assert_eq!(estate.outcome("o1").await, Outcome::Opened);
}
