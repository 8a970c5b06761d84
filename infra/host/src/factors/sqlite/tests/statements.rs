//! What a guest sees of one connection.

use super::*;
use crate::{
    bindings::sqlite::HostConnection,
    factors::{Permissions, sqlite::INLINE_TIME_MAX},
};

/// Counts to ten thousand million: minutes of work that change nothing.
const ENDLESS: &str = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10000000000) select count(*) from n";

#[tokio::test]
async fn every_kind_of_value_comes_back_as_it_went_in() {
    let fixture = fixture();
    let mut session = fixture.with_items().await;
    let values = [
        Value::Integer(i64::MIN),
        Value::Text("门 door \u{0} end".to_owned()),
        Value::Real(-0.1),
        Value::Blob(vec![0, 255, 128]),
    ];
    let insert = "insert into item (id, name, worth, picture) values ($1, $2, $3, $4)";
    assert!(session.ask(insert, &values).await.end.is_ok());
    let answer = session
        .ask(
            "select id, name, worth, picture, null as absent from item",
            &[],
        )
        .await;
    assert_eq!(answer.columns, ["id", "name", "worth", "picture", "absent"]);
    let [row] = answer.rows.as_slice() else {
        panic!("{answer:?}")
    };
    for (found, expected) in row.values.iter().zip(values.iter().chain([&Value::Null])) {
        assert_eq!(format!("{found:?}"), format!("{expected:?}"));
    }
    let empty = session
        .ask(
            "select ?1 is null, length(?2), length(?3)",
            &[
                Value::Null,
                Value::Text(String::new()),
                Value::Blob(Vec::new()),
            ],
        )
        .await;
    assert!(
        matches!(
            empty.rows[0].values[..],
            [Value::Integer(1), Value::Integer(0), Value::Integer(0)]
        ),
        "{empty:?}"
    );
}

#[tokio::test]
async fn every_error_stands_at_the_end_and_the_connection_goes_on() {
    let fixture = fixture();
    let mut session = fixture.with_items().await;
    session.ok("insert into item (name) values ('a')").await;
    assert!(session.refused("selec 1").await.contains("syntax error"));
    assert!(
        session
            .refused("select * from nowhere")
            .await
            .contains("no such table")
    );
    assert!(
        session
            .refused("insert into item (name) values ('a')")
            .await
            .contains("UNIQUE constraint failed")
    );
    assert!(
        session
            .refused("select 1; select 2")
            .await
            .contains("Multiple statements")
    );
    let few = session.ask("select ?1, ?2", &[Value::Integer(1)]).await;
    assert!(matches!(few.end, Err(Error::Io(_))), "{few:?}");
    assert_eq!(session.integer("select count(*) from item").await, 1);
    assert!(session.ask("", &[]).await.rows.is_empty());
}

#[tokio::test]
async fn rows_before_an_error_are_delivered() {
    let fixture = fixture();
    let mut session = fixture.connect().await;
    let answer = session
        .ask(
            "select abs(column1) from (values (1), (-2), (-9223372036854775807 - 1), (4))",
            &[],
        )
        .await;
    assert_eq!(answer.rows.len(), 2, "{answer:?}");
    assert!(
        matches!(&answer.end, Err(Error::Io(reason)) if reason.contains("overflow")),
        "{answer:?}"
    );
    assert_eq!(session.integer("select 7").await, 7);
}

#[tokio::test]
async fn too_large_an_answer_ends_with_an_error() {
    let fixture = fixture();
    let mut session = fixture.connect().await;
    let rows = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100) select zeroblob(1000000) from n";
    let answer = session.ask(rows, &[]).await;
    assert!(
        matches!(&answer.end, Err(Error::Io(reason)) if reason.contains("exceeds limit")),
        "{:?}",
        answer.end
    );
    assert!(answer.rows.len() < 40, "{}", answer.rows.len());
    assert_eq!(session.integer("select 7").await, 7);
}

#[tokio::test]
async fn counts_belong_to_one_guest() {
    let fixture = fixture();
    let mut first = fixture.with_items().await;
    assert_eq!((first.last_insert_rowid(), first.changes()), (0, 0));
    first
        .ok("insert into item (id, name) values (41, 'a'), (42, 'b')")
        .await;
    assert_eq!((first.last_insert_rowid(), first.changes()), (42, 2));
    first.ok("update item set worth = 1 where id = 41").await;
    assert_eq!((first.last_insert_rowid(), first.changes()), (42, 1));
    drop(first);
    assert_eq!(fixture.database.idle(), 1);
    let mut second = fixture.connect().await;
    assert_eq!((second.last_insert_rowid(), second.changes()), (0, 0));
    second.ok("update item set worth = 2").await;
    assert_eq!((second.last_insert_rowid(), second.changes()), (0, 2));
}

