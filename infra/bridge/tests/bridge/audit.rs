//! The audit of the gate: whole over kills and a full spool, and a broken one is named.

use std::io::Write as _;
use std::time::Duration;

use linli_bridge::audit;
use linli_bridge::clock::Clock;
use linli_bridge::config::Config;
use linli_bridge::simulator::Behaviour;

use crate::estate::{Estate, PATIENCE, controller, eventually, started};
use crate::gate::{card, in_step, show, told};
use crate::site::{LI, Site, qr, snapshot};

#[tokio::test(flavor = "multi_thread")]
async fn decisions_and_uses_of_a_pass_survive_kills() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let mut controller = controller(&[5], Behaviour::default()).await;
    let now = Clock::System.now();
    site.offer(&snapshot(1, now));
    estate.broker.receipts(false);
    let mut process = estate.guarded_process(&controller, &site).await;
    eventually("the snapshot is asked for", || {
        (site.questions().0 > 0).then_some(())
    })
    .await;
    eventually("it is on disk", || {
        estate
            .folder
            .path()
            .join("data/snapshot")
            .exists()
            .then_some(())
    })
    .await;
    in_step(&controller).await;
    let code = qr("visit-1", now);
    show(&controller, &format!("text 5 0 {code}"));
    controller.next_release().await;
    process.kill();
    drop(site);
    let away = Site::start().await;
    for round in 2..=4 {
        let mut process = estate.guarded_process(&controller, &away).await;
        show(&controller, &format!("text 5 0 {code}"));
        assert_eq!(
            told(&estate.decision(round).await),
            (false, "already_used", false)
        );
        process.kill();
    }
    estate.broker.receipts(true);
    let process = estate.guarded_process(&controller, &away).await;
    card(&controller, LI);
    assert_eq!(told(&estate.decision(5).await), (true, "member", false));
    let verified = audit::verify(estate.export().as_bytes()).unwrap();
    assert_eq!((verified.first, verified.entries), (Some(1), 5));
    // The decision is told before the door moves.
    eventually("the door moves", || {
        (controller.releases(5, 0) >= 2).then_some(())
    })
    .await;
    assert_eq!(controller.releases(5, 0), 2);
    assert!(process.terminate().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_export_is_named_by_its_first_broken_line() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let controller = controller(&[5], Behaviour::default()).await;
    site.offer(&snapshot(1, Clock::System.now()));
    let bridge = estate.guarded(&controller, &site).await;
    for number in 90..94 {
        card(&controller, number);
    }
    estate.decision(4).await;
    bridge.stop().await;
    let whole = estate.export();
    let verify = |text: &str| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_linli-bridge"))
            .arg("verify-audit")
            .arg(file.path())
            .output()
            .unwrap();
        let said = String::from_utf8([out.stdout, out.stderr].concat()).unwrap();
        (out.status.success(), said)
    };
    let (good, said) = verify(&whole);
    assert!(
        good && said.contains("4 entries, whole from the first one on"),
        "{said}"
    );
    let lines: Vec<&str> = whole.lines().collect();
    let (good, said) = verify(&lines[1..].join("\n"));
    assert!(
        good && said.contains("3 entries, whole from entry 2 on"),
        "{said}"
    );
    for (broken, named) in [
        (
            whole.replacen("\"sequence\":3,", "\"sequence\":3,\"allowed\":true,", 1),
            "line 3 is broken: it is no entry",
        ),
        (
            [
                lines[0],
                &lines[1].replace("false,\"reason\"", "true,\"reason\""),
                lines[2],
            ]
            .join("\n"),
            "line 2 is broken: entry 2 was changed",
        ),
        (
            [lines[0], lines[2]].join("\n"),
            "line 2 is broken: entries are missing before entry 3",
        ),
        ("{}\n".to_owned(), "line 1 is broken: it is no entry"),
    ] {
        let (good, said) = verify(&broken);
        assert!(!good && said.contains(named), "{named}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_opens_no_door() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let controller = controller(&[5], Behaviour::default()).await;
    site.offer(&snapshot(1, Clock::System.now()));
    estate.broker.receipts(false);
    let text = estate
        .with_site(&controller, &site)
        .replace("[[lines]]", "[spool]\nmessages_max = 2\n[[lines]]");
    let bridge = started(Config::parse(&text, None).unwrap()).await;
    eventually("the snapshot is there", || {
        (bridge.snapshots().version() > 0).then_some(())
    })
    .await;
    in_step(&controller).await;
    card(&controller, 98);
    card(&controller, 99);
    card(&controller, LI);
    eventually("it is left alone", || {
        (bridge.counters().readings_without_room.get() == 1).then_some(())
    })
    .await;
    assert_eq!(controller.releases(5, 0), 0);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    estate.broker.receipts(true);
    while bridge.spool().size().await.unwrap().0 > 0 {
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    card(&controller, LI);
    assert_eq!(told(&estate.decision(3).await), (true, "member", false));
    bridge.stop().await;
}
