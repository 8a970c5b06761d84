//! Orders to meters: the relay, the valve and money, on simulated buses, alone and through the broker.

use std::time::Duration;

use kernel::{DeviceId, MessageId};
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::meters::{Failure, Meters};
use wire::Message;
use wire::meter::{Acknowledgement, Command, Flag, Order, Outcome, Supply};

use crate::adapters::HEAD;
use crate::estate::{Estate, PATIENCE, Running, eventually, started};
use crate::meters::{Polled, bus_text, polled, simulated};

const RELAY: &str = "freeze_days = 0\nrelay_password = \"02123456\"\nrelay_operator = 7";
const WATER: &str = "sort = \"cold_water\"\nvalve = true\nprepaid = true";
const WATER_ADDRESS: &str = "78331505104145";
const ELECTRICITY_ADDRESS: &str = "000000001234";

const CUT: Order = Order::Switch {
    supply: Supply::Off,
};
const RESTORE: Order = Order::Switch { supply: Supply::On };

fn money(amount_minor: i64, number: Option<u8>) -> Order {
    Order::Recharge {
        amount_minor,
        number,
    }
}

async fn bus(protocol: &str, address: &str, rest: &str) -> (Meters, Polled) {
    let clock = Clock::System;
    let meters = simulated(protocol, "tcp:127.0.0.1:0", &[address], &clock).await;
    let text = bus_text(protocol, &meters, &[address], rest);
    let polled = polled(&text, &clock, &Default::default());
    (meters, polled)
}

async fn order(polled: &Polled, order: Order, for_ms: i64) -> Outcome {
    let expires_at = Clock::System.now().plus_millis(for_ms);
    let meter = DeviceId::parse("m0").unwrap();
    let done = polled.handles[0].carry_out(&meter, order, expires_at);
    tokio::time::timeout(PATIENCE, done)
        .await
        .expect("an end in time")
}

