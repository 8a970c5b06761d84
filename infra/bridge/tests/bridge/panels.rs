//! Panels that call in, against their simulator: opened, refused, silent, expired, disconnected, and cards.

use std::time::Duration;

use kernel::DeviceId;
use linli_bridge::adapters::{Adapter, Failure, Movement, Noticed, Panels, Scan};
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::{self, Behaviour};
use tokio::sync::mpsc;

use crate::adapters::{HEAD, RELEASE, Tried};

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
