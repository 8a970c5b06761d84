//! The gate decides by itself: with the uplink and without, and its audit arrives whole and once.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command as Process, Stdio};

use kernel::{DeviceId, MessageId, PassId};
use linli_bridge::audit;
use linli_bridge::bridge::Bridge;
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::{Behaviour, Controller, Shown};
use wire::Message;
use wire::audit::{Entry, Line};
use wire::door::{Occurrence, OccurrenceKind};
use wire::pass;

use crate::estate::{Estate, Running, controller, eventually, started};
use crate::site::{CHEN, LI, SEED, Site, qr, snapshot};

impl Estate {
    pub fn with_site(&self, controller: &Controller, site: &Site) -> String {
        format!(
            "site = {:?}\n{}",
            site.url,
            self.text(&controller.port().to_string(), &[5])
        )
    }

    pub async fn guarded(&self, controller: &Controller, site: &Site) -> Bridge {
        let bridge = started(Config::parse(&self.with_site(controller, site), None).unwrap()).await;
        eventually("the snapshot is there", || {
            (bridge.snapshots().version() > 0).then_some(())
        })
        .await;
        in_step(controller).await;
        bridge
    }

    pub async fn guarded_process(&self, controller: &Controller, site: &Site) -> Running {
        let path = self.folder.path().join("bridge.toml");
        std::fs::write(&path, self.with_site(controller, site)).unwrap();
        let running = Running::start(&path).await;
        in_step(controller).await;
        running
    }

    /// The decisions that arrived, each message once, by their number.
    pub fn decisions(&self) -> BTreeMap<u64, (MessageId, Entry)> {
        let mut found = BTreeMap::new();
        for seen in self.broker.seen() {
            if seen.topic != "linli/demo/door/d5/event" {
                continue;
            }
            let message = Message::<Occurrence>::from_payload(&seen.payload).unwrap();
            if let OccurrenceKind::AccessDecided(entry) = message.body.kind {
                let sequence = entry.sequence;
                let before = found.insert(sequence, (message.id.clone(), entry));
                assert!(
                    before.is_none_or(|(id, _)| id == message.id),
                    "entry {sequence} was said as two messages"
                );
            }
        }
        found
    }

    pub async fn decision(&self, sequence: u64) -> Entry {
        let what = format!("decision {sequence} arrives");
        eventually(&what, || self.decisions().remove(&sequence))
            .await
            .1
    }

    /// The export of everything that arrived, as the site would write it.
    pub fn export(&self) -> String {
        let lines = self.decisions().into_values().map(|(_, entry)| Line {
            gateway: DeviceId::parse("gate-1").unwrap(),
            door: DeviceId::parse("d5").unwrap(),
            entry,
        });
        lines
            .map(|line| serde_json::to_string(&line).unwrap() + "\n")
            .collect()
    }
}

/// Waits until the bridge polls the controller: what is shown before is taken for old.
pub async fn in_step(controller: &Controller) {
    let before = controller.orders(5);
    eventually("the controller is in step", || {
        (controller.orders(5) > before + 3).then_some(())
    })
    .await;
}

pub fn show(controller: &Controller, what: &str) {
    assert!(controller.show(&what.parse::<Shown>().unwrap()));
}

pub fn card(controller: &Controller, number: u64) {
    show(controller, &format!("card 5 0 32 {number:08X}"));
}

