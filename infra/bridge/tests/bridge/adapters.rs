//! Each protocol against its simulator: opened, refused, silent, expired, disconnected, held for a fire.

use std::time::Duration;

use kernel::{DeviceId, Timestamp};
use linli_bridge::adapters::{
    Adapter, Failure, LockHandle, Movement, Noticed, Panels, Relay, Report, Scan, Switch,
};
use linli_bridge::clock::Clock;
use linli_bridge::config::{Config, DoorConfig};
use linli_bridge::simulator::{self, Behaviour, SwitchSettings};
use tokio::sync::mpsc;
use wire::door::OccurrenceKind;

use crate::broker::Broker;
use crate::estate::eventually;

const HEAD: &str = "tenant = \"demo\"\ngateway = \"gate-1\"\nbroker = \"127.0.0.1:1\"\npassword = \"x\"\ndata = \"/tmp/x\"\n";
const RELEASE: Movement = Movement::Release { for_ms: 3_000 };

fn later(clock: &Clock) -> Timestamp {
    clock.now().plus_millis(5_000)
}

struct Tried {
    handle: LockHandle,
    reported: mpsc::UnboundedReceiver<Report>,
    clock: Clock,
    output: u8,
}

impl Tried {
    async fn carry_out(&self, movement: Movement) -> Result<(), Failure> {
        self.handle
            .carry_out(0, self.output, movement, later(&self.clock))
            .await
    }

    /// Waits until the adapter has found its device, and until it lost it.
    async fn until(&mut self, found: bool) {
        loop {
            let report = self.reported.recv().await.unwrap();
            let Noticed::Occurrence(kind) = report.noticed else {
                continue;
            };
            if found == (kind == OccurrenceKind::ControllerFound) {
                return;
            }
        }
    }
}

