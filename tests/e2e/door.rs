//! A door opened end to end: over HTTP and MQTT to a controller that speaks OSDP, and back into the audit.

use linli_tests::{
    estate::{Estate, openings},
    poll, postgres,
    system::Setup,
};
use serde_json::{Value, json};

const DOOR: &str = "north-gate";

#[tokio::test]
async fn a_resident_opens_a_door_and_the_audit_shows_who_when_and_how_long() {
    let estate = Estate::start().await;
    let id = estate.open(DOOR).await;
    let opening = estate.settled(DOOR, &id).await;
    assert_eq!(opening["state"], "opened", "{opening}");
    let latency = opening["latency_ms"].as_i64().unwrap_or(-1);
    assert!((0..5_000).contains(&latency), "{opening}");
    assert_eq!(estate.releases(), 1);
    let li = estate
        .demo
        .people
        .iter()
        .find(|person| person.username == "li")
        .unwrap();
    let audit = estate
        .operator
        .get(&openings(DOOR))
        .await
        .expect(200)
        .json();
    let entry = entries(&audit)
        .iter()
        .find(|entry| entry["id"] == id.as_str())
        .unwrap_or_else(|| panic!("{audit}"));
    assert_eq!(entry["person"], li.id.as_str(), "{entry}");
    assert_eq!(entry["state"], "opened", "{entry}");
    assert!(entry["requested_at"].is_string(), "{entry}");
}

/// The items of a page.
fn entries(page: &Value) -> &[Value] {
    page["items"]
        .as_array()
        .unwrap_or_else(|| panic!("no items: {page}"))
}

#[tokio::test]
async fn every_door_of_the_gateway_opens_its_own_output() {
    let estate = Estate::start().await;
    for door in &estate.demo.doors {
        let id = estate.open(&door.id).await;
        assert_eq!(estate.settled(&door.id, &id).await["state"], "opened");
        let output = format!("output {} ", door.output);
        assert!(
            estate
                .controller
                .log()
                .iter()
                .any(|line| line.contains(&output)),
            "{}",
            estate.controller.shown()
        );
    }
}

#[tokio::test]
async fn a_controller_that_refuses_is_a_failed_opening_with_the_reason() {
    let estate = Estate::start_with(Setup::functions(), &["--refuse"]).await;
    let id = estate.open(DOOR).await;
    let opening = estate.settled(DOOR, &id).await;
    assert_eq!(opening["state"], "failed", "{opening}");
    assert!(
        opening["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{opening}"
    );
    assert_eq!(estate.releases(), 0);
}

#[tokio::test]
async fn an_opening_that_nobody_answers_times_out_and_cron_persists_it() {
    let estate = Estate::start_without_bridge(Setup::functions(), &[]).await;
    let id = estate.open(DOOR).await;
    let opening = estate.settled(DOOR, &id).await;
    assert_eq!(opening["state"], "timed_out", "{opening}");
    // A second tick, and one by an external scheduler, change nothing more.
    for _ in 0..2 {
        let ticked = estate
            .system
            .internal()
            .post("/internal/ticks/doors", &json!({}))
            .await;
        assert!(ticked.status.is_success(), "{ticked}");
    }
    let again = estate.opening(DOOR, &id).await;
    assert_eq!(again, opening);
}

#[tokio::test]
async fn an_idempotency_key_opens_once_and_refuses_another_content() {
    let estate = Estate::start().await;
    let key = [("idempotency-key", "one-and-only")];
    let staff = &estate.staff;
    let first = json!({ "reason": "The resident forgot the key" });
    let opened = staff
        .call("POST", &openings(DOOR), Some(&first), &key)
        .await
        .expect(202);
    let again = staff
        .call("POST", &openings(DOOR), Some(&first), &key)
        .await
        .expect(202);
    assert_eq!(opened.json()["id"], again.json()["id"]);
    let other = json!({ "reason": "Something else" });
    let refused = staff
        .call("POST", &openings(DOOR), Some(&other), &key)
        .await
        .expect(422);
    assert!(!refused.problem().is_empty());
    estate
        .settled(DOOR, opened.json()["id"].as_str().unwrap())
        .await;
    assert_eq!(estate.releases(), 1);
}

#[tokio::test]
async fn a_suspended_grant_opens_nothing_and_the_attempt_is_in_the_audit() {
    let estate = Estate::start().await;
    let zhang = estate.person("zhang").await;
    let refused = zhang
        .call("POST", &openings(DOOR), None, &[])
        .await
        .expect(403);
    assert!(!refused.problem().is_empty());
    let audit = estate
        .operator
        .get(&openings(DOOR))
        .await
        .expect(200)
        .json();
    assert!(
        entries(&audit)
            .iter()
            .any(|entry| entry["state"] == "refused"),
        "{audit}"
    );
    assert_eq!(estate.releases(), 0);
}

#[tokio::test]
async fn what_the_gateway_reports_shows_at_the_door() {
    let mut estate = Estate::start().await;
    estate.controller.kill();
    poll::until("the lost controller is reported", async || {
        let page = estate
            .operator
            .get(&format!("/api/doors/{DOOR}/occurrences"))
            .await
            .expect(200)
            .json();
        entries(&page)
            .iter()
            .any(|entry| entry["occurrence"] == "controller_lost")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_door_opens_and_is_audited_on_postgresql_too() {
    let Some(database) = postgres::database("door").await else {
        return;
    };
    let setup = Setup::functions()
        .with("SPIN_VARIABLE_DATABASE_URL", &database.url)
        .with("SPIN_VARIABLE_POSTGRES_PORT", &database.port);
    let mut estate = Estate::start_with(setup, &[]).await;
    let id = estate.open(DOOR).await;
    let opened = estate.settled(DOOR, &id).await;
    assert_eq!(opened["state"], "opened", "{opened}");
    estate.system.host.kill();
    estate.system.restart();
    assert_eq!(estate.opening(DOOR, &id).await, opened);
    let audit = estate
        .operator
        .get(&openings(DOOR))
        .await
        .expect(200)
        .json();
    assert_eq!(entries(&audit).len(), 1, "{audit}");
}