#[tokio::test]
async fn what_a_guest_changes_about_its_connection_ends_with_it() {
    let fixture = fixture();
    for change in [
        "pragma foreign_keys = off",
        "create temp table mine (id)",
        "attach ':memory:' as other",
    ] {
        let mut session = fixture.connect().await;
        session.ok(change).await;
        drop(session);
        assert_eq!(fixture.database.idle(), 0, "{change}");
    }
    let mut next = fixture.connect().await;
    assert_eq!(next.integer("pragma foreign_keys").await, 1);
    assert!(
        next.refused("select * from mine")
            .await
            .contains("no such table")
    );
    assert_eq!(
        fixture.database.slots_free(),
        super::super::CONNECTIONS_PER_DATABASE_MAX - 1
    );
}

#[tokio::test]
async fn a_guest_that_only_makes_sure_of_foreign_keys_leaves_its_connection_to_the_next() {
    let fixture = fixture();
    for statement in [
        "pragma foreign_keys = on",
        "PRAGMA Foreign_Keys = 1",
        "pragma user_version",
    ] {
        let mut session = fixture.connect().await;
        session.ok(statement).await;
        drop(session);
        assert_eq!(fixture.database.idle(), 1, "{statement}");
    }
}

#[tokio::test]
async fn what_would_break_durability_or_leave_the_folder_is_refused() {
    let fixture = fixture();
    let mut session = fixture.with_items().await;
    let elsewhere = fixture.folder.path().join("elsewhere.db");
    for statement in [
        "pragma synchronous = off".to_owned(),
        "PRAGMA Journal_Mode = delete".to_owned(),
        "pragma locking_mode = exclusive".to_owned(),
        "pragma wal_checkpoint(truncate)".to_owned(),
        format!("attach '{}' as elsewhere", elsewhere.display()),
        format!("vacuum into '{}'", elsewhere.display()),
    ] {
        let reason = session.refused(&statement).await;
        assert!(
            reason.contains("not authorized") || reason.contains("authorization denied"),
            "{statement}: {reason}"
        );
    }
    assert!(!elsewhere.exists());
    assert_eq!(session.integer("pragma synchronous").await, 1);
    assert_eq!(session.integer("pragma foreign_keys").await, 1);
    let mode = session.ok("pragma journal_mode").await;
    assert!(
        matches!(&mode[0][0], Value::Text(mode) if mode == "wal"),
        "{mode:?}"
    );
}

#[tokio::test]
async fn an_instance_opens_what_its_manifest_names_and_nothing_else() {
    let fixture = fixture();
    let permissions = Permissions {
        sqlite_databases: Arc::from(["default".to_owned()]),
        ..Permissions::default()
    };
    let mut instance = fixture.factor.instance(&permissions);
    let denied = instance.open("other".to_owned()).await.unwrap();
    assert!(matches!(denied, Err(Error::AccessDenied)), "{denied:?}");
    assert!(!fixture.folder.path().join("other.db").exists());
    let connection = instance.open("default".to_owned()).await.unwrap().unwrap();
    let again = wasmtime::component::Resource::new_borrow(connection.rep());
    let answer = instance
        .execute(again, "select 7".to_owned(), Vec::new())
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(answer.rows[0].values[..], [Value::Integer(7)]),
        "{answer:?}"
    );
    drop(instance);
    eventually("the connection is back", || fixture.database.idle() == 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_statement_moves_to_another_thread_and_is_remembered() {
    let fixture = fixture();
    let mut session = fixture.connect().await;
    let slow = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select count(*) from n";
    let started = Instant::now();
    assert_eq!(session.integer(slow).await, 3_000_000);
    assert!(
        started.elapsed() > INLINE_TIME_MAX,
        "this machine is too fast for the test"
    );
    assert!(fixture.database.is_slow(slow));
    assert_eq!(session.integer(slow).await, 3_000_000);
    assert!(!fixture.database.is_slow("select 7"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runaway_statement_ends_with_its_guest() {
    let fixture = fixture();
    let mut session = fixture.connect().await;
    let running = tokio::spawn(async move { session.ask(ENDLESS, &[]).await });
    eventually("it was found to be slow", || {
        fixture.database.is_slow(ENDLESS)
    })
    .await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    let all = super::super::CONNECTIONS_PER_DATABASE_MAX;
    eventually("its connection is free", || {
        fixture.database.slots_free() == all
    })
    .await;
    assert_eq!(
        fixture.database.idle(),
        0,
        "a connection whose statement was cut off is not handed on"
    );
}