fn relay(simulated: &simulator::Relay, password: Option<&str>) -> Tried {
    let password = password.map_or(String::new(), |password| {
        format!("password = {password:?}\n")
    });
    let text = format!(
        "{HEAD}[[relays]]\nid = \"r\"\nurl = {:?}\npoll_ms = 20\nreply_timeout_ms = 300\nlost_after_ms = 400\n{password}\
         [[doors]]\nid = \"d\"\nrelay = \"r\"\n",
        simulated.url()
    );
    let config = Config::parse(&text, None).unwrap();
    let ((reports, reported), clock) = (mpsc::unbounded_channel(), Clock::System);
    let (adapter, handle) = Relay::new(
        config.relays[0].clone(),
        &config.doors,
        clock.clone(),
        reports,
    );
    tokio::spawn(Box::new(adapter).run());
    Tried {
        handle,
        reported,
        clock,
        output: 0,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_relay_opens_by_its_own_timer_also_with_a_password() {
    for password in [None, Some("open sesame")] {
        let simulated = simulator::Relay::listen("127.0.0.1:0", password, Behaviour::default())
            .await
            .unwrap();
        let tried = relay(&simulated, password);
        for round in 1..=3 {
            assert_eq!(tried.carry_out(RELEASE).await, Ok(()));
            assert_eq!(simulated.releases(0), round);
        }
        assert!(simulated.is_on_after(0, Duration::from_millis(2_000)));
        assert!(
            !simulated.is_on_after(0, Duration::from_millis(3_000)),
            "nobody had to say off"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_relay_refuses_a_wrong_password_and_says_why_it_refuses() {
    let simulated = simulator::Relay::listen("127.0.0.1:0", Some("right"), Behaviour::default())
        .await
        .unwrap();
    let refused = relay(&simulated, Some("wrong")).carry_out(RELEASE).await;
    assert_eq!(
        refused,
        Err(Failure::Refused(
            "the relay does not accept the password".into()
        ))
    );
    let tried = relay(&simulated, Some("right"));
    simulated.behave(|behaviour| behaviour.refuse = true);
    let Err(Failure::Refused(reason)) = tried.carry_out(RELEASE).await else {
        panic!("not refused")
    };
    assert!(
        reason.contains("HTTP 500, refused by its behaviour"),
        "{reason}"
    );
    assert_eq!(simulated.releases(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_http_relay_leaves_it_open_whether_the_door_moved_and_is_not_asked_twice() {
    let simulated = simulator::Relay::listen("127.0.0.1:0", None, Behaviour::default())
        .await
        .unwrap();
    let tried = relay(&simulated, None);
    simulated.behave(|behaviour| behaviour.drop_answers = 1);
    let silent = tried.carry_out(RELEASE).await;
    assert!(matches!(silent, Err(Failure::Unanswered(_))), "{silent:?}");
    assert_eq!(simulated.releases(0), 1);
    let late = tried
        .handle
        .carry_out(0, 0, RELEASE, tried.clock.now())
        .await;
    assert_eq!((late, simulated.releases(0)), (Err(Failure::Expired), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_relay_is_held_for_a_fire_and_restored() {
    let simulated = simulator::Relay::listen("127.0.0.1:0", None, Behaviour::default())
        .await
        .unwrap();
    let tried = relay(&simulated, None);
    assert_eq!(tried.carry_out(Movement::Hold).await, Ok(()));
    assert!(simulated.is_on_after(0, Duration::from_secs(86_400)));
    assert_eq!(tried.carry_out(Movement::Restore).await, Ok(()));
    assert!(!simulated.is_on_after(0, Duration::ZERO));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_http_relay_that_is_gone_is_lost_and_found_again() {
    let simulated = simulator::Relay::listen("127.0.0.1:0", None, Behaviour::default())
        .await
        .unwrap();
    let mut tried = relay(&simulated, None);
    tried.until(true).await;
    let address = simulated.url().strip_prefix("http://").unwrap().to_owned();
    drop(simulated);
    tried.until(false).await;
    let gone = tried.carry_out(RELEASE).await;
    assert!(matches!(gone, Err(Failure::Unreached(_))), "{gone:?}");
    let _simulated = simulator::Relay::listen(&address, None, Behaviour::default())
        .await
        .unwrap();
    tried.until(true).await;
    assert_eq!(tried.carry_out(RELEASE).await, Ok(()));
}

async fn panel() -> (simulator::Panel, Tried) {
    let text = format!(
        "{HEAD}panels_listen = \"127.0.0.1:0\"\n\
         [[panels]]\nid = \"p\"\nserial = \"ABC1\"\nreply_timeout_ms = 300\nlost_after_ms = 400\n\
         [[doors]]\nid = \"d\"\npanel = \"p\"\noutput = 2\n"
    );
    let config = Config::parse(&text, None).unwrap();
    let ((reports, reported), clock) = (mpsc::unbounded_channel(), Clock::System);
    let panels = config.panels.as_ref().unwrap();
    let (adapter, mut handles) = Panels::listen(panels, &config.doors, &clock, &reports)
        .await
        .unwrap();
    let url = format!("http://{}", adapter.address().unwrap());
    tokio::spawn(Box::new(adapter).run());
    let pause = Duration::from_millis(20);
    let simulated = simulator::Panel::start(&url, "ABC1", pause, Behaviour::default()).unwrap();
    let (_, handle) = handles.remove(0);
    let mut tried = Tried {
        handle,
        reported,
        clock,
        output: 2,
    };
    tried.until(true).await;
    (simulated, tried)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_fetches_its_order_once_and_opens() {
    let (simulated, tried) = panel().await;
    assert_eq!(tried.carry_out(RELEASE).await, Ok(()));
    assert_eq!(tried.carry_out(Movement::Hold).await, Ok(()));
    assert_eq!(tried.carry_out(Movement::Restore).await, Ok(()));
    let expected = [
        "CONTROL DEVICE 01020103",
        "CONTROL DEVICE 010201FF",
        "CONTROL DEVICE 01020100",
    ];
    assert_eq!(simulated.orders(), expected);
    simulated.behave(|behaviour| behaviour.refuse = true);
    let refused = tried.carry_out(RELEASE).await;
    assert_eq!(
        refused,
        Err(Failure::Refused("the panel answers -1".into()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_that_fetched_its_order_and_falls_silent_may_have_moved() {
    let (simulated, tried) = panel().await;
    simulated.behave(|behaviour| behaviour.drop_answers = 1);
    let soon = tried.clock.now().plus_millis(300);
    let silent = tried.handle.carry_out(0, 2, RELEASE, soon).await;
    assert!(matches!(silent, Err(Failure::Unanswered(_))), "{silent:?}");
    assert_eq!(simulated.orders().len(), 1, "never handed out again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panel_never_gets_an_order_too_late_and_is_lost_when_it_does_not_call() {
    let (simulated, mut tried) = panel().await;
    simulated.silent(true);
    // A look for orders may still be under way, so the first one may be fetched.
    let result = loop {
        let soon = tried.clock.now().plus_millis(100);
        match tried.handle.carry_out(0, 2, RELEASE, soon).await {
            Ok(()) => {}
            failed => break failed,
        }
    };
    assert_eq!(result, Err(Failure::Expired));
    let before = simulated.orders();
    tried.until(false).await;
    let gone = tried.carry_out(RELEASE).await;
    assert!(matches!(gone, Err(Failure::Unreached(_))), "{gone:?}");
    simulated.silent(false);
    tried.until(true).await;
    assert_eq!(simulated.orders(), before, "nothing was kept for it");
    assert_eq!(tried.carry_out(RELEASE).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_at_a_panel_is_passed_on_when_it_is_shown_now() {
    let (simulated, mut tried) = panel().await;
    let old = tried.clock.now().plus_millis(-600_000);
    simulated.show(2, "505931040", old, 480).await.unwrap();
    simulated
        .show(3, "505931040", tried.clock.now(), 480)
        .await
        .unwrap();
    simulated
        .show(2, "505931041", tried.clock.now(), 480)
        .await
        .unwrap();
    let report = tried.reported.recv().await.unwrap();
    let expected = Noticed::Scan(Scan::card(32, &505_931_041_u32.to_be_bytes()));
    assert_eq!(
        (report.door, report.noticed),
        (DeviceId::parse("d").unwrap(), expected)
    );
}

fn switch(broker: &Broker, hold: bool) -> (simulator::Switch, Tried) {
    let hold = if hold {
        "hold_payload = \"PulseTime1 0; Power1 ON\"\nrestore_payload = \"Power1 OFF\"\n"
    } else {
        ""
    };
    let text = format!(
        "{HEAD}[[switches]]\nid = \"s\"\nbroker = \"127.0.0.1:{}\"\ncommand_topic = \"cmnd/barrier/Backlog\"\n\
         release_payload = \"PulseTime1 {{deciseconds}}; Power1 ON\"\nstate_topic = \"stat/barrier/RESULT\"\n\
         state_pointer = \"/POWER1\"\nopen_value = \"ON\"\nshut_value = \"OFF\"\nreply_timeout_ms = 300\n{hold}\
         [[doors]]\nid = \"d\"\nswitch = \"s\"\n",
        broker.port
    );
    let config = Config::parse(&text, None).unwrap();
    let doors: &[DoorConfig] = &config.doors;
    let ((reports, reported), clock) = (mpsc::unbounded_channel(), Clock::System);
    let (adapter, handle) = Switch::new(config.switches[0].clone(), doors, clock.clone(), reports);
    tokio::spawn(Box::new(adapter).run());
    let settings = SwitchSettings {
        broker_host: "127.0.0.1".into(),
        broker_port: broker.port,
        name: "barrier".into(),
    };
    let simulated = simulator::Switch::start(settings, Behaviour::default());
    (
        simulated,
        Tried {
            handle,
            reported,
            clock,
            output: 0,
        },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_opens_when_its_state_says_so() {
    let broker = Broker::start().await;
    let (simulated, mut tried) = switch(&broker, true);
    tried.until(true).await;
    eventually("the switch is there", || {
        simulated.is_subscribed().then_some(())
    })
    .await;
    assert_eq!(tried.carry_out(RELEASE).await, Ok(()));
    assert_eq!(tried.carry_out(Movement::Hold).await, Ok(()));
    assert_eq!(tried.carry_out(Movement::Restore).await, Ok(()));
    let expected = [
        "PulseTime1 30; Power1 ON",
        "PulseTime1 0; Power1 ON",
        "Power1 OFF",
    ];
    assert_eq!(simulated.orders(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_says_off_or_nothing_or_comes_too_late_is_not_opened() {
    let broker = Broker::start().await;
    let (simulated, mut tried) = switch(&broker, false);
    tried.until(true).await;
    eventually("the switch is there", || {
        simulated.is_subscribed().then_some(())
    })
    .await;
    simulated.behave(|behaviour| behaviour.refuse = true);
    assert_eq!(
        tried.carry_out(RELEASE).await,
        Err(Failure::Refused("the switch says \"OFF\"".into()))
    );
    simulated.behave(|behaviour| {
        behaviour.refuse = false;
        behaviour.drop_answers = 1;
    });
    let silent = tried.carry_out(RELEASE).await;
    assert!(matches!(silent, Err(Failure::Unanswered(_))), "{silent:?}");
    let late = tried
        .handle
        .carry_out(0, 0, RELEASE, tried.clock.now())
        .await;
    assert_eq!((late, simulated.orders().len()), (Err(Failure::Expired), 2));
    let held = tried.carry_out(Movement::Hold).await;
    assert!(
        matches!(held, Err(Failure::Refused(_))),
        "it has no payload for that: {held:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_whose_broker_is_away_gets_no_order_later() {
    let broker = Broker::start().await;
    let (simulated, mut tried) = switch(&broker, false);
    tried.until(true).await;
    eventually("the switch is there", || {
        simulated.is_subscribed().then_some(())
    })
    .await;
    drop(broker);
    let mut result = tried.carry_out(RELEASE).await;
    while matches!(result, Err(Failure::Unanswered(_))) {
        // The connection needs a moment to notice.
        result = tried.carry_out(RELEASE).await;
    }
    assert!(matches!(result, Err(Failure::Unreached(_))), "{result:?}");
    assert_eq!(simulated.releases(), 0);
}

#[test]
fn a_device_that_cannot_be_is_refused_by_its_name() {
    let switch = "[[switches]]\nid = \"s\"\nbroker = \"b:1\"\ncommand_topic = \"c\"\nrelease_payload = \"{ms}\"\n\
                  state_topic = \"t\"\nopen_value = \"ON\"\nshut_value = \"OFF\"\n[[doors]]\nid = \"d\"\nswitch = \"s\"\n";
    assert!(Config::parse(&format!("{HEAD}{switch}"), None).is_ok());
    for (text, named) in [
        (
            switch.replace("{ms}", "ON"),
            "the switch must end a release by itself",
        ),
        (switch.replace("{ms}", "{ms}{minutes}"), "{minutes}"),
        (
            switch.replace("\"c\"", "\"c/#\""),
            "command_topic must be one topic",
        ),
        (
            switch.replace("\"OFF\"", "\"ON\""),
            "open_value and shut_value are the same",
        ),
        (
            switch.replace("switch = \"s\"", "switch = \"x\""),
            "\"x\", which is not among the switches",
        ),
        (
            switch.replace("switch = \"s\"", "relay = \"s\""),
            "which is not among the relays",
        ),
        (
            switch.replace("switch = \"s\"", "switch = \"s\"\naddress = 5"),
            "address of door d is a line's matter",
        ),
        (
            switch.replace("switch = \"s\"", ""),
            "exactly one line, relay, panel or switch",
        ),
        (
            "[[panels]]\nid = \"p\"\nserial = \"A\"\n".to_owned(),
            "panels_listen does not say",
        ),
        (
            "panels_listen = \"x\"\n".to_owned(),
            "panels_listen must be address:port",
        ),
        (
            "[[relays]]\nid = \"r\"\nurl = \"10.0.0.9\"\n".to_owned(),
            "relay \"r\": url",
        ),
        (format!("site = \"http://x/y\"\n{switch}"), "site"),
    ] {
        let sentence = format!(
            "{:#}",
            Config::parse(&format!("{HEAD}{text}"), None).unwrap_err()
        );
        assert!(sentence.contains(named), "{text} -> {sentence}");
    }
}
