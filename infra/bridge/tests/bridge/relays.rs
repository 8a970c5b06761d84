//! HTTP relays against their simulator: opened, refused, silent, expired, held for a fire, disconnected.

use std::time::Duration;

use linli_bridge::adapters::{Adapter, Failure, Movement, Relay};
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::{self, Behaviour};
use tokio::sync::mpsc;

use crate::adapters::{HEAD, RELEASE, Tried};

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
