//! Buses of meters: the simulated bytes on one side, the visits on the other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use kernel::{DeviceId, Timestamp, Zone};
use linli_bridge::adapters::meters::{Around, MeterBus, MeterHandle, Settled, Visited};
use linli_bridge::clock::Clock;
use linli_bridge::config::{Config, Protocol};
use linli_bridge::counters::Counters;
use linli_bridge::remote::Remote;
use linli_bridge::simulator::meters::{Failure, Meters, shows};
use tokio::sync::mpsc;
use wire::meter::{Flag, Reading, Register, Source};

use crate::adapters::HEAD;
use crate::estate::{PATIENCE, eventually};

/// Noon in Shanghai.
const NOON: &str = "2026-11-22T04:00:00Z";
const DAY_MS: i64 = 86_400_000;
pub const ELECTRICITY: [&str; 3] = ["000000001234", "000000001235", "910004920760"];

pub async fn simulated(protocol: &str, listen: &str, addresses: &[&str], clock: &Clock) -> Meters {
    let protocol: Protocol = protocol.parse().unwrap();
    Meters::listen(&listen.parse().unwrap(), protocol, addresses, clock.clone())
        .await
        .unwrap()
}

pub fn bus_text(protocol: &str, meters: &Meters, addresses: &[&str], rest: &str) -> String {
    let entries = addresses.iter().enumerate().map(|(index, address)| {
        format!("[[meters]]\nid = \"m{index}\"\nbus = \"b\"\naddress = \"{address}\"\n{rest}\n")
    });
    format!(
        "[[meter_buses]]\nid = \"b\"\nprotocol = {protocol:?}\nport = {:?}\nreply_timeout_ms = 200\n{}",
        meters.port().to_string(),
        entries.collect::<String>()
    )
}

/// A bus of its own, without a bridge around it.
pub struct Polled {
    visits: mpsc::Receiver<Visited>,
    remote: Remote,
    counters: Arc<Counters>,
    pub handles: Vec<MeterHandle>,
}

pub fn polled(text: &str, clock: &Clock, settled: &Settled) -> Polled {
    let config = Config::parse(&format!("{HEAD}{text}"), None).unwrap();
    let (sender, visits) = mpsc::channel(1_000);
    let remote = Remote::open(&config, clock.now());
    let counters = Arc::new(Counters::default());
    let mut handles = Vec::new();
    for bus in &config.meter_buses {
        let around = Around {
            clock: clock.clone(),
            counters: counters.clone(),
            remote: remote.clone(),
            visits: sender.clone(),
        };
        let (bus, handle) = MeterBus::new(bus.clone(), around, settled);
        tokio::spawn(bus.run());
        handles.push(handle);
    }
    Polled {
        visits,
        remote,
        counters,
        handles,
    }
}

impl Polled {
    async fn next(&mut self) -> Visited {
        let next = tokio::time::timeout(PATIENCE, self.visits.recv()).await;
        next.expect("a visit in time").expect("the bus is there")
    }

    pub async fn reading(&mut self) -> Reading {
        loop {
            if let Some(reading) = self.next().await.reading {
                return reading;
            }
        }
    }

    fn reachable(&self, meter: &str) -> bool {
        let children = self.remote.health().children;
        let mut children = children.iter();
        let child = children.find(|child| child.device.as_str() == meter);
        child.is_some_and(|child| child.reachable)
    }
}

