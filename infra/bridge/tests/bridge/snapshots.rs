//! Snapshots: whose are taken, for how long they hold, and when they are fetched.

use kernel::DeviceId;
use linli_bridge::clock::Clock;
use linli_bridge::simulator::Behaviour;
use wire::gateway::Command;
use wire::snapshot::{self, SNAPSHOT_MS};

use crate::estate::{Estate, controller, eventually, started};
use crate::gate::{card, in_step, told};
use crate::site::{CHEN, LI, SEED, Site, snapshot};

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_that_is_forged_older_foreign_or_too_long_changes_nothing() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let controller = controller(&[5], Behaviour::default()).await;
    let now = Clock::System.now();
    site.offer(&snapshot(7, now));
    let bridge = estate.guarded(&controller, &site).await;
    let refused = |offered: &snapshot::Snapshot, seed: &[u8; 32]| {
        let bytes = snapshot::sign(offered, seed).unwrap();
        format!("{:#}", bridge.snapshots().take(&bytes).unwrap_err())
    };
    assert!(refused(&snapshot(7, now), &SEED).contains("not newer than 7"));
    assert!(refused(&snapshot(6, now), &SEED).contains("not newer than 7"));
    let mut forged = snapshot(8, now);
    forged.keys = vec![wire::pass::PassKey::of_seed(&[9; 32])];
    assert!(refused(&forged, &[9; 32]).contains("snapshot_key_unknown"));
    let mut foreign = snapshot(8, now);
    foreign.gateway = DeviceId::parse("gate-2").unwrap();
    assert!(refused(&foreign, &SEED).contains("made for demo/gate-2"));
    let mut endless = snapshot(8, now);
    endless.expires_at = now.plus_millis(SNAPSHOT_MS + 1);
    assert!(refused(&endless, &SEED).contains("longer than a day"));
    bridge.snapshots().announce(8, "another".into());
    assert!(refused(&snapshot(8, now), &SEED).contains("not those that were announced"));
    assert_eq!(bridge.snapshots().version(), 7);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_without_the_site_only_the_cards_of_staff_open() {
    let estate = Estate::new().await;
    let controller = controller(&[5], Behaviour::default()).await;
    let config = estate.config(&controller.port().to_string(), &[5]);
    let day_ago = Clock::System.now().plus_millis(-SNAPSHOT_MS);
    std::fs::create_dir_all(&config.data).unwrap();
    let bytes = snapshot::sign(&snapshot(3, day_ago), &SEED).unwrap();
    std::fs::write(config.data.join("snapshot"), bytes).unwrap();
    let bridge = started(config).await;
    in_step(&controller).await;
    card(&controller, LI);
    assert_eq!(
        told(&estate.decision(1).await),
        (false, "snapshot_expired", false)
    );
    card(&controller, CHEN);
    assert_eq!(told(&estate.decision(2).await), (true, "member", false));
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_snapshot_nobody_is_known() {
    let estate = Estate::new().await;
    let controller = controller(&[5], Behaviour::default()).await;
    let bridge = estate.bridge(&controller, &[5]).await;
    in_step(&controller).await;
    card(&controller, LI);
    assert_eq!(
        told(&estate.decision(1).await),
        (false, "card_unknown", false)
    );
    assert_eq!(controller.releases(5, 0), 0);
    bridge.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announced_snapshot_is_fetched_at_once_also_with_a_new_token() {
    let (estate, site) = (Estate::new().await, Site::start().await);
    let controller = controller(&[5], Behaviour::default()).await;
    let now = Clock::System.now();
    site.offer(&snapshot(1, now));
    let bridge = estate.guarded(&controller, &site).await;
    site.forget_sessions();
    let next = snapshot(2, now);
    let bytes = snapshot::sign(&next, &SEED).unwrap();
    site.offer(&next);
    let body = Command::SnapshotReady {
        version: 2,
        sha256: snapshot::digest(&bytes),
        bytes: bytes.len() as u64,
    };
    estate.tell("s2", body);
    eventually("it is taken", || {
        (bridge.snapshots().version() == 2).then_some(())
    })
    .await;
    bridge.stop().await;
    let bridge = estate.guarded(&controller, &site).await;
    eventually("the kept one is still the newest", || {
        (site.questions().1 > 0).then_some(())
    })
    .await;
    assert_eq!(bridge.snapshots().version(), 2);
    bridge.stop().await;
}
