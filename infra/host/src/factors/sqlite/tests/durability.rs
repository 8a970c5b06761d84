//! The log of durable commits, and a process that is killed.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
};

use super::{
    super::log::{Log, SyncFailed},
    *,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_commits_share_their_syncs() {
    let fixture = fixture();
    drop(fixture.with_items().await);
    let before = fixture.database.counters();
    let mut writers = Vec::new();
    for writer in 0..32 {
        let database = Arc::clone(&fixture.database);
        writers.push(tokio::spawn(async move {
            let mut session = database.connect().await.unwrap();
            for number in 0..20 {
                session.ok("begin immediate").await;
                let name = Value::Text(format!("{writer}/{number}"));
                assert!(session.ask("insert into item (name) values ($1)", &[name]).await.end.is_ok());
                session.ok("commit").await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let after = fixture.database.counters();
    let (commits, syncs) = (after.commits - before.commits, after.fsyncs - before.fsyncs);
    assert_eq!(commits, 640);
    assert!(syncs > 0 && syncs * 2 < commits, "{commits} commits, {syncs} syncs");
    assert_eq!(fixture.connect().await.integer("select count(*) from item").await, 640);
}

/// The law of the log: whoever is released had completed before a sync began which has ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_ticket_is_released_before_a_sync_that_began_after_its_commit() {
    // The sync looks for itself which commits had ended when it began; tickets count them.
    static LOG: OnceLock<Arc<Log>> = OnceLock::new();
    static ON_DISK: AtomicU64 = AtomicU64::new(0);
    let (log, thread) = Log::start("test", || {
        let ended = LOG.wait().commits();
        std::thread::sleep(Duration::from_millis(1));
        ON_DISK.store(ended, Ordering::SeqCst);
        Ok(())
    })
    .unwrap();
    assert!(LOG.set(Arc::clone(&log)).is_ok());
    // Commits happen one after another, as SQLite's do; the waits overlap.
    let turn = Arc::new(tokio::sync::Mutex::new(()));
    let mut writers = Vec::new();
    for _ in 0..32 {
        let (log, turn) = (Arc::clone(&log), Arc::clone(&turn));
        writers.push(tokio::spawn(async move {
            for _ in 0..20 {
                let guard = turn.lock().await;
                log.announce();
                let ticket = log.ticket();
                tokio::task::yield_now().await;
                log.complete();
                drop(guard);
                log.durable(ticket).await.unwrap();
                let on_disk = ON_DISK.load(Ordering::SeqCst);
                assert!(on_disk >= ticket, "{ticket} was released when only {on_disk} were on disk");
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(log.commits(), 640);
    assert!(log.syncs() < 640, "{}", log.syncs());
    log.close();
    thread.join().unwrap();
}

/// A read that can see a commit which is not durable yet waits for it: also when it ends in COMMIT or ROLLBACK.
#[tokio::test]
async fn a_reader_waits_for_the_commit_that_it_may_have_seen() {
    let (release, gate) = mpsc::channel::<()>();
    let (log, thread) = Log::start("test", move || gate.recv().map_err(std::io::Error::other)).unwrap();
    log.announce();
    let seen = log.ticket();
    let reader = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.durable(seen).await }
    });
    tokio::task::yield_now().await;
    // The commit is still running: nothing can be synced yet.
    assert_eq!((reader.is_finished(), log.syncs()), (false, 0));
    log.complete();
    tokio::task::yield_now().await;
    assert!(!reader.is_finished());
    release.send(()).unwrap();
    assert_eq!(reader.await.unwrap(), Ok(()));
    assert_eq!(log.durable(seen).await, Ok(()), "what is durable stays so");
    log.close();
    drop(release);
    thread.join().unwrap();
}

#[tokio::test]
async fn after_a_failed_sync_nothing_is_promised_any_more() {
    let (log, thread) = Log::start("test", || Err(std::io::Error::other("the disk is gone"))).unwrap();
    for _ in 0..2 {
        log.announce();
        log.complete();
        assert_eq!(log.durable(log.ticket()).await, Err(SyncFailed));
    }
    assert_eq!(log.syncs(), 1);
    thread.join().unwrap();
}

#[tokio::test]
async fn a_waiter_that_gives_up_disturbs_nobody() {
    let open = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&open);
    let (log, thread) = Log::start("test", move || {
        while !gate.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        Ok(())
    })
    .unwrap();
    log.announce();
    log.complete();
    let ticket = log.ticket();
    assert!(tokio::time::timeout(Duration::from_millis(5), log.durable(ticket)).await.is_err());
    let patient = tokio::spawn({
        let log = Arc::clone(&log);
        async move { log.durable(ticket).await }
    });
    open.store(true, Ordering::SeqCst);
    assert_eq!(patient.await.unwrap(), Ok(()));
    log.close();
    thread.join().unwrap();
}

#[tokio::test]
async fn reading_costs_no_sync_and_rolling_back_neither() {
    let fixture = fixture();
    let mut session = fixture.with_items().await;
    let before = fixture.database.counters();
    session.ok("begin").await;
    assert_eq!(session.integer("select count(*) from item").await, 0);
    session.ok("commit").await;
    session.ok("begin immediate").await;
    session.ok("insert into item (name) values ('a')").await;
    session.ok("rollback").await;
    let after = fixture.database.counters();
    assert_eq!((before.commits, before.fsyncs), (after.commits, after.fsyncs));
}

#[tokio::test]
async fn the_log_is_copied_into_the_database_in_the_background() {
    let fixture = fixture();
    let mut session = fixture.with_items().await;
    eventually("a checkpoint", || fixture.database.counters().checkpoints > 0).await;
    let size = || std::fs::metadata(fixture.folder.path().join("default.db")).unwrap().len();
    eventually("the table stands in the database file", || size() > 4096).await;
    session.ok("insert into item (name) values ('a')").await;
    drop(session);
    drop((fixture.factor, fixture.database));
    let left: Vec<_> = std::fs::read_dir(fixture.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["default.db"], "closed in order: all is in one file");
}

const CHILD: &str = "LINLI_TEST_COMMITTING_CHILD";

/// The test runs itself as a child that acknowledges commits on its standard output, and kills it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_commit_acknowledged_before_a_kill_is_there_afterwards() {
    if let Ok(folder) = std::env::var(CHILD) {
        return commit_for_ever(std::path::Path::new(&folder)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let name = "factors::sqlite::tests::durability::every_commit_acknowledged_before_a_kill_is_there_afterwards";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // A line that the kill has cut off is no acknowledgement.
        if let Some(row) = line.unwrap().strip_prefix("committed ").and_then(|row| row.strip_suffix('.')) {
            acknowledged.push(row.to_owned());
        }
        if acknowledged.len() == 500 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= 500, "{} rows were acknowledged", acknowledged.len());
    let factor = Factor::new(folder.path()).unwrap();
    let mut session = factor.database("default").unwrap().connect().await.unwrap();
    for row in acknowledged {
        let found = session.ask("select 1 from item where name = $1", &[Value::Text(row.clone())]).await;
        assert_eq!(found.rows.len(), 1, "{row} was acknowledged and is lost");
    }
}

async fn commit_for_ever(folder: &std::path::Path) {
    let database = Factor::new(folder).unwrap().database("default").unwrap();
    let mut session = database.connect().await.unwrap();
    session.ok("create table item (id integer primary key, name text unique)").await;
    let mut writers = Vec::new();
    for writer in 0..16 {
        let database = Arc::clone(&database);
        writers.push(tokio::spawn(async move {
            let mut session = database.connect().await.unwrap();
            for number in 0.. {
                let name = format!("{writer}-{number}");
                session.ok("begin immediate").await;
                let insert = "insert into item (name) values ($1)";
                assert!(session.ask(insert, &[Value::Text(name.clone())]).await.end.is_ok());
                session.ok("commit").await;
                println!("committed {name}.");
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
}