fn manual() -> Clock {
    Clock::manual(at(NOON).millis())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn total(reading: &Reading) -> i64 {
    let mut values = reading.registers.iter();
    let total = values.find(|value| value.register == Register::Total);
    total.unwrap().value_milli
}

/// The settled midnights of the last `days`, for every meter.
fn settled(meters: usize, days: i64) -> Settled {
    let today = Zone::SHANGHAI.local(at(NOON)).date;
    let days: BTreeSet<_> = (0..days)
        .map(|ago| today - chrono::TimeDelta::days(ago))
        .collect();
    (0..meters)
        .map(|index| (DeviceId::parse(&format!("m{index}")).unwrap(), days.clone()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_is_read_and_says_what_its_meter_shows() {
    for (protocol, addresses, rest) in [
        (
            "dlt645",
            ["000000001234", "910004920760"],
            "freeze_days = 0",
        ),
        (
            "cjt188",
            ["78331505104145", "00000805000001"],
            "sort = \"cold_water\"",
        ),
        (
            "cjt188",
            ["78331505104145", "00000805000001"],
            "sort = \"gas\"\nid_order = \"low_first\"",
        ),
        ("modbus-rtu", ["1", "247"], "profile = \"eastron-sdm\""),
        ("modbus-tcp", ["1", "2"], "profile = \"eastron-sdm\""),
        ("mbus", ["0", "250"], ""),
        ("mbus", ["12345678", "12ABCDEF"], ""),
    ] {
        let clock = manual();
        let meters = simulated(protocol, "tcp:127.0.0.1:0", &addresses, &clock).await;
        let mut polled = polled(
            &bus_text(protocol, &meters, &addresses, rest),
            &clock,
            &Settled::new(),
        );
        for index in 0..2 {
            let reading = polled.reading().await;
            assert_eq!(reading.meter.as_str(), format!("m{index}"), "{protocol}");
            assert_eq!(total(&reading), shows(index, clock.now()), "{protocol}");
            assert_eq!(
                (reading.source, reading.read_at.millis() / 60_000),
                (Source::Interval, clock.now().millis() / 60_000)
            );
            assert!(reading.raw.is_some_and(|raw| raw.len() > 16), "{protocol}");
            assert!(polled.reachable(&format!("m{index}")), "{protocol}");
        }
        clock.advance(3_600_000);
        let later = polled.reading().await;
        assert_eq!(total(&later), shows(0, clock.now()), "{protocol} advances");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pseudo_terminal_is_a_serial_line_with_even_parity() {
    let folder = tempfile::tempdir().unwrap();
    for (protocol, address, rest) in [
        ("dlt645", "000000001234", "freeze_days = 0"),
        ("cjt188", "78331505104145", "sort = \"cold_water\""),
        ("modbus-rtu", "1", "profile = \"eastron-sdm\""),
        ("mbus", "1", ""),
    ] {
        let (clock, link) = (manual(), folder.path().join(protocol));
        let listen = format!("pty:{}", link.display());
        let meters = simulated(protocol, &listen, &[address], &clock).await;
        let mut polled = polled(
            &bus_text(protocol, &meters, &[address], rest),
            &clock,
            &Settled::new(),
        );
        assert_eq!(
            total(&polled.reading().await),
            shows(0, clock.now()),
            "{protocol}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_freeze_comes_first_and_has_the_tariffs() {
    let clock = manual();
    let meters = simulated("dlt645", "tcp:127.0.0.1:0", &ELECTRICITY[..1], &clock).await;
    let text = bus_text("dlt645", &meters, &ELECTRICITY[..1], "freeze_days = 2");
    let mut polled = polled(&text, &clock, &Settled::new());
    let freeze = polled.reading().await;
    let midnight = at("2026-11-21T16:00:00Z");
    assert_eq!((freeze.source, freeze.read_at), (Source::Freeze, midnight));
    assert_eq!(total(&freeze), shows(0, midnight));
    assert!(freeze.flags.is_empty());
    let names: Vec<_> = freeze
        .registers
        .iter()
        .map(|value| value.register)
        .collect();
    use Register::{Flat, Peak, Sharp, Total, Valley};
    assert_eq!(names, [Total, Sharp, Peak, Flat, Valley]);
    let tariffs: i64 = freeze.registers[1..]
        .iter()
        .map(|value| value.value_milli)
        .sum();
    assert_eq!(tariffs, total(&freeze));
    let interval = polled.reading().await;
    assert_eq!(
        (interval.source, interval.flags),
        (Source::Interval, vec![Flag::GatewayClock])
    );
    let missed = polled.reading().await;
    assert_eq!(
        (missed.source, missed.flags),
        (Source::Freeze, vec![Flag::Recovered])
    );
    assert_eq!(missed.read_at, midnight.plus_millis(-DAY_MS));
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_were_missed_are_recovered_newest_first_with_what_the_meter_kept() {
    let clock = manual();
    let addresses = &ELECTRICITY[..2];
    let meters = simulated("dlt645", "tcp:127.0.0.1:0", addresses, &clock).await;
    let text = bus_text("dlt645", &meters, addresses, "");
    // Everything was there at noon; then the gateway was off for three days.
    clock.advance(3 * DAY_MS);
    let mut polled = polled(&text, &clock, &settled(2, 62));
    let mut freezes: BTreeMap<String, Vec<Reading>> = BTreeMap::new();
    for _ in 0..8 {
        let reading = polled.reading().await;
        if reading.source == Source::Freeze {
            freezes
                .entry(reading.meter.to_string())
                .or_default()
                .push(reading);
        }
    }
    for index in 0..2 {
        let said = &freezes[&format!("m{index}")];
        let expected = [3, 2, 1].map(|day| at("2026-11-21T16:00:00Z").plus_millis(day * DAY_MS));
        let midnights: Vec<_> = said.iter().map(|reading| reading.read_at).collect();
        assert_eq!(midnights, expected);
        for reading in said {
            assert_eq!(total(reading), shows(index, reading.read_at));
        }
        let recovered = |reading: &Reading| reading.flags == [Flag::Recovered];
        assert_eq!(
            said.iter().map(recovered).collect::<Vec<_>>(),
            [false, true, true]
        );
    }
    let nothing = tokio::time::timeout(Duration::from_millis(300), polled.visits.recv()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_meter_does_not_starve_the_others_and_is_reported() {
    let clock = Clock::System;
    let meters = simulated("dlt645", "tcp:127.0.0.1:0", &ELECTRICITY, &clock).await;
    meters.fail(ELECTRICITY[0], Failure::Dead).unwrap();
    let text = bus_text("dlt645", &meters, &ELECTRICITY, "freeze_days = 20");
    let mut polled = polled(&text, &clock, &Settled::new());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    while seen.values().sum::<usize>() < 42 {
        let visited = polled.next().await;
        assert!(visited.reading.is_some());
        *seen.entry(visited.meter.to_string()).or_default() += 1;
    }
    let expected = [("m1".to_owned(), 21), ("m2".to_owned(), 21)];
    assert_eq!(seen, BTreeMap::from(expected));
    let asked = meters.questions(ELECTRICITY[0]);
    assert!(
        (1..=12).contains(&asked),
        "the dead meter was asked {asked} times"
    );
    eventually("the dead meter is reported", || {
        (!polled.reachable("m0") && polled.counters.meters_silent.get() >= 2).then_some(())
    })
    .await;
    assert!(polled.reachable("m1"));
    meters.fail(ELECTRICITY[0], Failure::None).unwrap();
    assert_eq!(polled.reading().await.meter.as_str(), "m0");
    assert!(polled.reachable("m0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_checksum_or_half_a_frame_is_never_told_and_asked_again() {
    for (protocol, address, rest) in [
        ("dlt645", "000000001234", "freeze_days = 0"),
        ("cjt188", "78331505104145", "sort = \"cold_water\""),
        ("modbus-rtu", "1", "profile = \"eastron-sdm\""),
        ("mbus", "1", ""),
    ] {
        for failure in [Failure::WrongChecksum(2), Failure::CutShort(2)] {
            let clock = Clock::System;
            let meters = simulated(protocol, "tcp:127.0.0.1:0", &[address], &clock).await;
            meters.fail(address, failure).unwrap();
            let mut polled = polled(
                &bus_text(protocol, &meters, &[address], rest),
                &clock,
                &Settled::new(),
            );
            let before = clock.now();
            let reading = polled.reading().await;
            let said = [shows(0, before), shows(0, clock.now())];
            assert!(said.contains(&total(&reading)), "{protocol} {failure:?}");
            assert!(meters.questions(address) >= 3, "{protocol} {failure:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_of_modbus_never_counts_for_the_next_question() {
    for protocol in ["modbus-tcp", "modbus-rtu"] {
        let clock = Clock::System;
        let meters = simulated(protocol, "tcp:127.0.0.1:0", &["1", "2"], &clock).await;
        meters
            .fail("1", Failure::Late(Duration::from_millis(300)))
            .unwrap();
        let text = bus_text(protocol, &meters, &["1", "2"], "profile = \"eastron-sdm\"");
        let mut polled = polled(&text, &clock, &Settled::new());
        let before = clock.now();
        let other = polled.reading().await;
        assert_eq!(other.meter.as_str(), "m1", "{protocol}");
        assert!(
            [shows(1, before), shows(1, clock.now())].contains(&total(&other)),
            "{protocol}"
        );
        meters.fail("1", Failure::None).unwrap();
        let back = polled.reading().await;
        assert_eq!(back.meter.as_str(), "m0", "{protocol}");
        assert!(
            [shows(0, before), shows(0, clock.now())].contains(&total(&back)),
            "{protocol}"
        );
        assert!(
            meters.connections() >= 2,
            "{protocol}: the bus was opened again"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_register_waits_for_the_next_hour_and_nothing_is_told() {
    let clock = manual();
    let meters = simulated("modbus-tcp", "tcp:127.0.0.1:0", &["1"], &clock).await;
    let text = bus_text("modbus-tcp", &meters, &["1"], "profile = \"heat-example\"");
    let mut polled = polled(&text, &clock, &Settled::new());
    let visited = polled.next().await;
    assert_eq!((visited.reading, visited.settled), (None, None));
    assert!(polled.reachable("m0"), "it answered, if only to refuse");
    assert_eq!(meters.questions("1"), 1);
}