pub fn told(entry: &Entry) -> (bool, &str, bool) {
    (entry.allowed, &entry.reason, entry.offline)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_opens_by_the_snapshot_and_not_twice_within_a_moment() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let mut controller = controller(&[5], Behaviour::default()).await;
    site.offer(&snapshot(1, Clock::System.now()));
    let bridge = estate.guarded(&controller, &site).await;
    card(&controller, LI);
    assert_eq!(
        controller.next_release().await.for_ms,
        2_000,
        "as the site says"
    );
    card(&controller, LI);
    card(&controller, 99);
    show(&controller, "text 5 0 hello");
    assert_eq!(told(&estate.decision(1).await), (true, "member", false));
    assert_eq!(told(&estate.decision(2).await), (false, "too_fast", false));
    assert_eq!(
        told(&estate.decision(3).await),
        (false, "card_unknown", false)
    );
    assert_eq!(
        told(&estate.decision(4).await),
        (false, "pass_malformed", false)
    );
    assert_eq!(estate.decision(1).await.person.unwrap().as_str(), "li");
    assert_eq!(controller.releases(5, 0), 1);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_s_code_opens_once_without_the_uplink_and_both_decisions_arrive_once_afterwards()
{
    let (estate, site) = (Estate::new().await, Site::start().await);
    let mut controller = controller(&[5], Behaviour::default()).await;
    let now = Clock::System.now();
    site.offer(&snapshot(1, now));
    let bridge = estate.guarded(&controller, &site).await;
    estate.broker.away(true);
    drop(site);
    let code = qr("visit-1", now);
    eventually("the session is gone", || {
        (!bridge.is_online()).then_some(())
    })
    .await;
    show(&controller, &format!("text 5 0 {code}"));
    controller.next_release().await;
    show(&controller, &format!("text 5 0 {code}"));
    show(&controller, &format!("text 5 0 {}", qr("visit-0", now)));
    eventually("all are decided", || {
        (bridge.counters().readings_decided.get() == 3).then_some(())
    })
    .await;
    assert!(estate.decisions().is_empty(), "nothing can arrive yet");
    estate.broker.away(false);
    assert_eq!(told(&estate.decision(1).await), (true, "pass", true));
    assert_eq!(
        told(&estate.decision(2).await),
        (false, "already_used", true)
    );
    assert_eq!(
        told(&estate.decision(3).await),
        (false, "pass_revoked", true)
    );
    eventually("all are receipted", || {
        (bridge.counters().messages_receipted.get() >= 3).then_some(())
    })
    .await;
    assert_eq!(controller.releases(5, 0), 1);
    let verified = audit::verify(estate.export().as_bytes()).unwrap();
    assert_eq!((verified.first, verified.entries), (Some(1), 3));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_stands_for_a_pass_on_a_keypad_and_on_64_bits() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let controller = controller(&[5], Behaviour::default()).await;
    let held = snapshot(1, Clock::System.now());
    let key = pass::short_key(&SEED, &held.tenant, "gate-1").unwrap();
    let number = pass::short_number(&key, &PassId::parse("visit-1").unwrap(), 0).unwrap();
    site.offer(&held);
    let bridge = estate.guarded(&controller, &site).await;
    show(&controller, &format!("card 5 0 64 {number:016X}"));
    assert_eq!(told(&estate.decision(1).await), (true, "pass", false));
    show(&controller, &format!("keys 5 0 {number}"));
    assert_eq!(
        told(&estate.decision(2).await),
        (false, "already_used", false)
    );
    show(&controller, "keys 5 0 123456");
    assert_eq!(
        told(&estate.decision(3).await),
        (false, "code_unknown", false)
    );
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_shown_while_the_line_was_down_opens_nothing() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let controller = controller(&[5], Behaviour::default()).await;
    site.offer(&snapshot(1, Clock::System.now()));
    let bridge = estate.guarded(&controller, &site).await;
    controller.behave(|behaviour| behaviour.dead = vec![5]);
    eventually("it is lost", || {
        estate
            .occurrences(5)
            .iter()
            .any(|kind| matches!(kind, OccurrenceKind::ControllerLost { .. }))
            .then_some(())
    })
    .await;
    card(&controller, LI);
    controller.behave(|behaviour| behaviour.dead.clear());
    eventually("it is found", || {
        let found = estate.occurrences(5).into_iter();
        (found
            .filter(|kind| *kind == OccurrenceKind::ControllerFound)
            .count()
            == 2)
            .then_some(())
    })
    .await;
    card(&controller, CHEN);
    assert_eq!(estate.decision(1).await.person.unwrap().as_str(), "chen");
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_controller_takes_lines_and_ends_while_its_input_stays_open() {
    let mut child = Process::new(env!("CARGO_BIN_EXE_linli-bridge"))
        .args(["simulate", "--listen", "tcp:127.0.0.1:0", "--address", "5"])
        .env("LINLI_LOG", "error")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut typed = child.stdin.take().unwrap();
    let mut next = || out.next().unwrap().unwrap();
    assert!(next().starts_with("linli-bridge simulate is ready"));
    typed
        .write_all(b"card 5 0 26 AABBCC80\nwave\ncard 6 0 8 FF\n")
        .unwrap();
    assert_eq!(next(), "ok");
    assert!(next().starts_with("refused: "));
    assert_eq!(next(), "refused: no controller has the address 6");
    let told = Process::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    assert!(
        eventually("it ends", || child.try_wait().unwrap())
            .await
            .success()
    );
}
