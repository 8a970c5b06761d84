//! A guest's connection for as long as it holds it: runs statements, takes and ends the turn to write, waits
//! until what the guest has learnt is durable, and cleans up after a guest that has gone.
//!
//! # Which thread
//! A statement takes 20 to 80 us, less than handing it to another thread and back costs on a busy machine, so it
//! runs where the guest runs. One that takes longer than [`INLINE_TIME_MAX`] is interrupted, if that undoes
//! nothing but itself, run again on a thread for blocking work, and remembered, so that the next time it goes there
//! at once. A write inside a transaction cannot be interrupted without losing the transaction: it may finish,
//! up to [`STATEMENT_TIME_MAX`], and is remembered too.
//!
//! # Where it may be dropped
//! At every await. Nothing is in progress while it waits for a turn, for another process or for the disk; and
//! while a statement runs elsewhere, the lease is with it: it is told to stop, and cleans up there.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{
    CachedStatement, ErrorCode, ToSql, ffi,
    types::{ToSqlOutput, ValueRef},
};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    BUSY_WAIT_MAX, INLINE_TIME_MAX, RESULT_BYTES_MAX, STATEMENT_TIME_MAX,
    connection::{Prepared, Watch},
    database::{Database, Turn},
};
use crate::bindings::sqlite::{Error, RowResult, Value};

/// The first wait for another process that has locked the database; doubled each time.
const BUSY_PAUSE_MIN: Duration = Duration::from_millis(1);
/// The longest wait between two tries.
const BUSY_PAUSE_MAX: Duration = Duration::from_millis(50);

/// What a statement has led to.
#[derive(Debug)]
pub struct Answer {
    /// The names of the columns; none when the statement could not be prepared.
    pub columns: Vec<String>,
    /// The rows read before the end.
    pub rows: Vec<RowResult>,
    /// How it ended.
    pub end: Result<(), Error>,
}

/// A guest's connection to a database.
pub struct Session {
    /// None after the guest gave up waiting for a statement that ran on another thread.
    lease: Option<Lease>,
}

/// A connection of the pool, lent.
struct Lease {
    /// None only while it is being returned.
    prepared: Option<Prepared>,
    turn: Option<Turn>,
    slot: Option<OwnedSemaphorePermit>,
    /// SQLite counts over the life of a connection; this is where our guest began.
    changes_before: u64,
    database: Arc<Database>,
}

struct Question {
    statement: String,
    parameters: Vec<Value>,
}

enum Step {
    /// The statement has ended. When it left no transaction open: the ticket to wait for.
    Done(Answer, Option<u64>),
    /// It would write, and it is not our turn. Nothing was done.
    NeedsTurn,
    /// Another process has locked the database. Nothing was done.
    Busy(Answer),
    /// It was stopped because it took too long for this thread. Nothing was done.
    TooSlow,
}

impl Session {
    pub(super) fn new(prepared: Prepared, database: Arc<Database>, slot: OwnedSemaphorePermit) -> Self {
        let changes_before = prepared.connection.total_changes();
        let lease = Lease { prepared: Some(prepared), turn: None, slot: Some(slot), changes_before, database };
        Self { lease: Some(lease) }
    }

    /// Runs the first (and only) statement of a text. What went wrong stands in [`Answer::end`].
    pub async fn execute(&mut self, statement: String, parameters: Vec<Value>) -> Answer {
        let Some(database) = self.lease.as_ref().map(|lease| Arc::clone(&lease.database)) else {
            return Answer::failed(Error::InvalidConnection);
        };
        database.count_statement();
        let question = Question { statement, parameters };
        let (answer, ticket) = self.run(&database, question).await;
        if let Some(ticket) = ticket
            && database.log().durable(ticket).await.is_err()
        {
            return Answer::failed(Error::Io("the disk failed: the transaction may be lost".to_owned()));
        }
        answer
    }

    /// The row id of this guest's last INSERT; 0 before the first one.
    #[must_use]
    pub fn last_insert_rowid(&self) -> i64 {
        match self.lease.as_ref().and_then(|lease| lease.prepared.as_ref()) {
            Some(prepared) if prepared.watch.has_inserted() => prepared.connection.last_insert_rowid(),
            _ => 0,
        }
    }