fn is_refused(outcome: &Outcome, because: &str) -> bool {
    matches!(outcome, Outcome::Refused { reason } if reason.contains(because))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_relay_of_an_electricity_meter_cuts_and_restores() {
    let (meters, polled) = bus("dlt645", ELECTRICITY_ADDRESS, RELAY).await;
    assert_eq!(order(&polled, CUT, 60_000).await, Outcome::Done);
    assert!(meters.is_cut(ELECTRICITY_ADDRESS));
    assert_eq!(order(&polled, RESTORE, 60_000).await, Outcome::Done);
    assert!(!meters.is_cut(ELECTRICITY_ADDRESS));
    assert_eq!(order(&polled, CUT, 0).await, Outcome::Expired);
    assert!(!meters.is_cut(ELECTRICITY_ADDRESS));
    let recharged = order(&polled, money(100, None), 60_000).await;
    assert!(matches!(recharged, Outcome::Unsupported { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_gateway_that_has_none_move_nothing() {
    let wrong = RELAY.replace("02123456", "02000000");
    let (meters, polled) = bus("dlt645", ELECTRICITY_ADDRESS, &wrong).await;
    let outcome = order(&polled, CUT, 60_000).await;
    assert!(is_refused(&outcome, "password"), "{outcome:?}");
    assert!(!meters.is_cut(ELECTRICITY_ADDRESS));
    let (meters, polled) = bus("dlt645", ELECTRICITY_ADDRESS, "freeze_days = 0").await;
    let outcome = order(&polled, CUT, 60_000).await;
    assert!(matches!(outcome, Outcome::Unsupported { .. }));
    assert!(!meters.is_cut(ELECTRICITY_ADDRESS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valve_is_shut_and_opened_and_the_next_reading_says_so() {
    let clock = Clock::manual(Clock::System.now().millis());
    let meters = simulated("cjt188", "tcp:127.0.0.1:0", &[WATER_ADDRESS], &clock).await;
    let text = bus_text("cjt188", &meters, &[WATER_ADDRESS], WATER);
    let mut polled = polled(&text, &clock, &Default::default());
    assert!(!polled.reading().await.flags.contains(&Flag::ValveClosed));
    assert_eq!(order(&polled, CUT, 600_000).await, Outcome::Done);
    assert!(meters.is_cut(WATER_ADDRESS));
    clock.advance(3_600_000);
    assert!(polled.reading().await.flags.contains(&Flag::ValveClosed));
    assert_eq!(
        order(&polled, RESTORE, 3_600_000 + 600_000).await,
        Outcome::Done
    );
    assert!(!meters.is_cut(WATER_ADDRESS));
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_taken_by_its_number_and_once_whatever_is_lost() {
    let (meters, polled) = bus("cjt188", WATER_ADDRESS, WATER).await;
    meters.buy(WATER_ADDRESS, 254, 2_000).unwrap();
    let asked = order(&polled, money(5_000, None), 60_000).await;
    assert_eq!(asked, Outcome::Counted { number: 254 });
    let first = order(&polled, money(5_000, Some(255)), 60_000).await;
    assert_eq!(first, Outcome::Done);
    // The same order again finds what the meter has taken.
    let again = order(&polled, money(5_000, Some(255)), 60_000).await;
    assert_eq!(again, Outcome::Done);
    // Answers are spoilt on their way: the meter has taken the money all the same.
    meters
        .fail(WATER_ADDRESS, Failure::WrongChecksum(2))
        .unwrap();
    let lost = order(&polled, money(7_000, Some(0)), 60_000).await;
    assert_eq!(lost, Outcome::Done);
    // The number is another's.
    let taken = order(&polled, money(9_000, Some(0)), 60_000).await;
    assert_eq!(taken, Outcome::Counted { number: 0 });
    let far = order(&polled, money(9_000, Some(5)), 60_000).await;
    assert_eq!(far, Outcome::Counted { number: 0 });
    assert_eq!(
        meters.purchases(WATER_ADDRESS),
        [(254, 2_000), (255, 5_000), (0, 7_000)]
    );
    let too_much = order(&polled, money(100_000_000, Some(1)), 60_000).await;
    assert!(is_refused(&too_much, "out of range"), "{too_much:?}");
    meters.fail(WATER_ADDRESS, Failure::Dead).unwrap();
    let dead = order(&polled, money(9_000, Some(1)), 60_000).await;
    assert!(matches!(dead, Outcome::Unreached { .. }), "{dead:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_is_down_says_so() {
    let text = format!(
        "[[meter_buses]]\nid = \"b\"\nprotocol = \"cjt188\"\nport = \"tcp:127.0.0.1:1\"\n\
         [[meters]]\nid = \"m0\"\nbus = \"b\"\naddress = \"{WATER_ADDRESS}\"\n{WATER}\n"
    );
    let polled = polled(&text, &Clock::System, &Default::default());
    let outcome = order(&polled, CUT, 60_000).await;
    assert!(matches!(outcome, Outcome::Unreached { .. }), "{outcome:?}");
}

/// What a bridge with this bus reads from its file.
fn estate_text(estate: &Estate, meters: &Meters) -> String {
    let data = estate.folder.path().join("data");
    format!(
        "tenant = \"demo\"\ngateway = \"gate-1\"\nbroker = \"127.0.0.1:{}\"\npassword = \"secret\"\ndata = {data:?}\n{}",
        estate.broker.port,
        bus_text("cjt188", meters, &[WATER_ADDRESS], WATER)
    )
}

fn publish(estate: &Estate, command: &str, order: Order, for_the_next: Duration) {
    let at = Clock::System.now();
    let command = MessageId::parse(command).unwrap();
    let for_ms = i64::try_from(for_the_next.as_millis()).unwrap();
    let body = Command {
        command: command.clone(),
        expires_at: at.plus_millis(for_ms),
        order,
    };
    let message = Message {
        id: command,
        at,
        body,
    };
    let topic = "linli/demo/meter/m0/cmd";
    estate.broker.publish(topic, message.to_payload().unwrap());
}

fn answers(estate: &Estate, command: &str) -> Vec<Acknowledgement> {
    let seen = estate.broker.seen().into_iter();
    let seen = seen.filter(|seen| seen.topic == "linli/demo/meter/m0/ack");
    let bodies = seen.map(|seen| {
        let message = Message::<Acknowledgement>::from_payload(&seen.payload);
        message.unwrap().body
    });
    bodies
        .filter(|body| body.command.as_str() == command)
        .collect()
}

async fn answered(estate: &Estate, command: &str) -> Outcome {
    let answer = eventually(command, || answers(estate, command).pop()).await;
    assert_eq!(answer.gateway.as_str(), "gate-1");
    answer.outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_over_the_broker_is_carried_out_once_and_never_when_retained() {
    let estate = Estate::new().await;
    let clock = Clock::System;
    let meters = simulated("cjt188", "tcp:127.0.0.1:0", &[WATER_ADDRESS], &clock).await;
    estate.broker.retain("linli/demo/meter/m0/cmd", "{}");
    let config = Config::parse(&estate_text(&estate, &meters), None).unwrap();
    let bridge = started(config).await;
    let soon = Duration::from_secs(60);
    publish(&estate, "c1", CUT, soon);
    publish(&estate, "c1", CUT, soon);
    assert_eq!(answered(&estate, "c1").await, Outcome::Done);
    assert!(meters.is_cut(WATER_ADDRESS));
    publish(&estate, "c2", RESTORE, soon);
    assert_eq!(answered(&estate, "c2").await, Outcome::Done);
    // The first one comes once more: it is answered from memory and moves nothing.
    publish(&estate, "c1", CUT, soon);
    publish(&estate, "c3", CUT, Duration::ZERO);
    assert_eq!(answered(&estate, "c3").await, Outcome::Expired);
    assert!(!meters.is_cut(WATER_ADDRESS));
    assert_eq!(bridge.counters().commands_retained.get(), 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_killed_at_a_recharge_says_that_nobody_knows() {
    let estate = Estate::new().await;
    let clock = Clock::System;
    let meters = simulated("cjt188", "tcp:127.0.0.1:0", &[WATER_ADDRESS], &clock).await;
    let path = estate.folder.path().join("bridge.toml");
    std::fs::write(&path, estate_text(&estate, &meters)).unwrap();
    let mut running = Running::start(&path).await;
    let late = Failure::Late(Duration::from_millis(150));
    meters.fail(WATER_ADDRESS, late).unwrap();
    publish(
        &estate,
        "c1",
        money(5_000, Some(1)),
        Duration::from_secs(60),
    );
    eventually("the meter takes it", || {
        (!meters.purchases(WATER_ADDRESS).is_empty()).then_some(())
    })
    .await;
    running.kill();
    meters.fail(WATER_ADDRESS, Failure::None).unwrap();
    let mut running = Running::start(&path).await;
    let outcome = answered(&estate, "c1").await;
    assert!(matches!(outcome, Outcome::Unanswered { .. }), "{outcome:?}");
    // Under another name the same purchase is found taken.
    publish(
        &estate,
        "c2",
        money(5_000, Some(1)),
        Duration::from_secs(60),
    );
    assert_eq!(answered(&estate, "c2").await, Outcome::Done);
    assert_eq!(meters.purchases(WATER_ADDRESS), [(1, 5_000)]);
    running.kill();
}

#[test]
fn what_a_meter_may_be_ordered_is_checked_by_its_name() {
    let bus = |protocol: &str, rest: &str| {
        format!(
            "{HEAD}[[meter_buses]]\nid = \"b\"\nprotocol = {protocol:?}\nport = \"tcp:h:1\"\n\
             [[meters]]\nid = \"m\"\nbus = \"b\"\n{rest}"
        )
    };
    let exact = "address = \"000000001234\"\n";
    for (protocol, rest, named) in [
        (
            "dlt645",
            "address = \"AAAAAAAA1234\"\nrelay_password = \"02123456\"",
            "the whole address",
        ),
        (
            "dlt645",
            &format!("{exact}relay_password = \"123456\""),
            "must be 8 digits",
        ),
        (
            "dlt645",
            &format!("{exact}relay_password = \"02123456\"\nrelay_operator = 100000000"),
            "relay_operator",
        ),
        (
            "dlt645",
            &format!("{exact}valve = true"),
            "valve is no matter of Dlt645",
        ),
        (
            "mbus",
            "address = \"1\"\nprepaid = true",
            "prepaid is no matter of Mbus",
        ),
    ] {
        let sentence = format!(
            "{:#}",
            Config::parse(&bus(protocol, rest), None).unwrap_err()
        );
        assert!(sentence.contains(named), "{rest} -> {sentence}");
    }
    let shown = format!(
        "{:?}",
        Config::parse(
            &bus("dlt645", &format!("{exact}relay_password = \"02123456\"")),
            None
        )
        .unwrap()
    );
    assert!(
        !shown.contains("123456,") && shown.contains("Authority(..)"),
        "{shown}"
    );
}
