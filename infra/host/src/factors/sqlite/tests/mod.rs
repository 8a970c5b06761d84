//! The interface without the component model: `statements` (what a guest sees), `transactions` (turns, rollback,
//! what a dropped guest leaves behind), `durability` (the log, and a process that is killed).

mod durability;
mod statements;
mod transactions;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{Answer, Database, Factor, Session};
use crate::bindings::sqlite::{Error, Value};

/// The longest a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

struct Fixture {
    database: Arc<Database>,
    factor: Factor,
    folder: TempDir,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let factor = Factor::new(folder.path()).unwrap();
    let database = factor.database("default").unwrap();
    Fixture { database, factor, folder }
}

impl Fixture {
    async fn connect(&self) -> Session {
        self.database.connect().await.unwrap()
    }

    /// A connection to a database with the table `item (id integer primary key, name text unique)`.
    async fn with_items(&self) -> Session {
        let mut session = self.connect().await;
        session.ok("create table item (id integer primary key, name text unique, worth real, picture blob)").await;
        session
    }
}

impl Session {
    async fn ask(&mut self, statement: &str, parameters: &[Value]) -> Answer {
        self.execute(statement.to_owned(), parameters.to_vec()).await
    }

    async fn ok(&mut self, statement: &str) -> Vec<Vec<Value>> {
        let answer = self.ask(statement, &[]).await;
        assert!(answer.end.is_ok(), "{statement}: {:?}", answer.end);
        answer.rows.into_iter().map(|row| row.values).collect()
    }

    async fn integer(&mut self, statement: &str) -> i64 {
        match self.ok(statement).await.as_slice() {
            [row] => match row.as_slice() {
                [Value::Integer(found)] => *found,
                other => panic!("{statement}: {other:?}"),
            },
            other => panic!("{statement}: {other:?}"),
        }
    }

    async fn refused(&mut self, statement: &str) -> String {
        match self.ask(statement, &[]).await.end {
            Err(Error::Io(reason)) => reason,
            other => panic!("{statement}: {other:?}"),
        }
    }
}

/// Looks again until it holds.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