    /// How many rows this guest's last INSERT, UPDATE or DELETE has changed; 0 before the first one.
    #[must_use]
    pub fn changes(&self) -> u64 {
        let Some(lease) = &self.lease else { return 0 };
        match &lease.prepared {
            Some(prepared) if prepared.connection.total_changes() != lease.changes_before => {
                prepared.connection.changes()
            }
            _ => 0,
        }
    }

    async fn run(&mut self, database: &Database, mut question: Question) -> (Answer, Option<u64>) {
        let started = Instant::now();
        let mut pause = BUSY_PAUSE_MIN;
        let mut aside = database.is_slow(&question.statement);
        loop {
            let step = if aside {
                self.run_aside(&mut question).await
            } else {
                self.run_here(&question)
            };
            match step {
                Step::Done(answer, ticket) => return (answer, ticket),
                Step::TooSlow => aside = true,
                Step::NeedsTurn => match (database.take_turn().await, &mut self.lease) {
                    (Some(turn), Some(lease)) => lease.turn = Some(turn),
                    // SQLite's own words, as a guest on Spin would see them.
                    _ => return (Answer::failed(Error::Io("database is locked".to_owned())), None),
                },
                Step::Busy(answer) => {
                    if started.elapsed() >= BUSY_WAIT_MAX {
                        self.end_turn();
                        return (answer, None);
                    }
                    database.count_busy_wait();
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BUSY_PAUSE_MAX);
                }
            }
        }
    }

    fn run_here(&mut self, question: &Question) -> Step {
        match &mut self.lease {
            Some(lease) => lease.run(question, INLINE_TIME_MAX),
            None => Step::Done(Answer::failed(Error::InvalidConnection), None),
        }
    }

    /// Runs it on a thread for blocking work. Dropped meanwhile, it stops and the connection cleans itself up.
    async fn run_aside(&mut self, question: &mut Question) -> Step {
        let lost = || Step::Done(Answer::failed(Error::InvalidConnection), None);
        let Some(mut lease) = self.lease.take() else { return lost() };
        let Some(stop) = lease.prepared.as_ref().map(|prepared| StopOnDrop(Some(Arc::clone(&prepared.watch)))) else {
            return lost();
        };
        let moved = std::mem::replace(question, Question { statement: String::new(), parameters: Vec::new() });
        let running = tokio::task::spawn_blocking(move || {
            let step = lease.run(&moved, STATEMENT_TIME_MAX);
            (lease, moved, step)
        });
        match running.await {
            Ok((lease, moved, step)) => {
                stop.disarm();
                self.lease = Some(lease);
                *question = moved;
                step
            }
            Err(error) => {
                tracing::error!(%error, "a statement's thread has failed");
                lost()
            }
        }
    }

    /// Gives the turn on if no transaction needs it.
    fn end_turn(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.end_turn_outside_transaction();
        }
    }
}

impl Lease {
    /// Runs a statement on this thread, for at most `limit` if it can be stopped without a loss.
    fn run(&mut self, question: &Question, limit: Duration) -> Step {
        let Some(prepared) = &self.prepared else {
            return Step::Done(Answer::failed(Error::InvalidConnection), None);
        };
        if prepared.watch.is_cancelled() {
            return Step::Done(Answer::failed(Error::InvalidConnection), None);
        }
        let connection = &prepared.connection;
        let mut restartable = connection.is_autocommit();
        let started = Instant::now();
        let mut answer = match connection.prepare_cached(&question.statement) {
            Ok(mut statement) => {
                // True for all that cannot write, BEGIN and COMMIT included; false for BEGIN IMMEDIATE.
                let reads = statement.readonly();
                if !reads && self.turn.is_none() {
                    return Step::NeedsTurn;
                }
                restartable |= reads;
                prepared.watch.allow(if restartable { limit } else { STATEMENT_TIME_MAX });
                read(&mut statement, &question.parameters)
            }
            Err(error) => Err(Stopped { answer: Answer::failed(Error::Io(error.to_string())), cause: None }),
        };
        if started.elapsed() > INLINE_TIME_MAX {
            self.database.remember_slow(&question.statement);
        }
        if prepared.watch.take_announced() {
            self.database.log().complete();
        }
        let cause = answer.as_ref().err().and_then(|stopped| stopped.cause);
        let stopped_early = cause.is_some_and(|cause| cause.code == ErrorCode::OperationInterrupted);
        if stopped_early && restartable && limit < STATEMENT_TIME_MAX && !prepared.watch.is_cancelled() {
            return Step::TooSlow;
        }
        if stopped_early && let Err(stopped) = &mut answer {
            stopped.answer.end = Err(Error::Io(format!("the statement ran longer than {STATEMENT_TIME_MAX:?}")));
        }
        let answer = answer.unwrap_or_else(|stopped| stopped.answer);
        // With a stale snapshot no waiting helps: the guest must begin again.
        let locked = cause.is_some_and(|cause| {
            cause.code == ErrorCode::DatabaseBusy && cause.extended_code != ffi::SQLITE_BUSY_SNAPSHOT
        });
        if locked && answer.rows.is_empty() {
            return Step::Busy(answer);
        }
        // The ticket is read before the turn ends: a later writer's commit need not be waited for.
        let ticket = self.is_free().then(|| self.database.log().ticket());
        self.end_turn_outside_transaction();
        Step::Done(answer, ticket)
    }

