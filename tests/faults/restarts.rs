//! Kill and restart: whatever was answered is there afterwards, and no door moves twice.

use linli_tests::{
    estate::{Estate, RELEASED, openings},
    system::Setup,
};
use serde_json::json;

const DOOR: &str = "north-gate";
const FINAL: [&str; 4] = ["opened", "failed", "expired", "timed_out"];

#[tokio::test]
async fn a_host_killed_in_flight_has_lost_nothing_that_it_answered() {
    let mut estate = Estate::start().await;
    let asked: Vec<_> = (0..48)
        .map(|number| {
            let staff = estate.staff.clone();
            let door = estate.demo.doors[number % estate.demo.doors.len()]
                .id
                .clone();
            tokio::spawn(async move {
                let reason = json!({ "reason": format!("Call {number}") });
                let answer = staff
                    .try_json("POST", &openings(&door), Some(&reason), &[])
                    .await;
                (door, answer)
            })
        })
        .collect();
    // In flight: some are answered, the others not yet.
    linli_tests::poll::until("some are answered", async || {
        (asked.iter().filter(|task| task.is_finished()).count() >= 8).then_some(())
    })
    .await;
    estate.system.host.kill();
    let mut answered = Vec::new();
    for task in asked {
        if let (door, Ok(answer)) = task.await.unwrap()
            && answer.status == 202
        {
            answered.push((door, answer.json()["id"].as_str().unwrap().to_owned()));
        }
    }
    assert!(answered.len() >= 8, "{} answered", answered.len());
    estate.system.restart();
    for (door, id) in &answered {
        let opening = estate.settled(door, id).await;
        assert!(
            FINAL.iter().any(|state| opening["state"] == *state),
            "{opening}"
        );
    }
    // It works on, with the same secrets and the same bridge.
    let id = opened_again(&estate).await;
    assert_eq!(estate.settled(DOOR, &id).await["state"], "opened");
}

/// Asks for the door until its gateway has found the broker again.
async fn opened_again(estate: &Estate) -> String {
    let reason = json!({ "reason": "After the restart" });
    let answer = linli_tests::poll::until("the gateway is back", async || {
        let answer = estate.staff.post(&openings(DOOR), &reason).await;
        (answer.status != 409).then_some(answer)
    });
    let opening = answer.await.expect(202).json();
    opening["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_bridge_killed_with_a_full_spool_delivers_it_afterwards_and_moves_no_door_twice() {
    // The controller releases at once and answers late: time to take the broker away in between.
    let mut estate = Estate::start_with(Setup::functions(), &["--answer-delay-ms", "150"]).await;
    let id = estate.open(DOOR).await;
    estate.controller.line(RELEASED);
    estate.system.host.kill();
    estate.bridge().kill();
    estate.system.restart();
    estate.start_bridge();
    let opening = estate.settled(DOOR, &id).await;
    assert!(
        FINAL.iter().any(|state| opening["state"] == *state),
        "{opening}"
    );
    assert_eq!(estate.releases(), 1, "{}", estate.controller.shown());
}

#[tokio::test]
async fn answers_wait_in_the_spool_while_there_is_no_broker() {
    let mut estate = Estate::start_with(Setup::functions(), &["--answer-delay-ms", "100"]).await;
    let id = estate.open(DOOR).await;
    estate.controller.line(RELEASED);
    estate.system.host.kill();
    // The bridge has the controller's answer by now or gets it while nobody listens.
    estate.system.restart();
    let opening = estate.settled(DOOR, &id).await;
    let answer = if opening["state"] == "timed_out" {
        &opening["late"]["result"]
    } else {
        &opening["state"]
    };
    assert_eq!(answer, "opened", "{opening}");
    assert_eq!(estate.releases(), 1);
}

#[tokio::test]
async fn a_restarted_broker_has_its_sessions_back() {
    let mut estate = Estate::start().await;
    for _ in 0..2 {
        estate.system.host.signal("TERM");
        assert!(
            estate.system.host.wait().success(),
            "{}",
            estate.system.host.shown()
        );
        estate.system.restart();
    }
    let id = opened_again(&estate).await;
    assert_eq!(estate.settled(DOOR, &id).await["state"], "opened");
    assert_eq!(estate.releases(), 1);
}
