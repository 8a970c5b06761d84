//! Switches behind an MQTT broker, against their simulator: opened, refused, silent, expired, disconnected.

use linli_bridge::adapters::{Adapter, Failure, Movement, Switch};
use linli_bridge::clock::Clock;
use linli_bridge::config::{Config, DoorConfig};
use linli_bridge::simulator::{self, Behaviour, SwitchSettings};
use tokio::sync::mpsc;

use crate::adapters::{HEAD, RELEASE, Tried};
use crate::broker::Broker;
use crate::estate::eventually;

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
