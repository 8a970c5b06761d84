//! The spool by itself: what it keeps, what it drops, what it remembers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kernel::{DeviceId, MessageId, OpeningId};
use linli_bridge::clock::Clock;
use linli_bridge::config::SpoolLimits;
use linli_bridge::counters::Counters;
use linli_bridge::spool::{Kind, Outgoing, Spool, Taken};
use linli_bridge::window::Want;
use tempfile::TempDir;

use crate::estate::PATIENCE;

fn message(kind: Kind, number: usize) -> Outgoing {
    Outgoing {
        id: MessageId::parse(&format!("m{number}")).unwrap(),
        topic: "t".into(),
        kind,
        payload: vec![b'x'; 10],
    }
}

fn open(folder: &TempDir, messages_max: u64, run: &str) -> (Spool, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    let limits = SpoolLimits {
        messages_max,
        ..SpoolLimits::default()
    };
    let deadline = Instant::now() + PATIENCE;
    loop {
        match Spool::open(
            folder.path(),
            limits,
            run.into(),
            Clock::manual(1_000_000),
            counters.clone(),
        ) {
            Ok(spool) => return (spool, counters),
            Err(error) if Instant::now() > deadline => panic!("{error:#}"),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

async fn ids(spool: &Spool) -> Vec<String> {
    let all = spool
        .fetch(vec![Want {
            topic: "t".into(),
            after: 0,
            room: 1_000,
        }])
        .await
        .unwrap();
    all.into_iter()
        .map(|stored| stored.message.id.to_string())
        .collect()
}

#[tokio::test]
async fn a_full_spool_drops_the_oldest_occurrences_and_never_an_acknowledgement() {
    let folder = TempDir::new().unwrap();
    let (spool, counters) = open(&folder, 4, "r");
    spool.say(message(Kind::Acknowledgement, 0)).await.unwrap();
    for number in 1..=5 {
        spool.say(message(Kind::Occurrence, number)).await.unwrap();
    }
    assert_eq!(ids(&spool).await, ["m0", "m3", "m4", "m5"]);
    for number in 6..=8 {
        spool
            .say(message(Kind::Acknowledgement, number))
            .await
            .unwrap();
    }
    assert_eq!(ids(&spool).await, ["m0", "m6", "m7", "m8"]);
    assert_eq!(counters.occurrences_dropped.get(), 5);
    spool.say(message(Kind::Occurrence, 9)).await.unwrap();
    assert_eq!(
        ids(&spool).await.len(),
        4,
        "no room for an occurrence among acknowledgements"
    );
    assert_eq!(counters.occurrences_dropped.get(), 6);
}

#[tokio::test]
async fn a_command_is_left_alone_while_there_is_no_room_for_its_answer() {
    let folder = TempDir::new().unwrap();
    let (spool, _) = open(&folder, 1, "r");
    let (door, opening) = (
        DeviceId::parse("d").unwrap(),
        OpeningId::parse("o").unwrap(),
    );
    let soon = Clock::manual(1_000_000).now().plus_millis(5_000);
    spool.say(message(Kind::Acknowledgement, 0)).await.unwrap();
    assert_eq!(
        spool.take(&door, &opening, soon).await.unwrap(),
        Taken::NoRoom
    );
    assert_eq!(
        spool
            .forget(vec![MessageId::parse("m0").unwrap()])
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        spool.take(&door, &opening, soon).await.unwrap(),
        Taken::First
    );
}

#[tokio::test]
async fn a_command_is_first_once_then_running_then_answered_or_interrupted() {
    let folder = TempDir::new().unwrap();
    let (door, other) = (DeviceId::parse("d").unwrap(), DeviceId::parse("e").unwrap());
    let opening = OpeningId::parse("o").unwrap();
    let soon = Clock::manual(1_000_000).now().plus_millis(5_000);
    let (spool, _) = open(&folder, 10, "first run");
    assert_eq!(
        spool.take(&door, &opening, soon).await.unwrap(),
        Taken::First
    );
    assert_eq!(
        spool.take(&door, &opening, soon).await.unwrap(),
        Taken::Running
    );
    assert_eq!(
        spool.take(&other, &opening, soon).await.unwrap(),
        Taken::First,
        "another door's command of the same name"
    );
    spool
        .answer(&door, &opening, message(Kind::Acknowledgement, 1))
        .await
        .unwrap();
    spool
        .forget(vec![MessageId::parse("m1").unwrap()])
        .await
        .unwrap();
    assert_eq!(
        spool.take(&door, &opening, soon).await.unwrap(),
        Taken::Answered
    );
    assert_eq!(
        ids(&spool).await,
        ["m1"],
        "the remembered answer is said again"
    );
    drop(spool);
    let (spool, _) = open(&folder, 10, "second run");
    assert_eq!(
        spool.take(&door, &opening, soon).await.unwrap(),
        Taken::Answered
    );
    assert_eq!(
        spool.take(&other, &opening, soon).await.unwrap(),
        Taken::Interrupted
    );
    assert_eq!(spool.unanswered().await.unwrap(), [(other, opening)]);
}

#[tokio::test]
async fn two_bridges_never_share_a_data_folder() {
    let folder = TempDir::new().unwrap();
    let (_first, _) = open(&folder, 10, "r");
    let refused = Spool::open(
        folder.path(),
        SpoolLimits::default(),
        "r".into(),
        Clock::System,
        Counters::default().into(),
    );
    assert!(format!("{:#}", refused.unwrap_err()).contains("another bridge uses it"));
}

#[tokio::test]
async fn what_was_said_is_there_after_the_file_is_opened_again() {
    let folder = TempDir::new().unwrap();
    let (spool, _) = open(&folder, 1_000, "r");
    let said = (0..300).map(|number| {
        let spool = spool.clone();
        tokio::spawn(async move { spool.say(message(Kind::Occurrence, number)).await.unwrap() })
    });
    for said in said.collect::<Vec<_>>() {
        said.await.unwrap();
    }
    drop(spool);
    let (spool, _) = open(&folder, 1_000, "r");
    assert_eq!(spool.size().await.unwrap(), (300, 3_000));
    spool.say(message(Kind::Occurrence, 7)).await.unwrap();
    assert_eq!(
        spool.size().await.unwrap(),
        (300, 3_000),
        "the same id is the same message"
    );
}
