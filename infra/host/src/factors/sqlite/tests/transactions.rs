//! Turns, rollback, and what a guest leaves behind that is dropped.

use std::{future::Future, task::Poll};

use super::*;

#[tokio::test]
async fn a_dropped_guest_leaves_neither_a_transaction_nor_the_turn_nor_a_connection() {
    let fixture = fixture();
    drop(fixture.with_items().await);
    let all = fixture.database.slots_free();
    let mut session = fixture.connect().await;
    session.ok("begin immediate").await;
    session.ok("insert into item (name) values ('lost')").await;
    drop(session);
    assert_eq!((fixture.database.idle(), fixture.database.slots_free()), (1, all));
    let mut next = fixture.connect().await;
    next.ok("BEGIN IMMEDIATE").await;
    assert_eq!(next.integer("select count(*) from item").await, 0);
    next.ok("COMMIT").await;
}

/// A transaction is dropped after its n-th poll, for every n until it finishes: wherever it stood, nothing of it
/// stays, and the next one succeeds at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_may_be_dropped_at_any_await() {
    let fixture = fixture();
    drop(fixture.with_items().await);
    let all = fixture.database.slots_free();
    let mut finished = false;
    for polls in 1..200 {
        // Somebody else writes too, so that there are turns to wait for.
        let rival = tokio::spawn(transaction(Arc::clone(&fixture.database), format!("rival {polls}")));
        let mut ours = Box::pin(transaction(Arc::clone(&fixture.database), format!("ours {polls}")));
        let mut left = polls;
        finished = std::future::poll_fn(|context| match ours.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if left <= 1 => Poll::Ready(false),
            Poll::Pending => {
                left -= 1;
                Poll::Pending
            }
        })
        .await;
        drop(ours);
        rival.await.unwrap();
        assert_eq!(fixture.database.slots_free(), all, "after {polls} polls");
        if finished {
            break;
        }
    }
    assert!(finished, "the transaction never finished");
    let mut session = fixture.connect().await;
    session.ok("begin immediate").await;
    let half = session.integer("select count(*) from (select 1 from item group by substr(name, 3) having count(*) <> 2)");
    assert_eq!(half.await, 0, "a transaction inserts two rows or none");
}

/// Two rows, `1 {name}` and `2 {name}`, in one transaction.
async fn transaction(database: Arc<Database>, name: String) {
    let mut session = database.connect().await.unwrap();
    session.ok("begin immediate").await;
    for number in 1..=2 {
        let name = Value::Text(format!("{number} {name}"));
        assert!(session.ask("insert into item (name) values ($1)", &[name]).await.end.is_ok());
        tokio::task::yield_now().await;
    }
    session.ok("commit").await;
}

#[tokio::test]
async fn a_statement_after_a_violated_constraint_goes_on_in_the_same_transaction() {
    let fixture = fixture();
    let mut session = fixture.with_items().await;
    session.ok("begin immediate").await;
    session.ok("insert into item (name) values ('a')").await;
    assert!(session.refused("insert into item (name) values ('a')").await.contains("UNIQUE"));
    session.ok("insert into item (name) values ('b')").await;
    session.ok("commit").await;
    assert_eq!(session.integer("select count(*) from item").await, 2);
}

#[tokio::test]
async fn writers_take_turns_in_the_order_they_came() {
    let fixture = fixture();
    let mut holder = fixture.with_items().await;
    holder.ok("begin immediate").await;
    let mut waiting = Vec::new();
    for number in 0..20 {
        let database = Arc::clone(&fixture.database);
        // Every way to begin writing queues in the same place.
        let begin = ["BEGIN IMMEDIATE", "  begin exclusive transaction", "select 1"][number % 3];
        waiting.push(tokio::spawn(async move {
            let mut session = database.connect().await.unwrap();
            session.ok(begin).await;
            session.ok(&format!("insert into item (name) values ('{number}')")).await;
            session.ok(if begin == "select 1" { begin } else { "commit" }).await;
        }));
        let before = u64::try_from(number).unwrap();
        eventually("it waits", || fixture.database.counters().busy_waits == before + 1).await;
    }
    holder.ok("commit").await;
    for task in waiting {
        task.await.unwrap();
    }
    let order = holder.ok("select cast(name as integer) from item order by id").await;
    let order: Vec<String> = order.iter().map(|row| format!("{:?}", row[0])).collect();
    let expected: Vec<String> = (0..20).map(|number| format!("{:?}", Value::Integer(number))).collect();
    assert_eq!(order, expected);
}

#[tokio::test]
async fn a_writer_that_waits_too_long_is_told_so_and_may_try_again() {
    let fixture = fixture();
    let (mut holder, mut other) = (fixture.connect().await, fixture.connect().await);
    holder.ok("begin immediate").await;
    assert_eq!(other.refused("begin immediate").await, "database is locked");
    holder.ok("rollback").await;
    other.ok("begin immediate").await;
    other.ok("rollback").await;
}

#[tokio::test]
async fn readers_do_not_wait_for_a_writer() {
    let fixture = fixture();
    let (mut writer, mut reader) = (fixture.with_items().await, fixture.connect().await);
    writer.ok("begin immediate").await;
    writer.ok("insert into item (name) values ('a')").await;
    assert_eq!(reader.integer("select count(*) from item").await, 0);
    writer.ok("commit").await;
    assert_eq!(reader.integer("select count(*) from item").await, 1);
}

#[tokio::test]
async fn a_deferred_transaction_takes_the_turn_with_its_first_write() {
    let fixture = fixture();
    let (mut first, mut second) = (fixture.with_items().await, fixture.connect().await);
    first.ok("begin").await;
    second.ok("begin immediate").await;
    second.ok("commit").await;
    first.ok("insert into item (name) values ('a')").await;
    let database = Arc::clone(&fixture.database);
    let waiting = tokio::spawn(async move {
        second.ok("begin immediate").await;
        second.integer("select count(*) from item").await
    });
    eventually("the second waits", || database.counters().busy_waits == 1).await;
    first.ok("end").await;
    assert_eq!(waiting.await.unwrap(), 1);
}

#[tokio::test]
async fn a_stale_snapshot_is_refused_at_once() {
    let fixture = fixture();
    let (mut first, mut second) = (fixture.with_items().await, fixture.connect().await);
    first.ok("begin").await;
    assert_eq!(first.integer("select count(*) from item").await, 0);
    second.ok("insert into item (name) values ('a')").await;
    let started = Instant::now();
    assert_eq!(first.refused("insert into item (name) values ('b')").await, "database is locked");
    assert!(started.elapsed() < super::super::BUSY_WAIT_MAX / 2);
    first.ok("rollback").await;
    first.ok("insert into item (name) values ('b')").await;
}

#[tokio::test]
async fn a_writer_of_another_process_is_waited_for_without_blocking_the_thread() {
    let fixture = fixture();
    let mut ours = fixture.with_items().await;
    let outside = rusqlite::Connection::open(fixture.folder.path().join("default.db")).unwrap();
    outside.execute_batch("begin immediate; insert into item (name) values ('theirs')").unwrap();
    let database = Arc::clone(&fixture.database);
    let waiting = tokio::spawn(async move {
        ours.ok("begin immediate").await;
        ours.integer("select count(*) from item").await
    });
    // There is one thread: were it blocked, this would not come back.
    eventually("ours waits", || database.counters().busy_waits > 1).await;
    outside.execute_batch("commit").unwrap();
    assert_eq!(waiting.await.unwrap(), 1);
}