    fn is_free(&self) -> bool {
        self.prepared.as_ref().is_none_or(|prepared| prepared.connection.is_autocommit())
    }

    fn end_turn_outside_transaction(&mut self) {
        if self.is_free() {
            self.turn = None;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let (Some(prepared), Some(slot)) = (self.prepared.take(), self.slot.take()) else { return };
        if !prepared.connection.is_autocommit() {
            prepared.watch.allow(STATEMENT_TIME_MAX);
            if let Err(error) = prepared.connection.execute_batch("rollback") {
                // It is not handed on; closing it rolls back.
                tracing::warn!(%error, "an abandoned transaction could not be rolled back");
            }
        }
        self.database.take_back(prepared, slot);
        self.turn = None;
    }
}

/// Tells a statement on another thread that nobody waits for it any more.
struct StopOnDrop(Option<Arc<Watch>>);

impl StopOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(watch) = &self.0 {
            watch.cancel();
        }
    }
}

impl Answer {
    fn failed(error: Error) -> Self {
        Self { columns: Vec::new(), rows: Vec::new(), end: Err(error) }
    }
}

/// A statement that has failed: what it gave until then, and SQLite's reason.
struct Stopped {
    answer: Answer,
    cause: Option<ffi::Error>,
}

fn read(statement: &mut CachedStatement<'_>, parameters: &[Value]) -> Result<Answer, Stopped> {
    let columns = statement.column_names().into_iter().map(str::to_owned).collect();
    let mut answer = Answer { columns, rows: Vec::new(), end: Ok(()) };
    match read_rows(statement, parameters, &mut answer.rows) {
        Ok(()) => Ok(answer),
        Err((error, cause)) => {
            answer.end = Err(error);
            Err(Stopped { answer, cause })
        }
    }
}

fn read_rows(
    statement: &mut CachedStatement<'_>,
    parameters: &[Value],
    into: &mut Vec<RowResult>,
) -> Result<(), (Error, Option<ffi::Error>)> {
    let failed = |error: rusqlite::Error| (Error::Io(error.to_string()), error.sqlite_error().copied());
    let width = statement.column_count();
    let bound = rusqlite::params_from_iter(parameters.iter().map(Parameter));
    let mut rows = statement.query(bound).map_err(failed)?;
    let mut bytes = 0_usize;
    while let Some(row) = rows.next().map_err(failed)? {
        let mut values = Vec::with_capacity(width);
        for column in 0..width {
            let value = value(row.get_ref(column).map_err(failed)?).map_err(|error| (error, None))?;
            bytes += size(&value);
            values.push(value);
        }
        if bytes > RESULT_BYTES_MAX {
            let error = format!("query result exceeds limit of {RESULT_BYTES_MAX} bytes");
            return Err((Error::Io(error), None));
        }
        into.push(RowResult { values });
    }
    Ok(())
}

struct Parameter<'a>(&'a Value);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Integer(value) => ValueRef::Integer(*value),
            Value::Real(value) => ValueRef::Real(*value),
            Value::Text(value) => ValueRef::Text(value.as_bytes()),
            Value::Blob(value) => ValueRef::Blob(value),
            Value::Null => ValueRef::Null,
        }))
    }
}

fn value(found: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Integer(value),
        ValueRef::Real(value) => Value::Real(value),
        ValueRef::Blob(value) => Value::Blob(value.to_vec()),
        ValueRef::Text(value) => match std::str::from_utf8(value) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => return Err(Error::Io("a text in the database is not UTF-8: cast it to a blob".to_owned())),
        },
    })
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}
