//! Readings from a simulated bus through the spool to the broker, and what the configuration of meters refuses.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use kernel::Timestamp;
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::meters::{Failure, shows};
use wire::Message;
use wire::meter::{Reading, Readings, Source};

use crate::adapters::HEAD;
use crate::estate::{Estate, PATIENCE, Running, eventually, started};
use crate::meters::{ELECTRICITY, bus_text, simulated};

/// Every reading that was published so far, with its topic.
fn published(estate: &Estate) -> Vec<(String, Reading)> {
    let seen = estate.broker.seen().into_iter();
    let readings = seen.filter(|seen| seen.topic.ends_with("/reading"));
    readings
        .flat_map(|seen| {
            let message = Message::<Readings>::from_payload(&seen.payload).unwrap();
            assert_eq!(message.body.gateway.as_str(), "gate-1");
            let readings = message.body.readings.into_iter();
            readings
                .map(move |reading| (seen.topic.clone(), reading))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn estate_text(estate: &Estate, text: &str) -> String {
    let data = estate.folder.path().join("data");
    format!(
        "tenant = \"demo\"\ngateway = \"gate-1\"\nbroker = \"127.0.0.1:{}\"\npassword = \"secret\"\ndata = {data:?}\n{text}",
        estate.broker.port
    )
}

fn estate_config(estate: &Estate, text: &str) -> Config {
    Config::parse(&estate_text(estate, text), None).unwrap()
}

fn kept(folder: &Path) -> usize {
    let kept = linli_bridge::adapters::meters::kept(&folder.join("data"));
    kept.values().map(BTreeSet::len).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_stay_in_the_spool_until_their_receipt_and_freezes_are_asked_for_once() {
    let estate = Estate::new().await;
    estate.broker.receipts(false);
    let clock = Clock::System;
    let meters = simulated("dlt645", "tcp:127.0.0.1:0", &ELECTRICITY, &clock).await;
    // Questions are counted here, and a machine that is busy for a moment must not make a meter late.
    let text = bus_text("dlt645", &meters, &ELECTRICITY, "freeze_days = 3")
        .replace("reply_timeout_ms = 200", "reply_timeout_ms = 5000");
    let bridge = started(estate_config(&estate, &text)).await;
    eventually("every freeze and reading is published", || {
        (published(&estate).len() == 12).then_some(())
    })
    .await;
    eventually("the freezes are remembered", || {
        (kept(estate.folder.path()) == 9).then_some(())
    })
    .await;
    assert!(
        bridge.spool().size().await.unwrap().0 > 0,
        "there was no receipt"
    );
    bridge.stop().await;
    estate.broker.receipts(true);
    let bridge = started(estate_config(&estate, &text)).await;
    let deadline = std::time::Instant::now() + PATIENCE;
    while bridge.spool().size().await.unwrap().0 > 0 {
        assert!(std::time::Instant::now() < deadline, "the spool empties");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bridge.stop().await;
    let mut keys: Vec<_> = published(&estate)
        .into_iter()
        .filter(|(_, reading)| reading.source == Source::Freeze)
        .map(|(_, reading)| (reading.meter.to_string(), reading.read_at))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 9, "three midnights of three meters");
    // Each freeze takes two questions and each reading one: nothing was asked for a second time but the readings.
    for address in ELECTRICITY {
        let asked = meters.questions(address);
        assert!(
            (7..=8).contains(&asked),
            "{address} was asked {asked} times"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_is_killed_loses_no_midnight() {
    let estate = Estate::new().await;
    let clock = Clock::System;
    let meters = simulated("dlt645", "tcp:127.0.0.1:0", &ELECTRICITY, &clock).await;
    for address in ELECTRICITY {
        meters
            .fail(address, Failure::Late(Duration::from_millis(20)))
            .unwrap();
    }
    let text = bus_text("dlt645", &meters, &ELECTRICITY, "freeze_days = 40");
    let path = estate.folder.path().join("bridge.toml");
    std::fs::write(&path, estate_text(&estate, &text)).unwrap();
    let freezes = || -> BTreeSet<(String, Timestamp, i64)> {
        let readings = published(&estate).into_iter().map(|(_, reading)| reading);
        let freezes = readings.filter(|reading| reading.source == Source::Freeze);
        let key = |reading: Reading| {
            let total = reading.registers[0].value_milli;
            (reading.meter.to_string(), reading.read_at, total)
        };
        freezes.map(key).collect()
    };
    for killed_at in [1, 50] {
        let mut running = Running::start(&path).await;
        eventually("some midnights are told", || {
            (freezes().len() >= killed_at).then_some(())
        })
        .await;
        running.kill();
    }
    let mut running = Running::start(&path).await;
    eventually("every midnight is told", || {
        (freezes().len() >= 120).then_some(())
    })
    .await;
    running.kill();
    let told = freezes();
    assert_eq!(told.len(), 120, "40 midnights of three meters");
    for (meter, read_at, total) in told {
        let index = meter.trim_start_matches('m').parse().unwrap();
        assert_eq!(total, shows(index, read_at), "{meter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_of_one_meter_and_of_several_are_told_on_the_gateways_topic() {
    for addresses in [&["1"][..], &["1", "2"][..]] {
        let estate = Estate::new().await;
        let clock = Clock::System;
        let meters = simulated("mbus", "tcp:127.0.0.1:0", addresses, &clock).await;
        let text = bus_text("mbus", &meters, addresses, "");
        let bridge = started(estate_config(&estate, &text)).await;
        eventually("the readings are published", || {
            (published(&estate).len() == addresses.len()).then_some(())
        })
        .await;
        let topic = "linli/demo/gateway/gate-1/reading";
        assert!(published(&estate).iter().all(|(on, _)| on == topic));
        bridge.stop().await;
    }
}

#[test]
fn a_bus_or_meter_that_cannot_be_is_refused_by_its_name() {
    let good = "[[meter_buses]]\nid = \"b\"\nprotocol = \"dlt645\"\nport = \"serial:/dev/ttyUSB1\"\n\
                [[meters]]\nid = \"m\"\nbus = \"b\"\naddress = \"000000001234\"\n";
    let config = Config::parse(&format!("{HEAD}{good}"), None).unwrap();
    assert_eq!(
        (config.doors.len(), config.meter_buses[0].meters.len()),
        (0, 1)
    );
    for (from, to, named) in [
        ("\"dlt645\"", "\"dlms\"", "protocol of meter bus \"b\""),
        ("\"dlt645\"", "\"modbus-tcp\"", "its port is tcp:host:port"),
        (
            "serial:/dev/ttyUSB1\"",
            "tcp:h:1\"\nbaud = 9600",
            "the serial server's matter",
        ),
        (
            "serial:/dev/ttyUSB1\"",
            "serial:/dev/x\"\nbaud = 1",
            "must be 300 to 921600",
        ),
        (
            "serial:/dev/ttyUSB1\"",
            "serial:/dev/x\"\ninterval_minutes = 0",
            "interval_minutes",
        ),
        (
            "bus = \"b\"",
            "bus = \"c\"",
            "\"c\", which is not among the meter_buses",
        ),
        ("000000001234", "1234", "twelve digits"),
        (
            "address",
            "freeze_days = 63\naddress",
            "freeze_days must be 0 to 62",
        ),
        (
            "address",
            "sort = \"gas\"\naddress",
            "sort is no matter of Dlt645",
        ),
        ("\"dlt645\"", "\"cjt188\"", "fourteen digits"),
        ("\"dlt645\"", "\"modbus-rtu\"", "profile is missing"),
        ("\"dlt645\"", "\"mbus\"", "address must be 0 to 250"),
        ("[[meters]]", "[[metres]]", "metres"),
        (
            "[[meter_buses]]",
            "meter_zone = \"Mars\"\n[[meter_buses]]",
            "meter_zone",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let text = format!("{HEAD}{}", good.replace(from, to));
        let sentence = format!("{:#}", Config::parse(&text, None).unwrap_err());
        assert!(sentence.contains(named), "{to} -> {sentence}");
    }
}
