//! Every SQL statement of the bridge, on one SQLite file: the outbox, the memory of executed commands, and, in
//! `decisions`, the end of the audit.
//!
//! Parameters are `?n`: to SQLite itself `$n` is a name, numbered by its first appearance and not by its digit.

pub mod decisions;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kernel::{DeviceId, MessageId, OpeningId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::spool::{Kind, Outgoing, Stored};

/// The layout this program reads and writes.
const LAYOUT: i64 = 2;
/// How long another process may hold the file.
const BUSY_MAX: Duration = Duration::from_millis(200);

/// What is remembered of a command.
pub struct Remembered {
    /// The run of the bridge that took it.
    pub run: String,
    /// What was answered; none while it is being acted on, or when that was interrupted.
    pub answer: Option<Outgoing>,
}

/// Opens the file and makes sure that nobody else has it.
pub fn open(path: &Path) -> Result<Connection> {
    let db = Connection::open(path).with_context(|| format!("opening {}", path.display()))?;
    db.busy_timeout(BUSY_MAX)?;
    // The lock is taken by the first statement and held: a second bridge on the same folder would act twice.
    db.execute_batch(
        "pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full;
         begin exclusive; commit;",
    )
    .with_context(|| {
        format!(
            "{} cannot be written, or another bridge uses it",
            path.display()
        )
    })?;
    let layout: i64 = db.query_row("select user_version from pragma_user_version", [], |row| {
        row.get(0)
    })?;
    ensure!(
        layout <= LAYOUT,
        "{} was written by a newer bridge (layout {layout}, this one knows {LAYOUT})",
        path.display()
    );
    if layout < 1 {
        db.execute_batch(
            "begin;
             create table outbox (
                 seq integer primary key autoincrement,
                 id text not null unique,
                 topic text not null,
                 kind integer not null check (kind in (0, 1)),
                 payload blob not null
             );
             create index outbox_topic on outbox (topic, seq);
             create index outbox_kind on outbox (kind, seq);
             create table executed (
                 seq integer primary key autoincrement,
                 door text not null,
                 opening text not null,
                 run text not null,
                 expires_at bigint not null,
                 answer_id text,
                 answer_topic text,
                 answer_payload blob,
                 unique (door, opening)
             );
             pragma user_version = 1;
             commit;",
        )
        .context("laying out the spool")?;
    }
    if layout < 2 {
        let tables = decisions::LAYOUT;
        db.execute_batch(&format!("begin; {tables} pragma user_version = 2; commit;"))
            .context("laying out the audit")?;
    }
    Ok(db)
}

/// How many messages the outbox holds, and how many payload bytes.
pub fn outbox_size(db: &Connection) -> Result<(u64, u64)> {
    Ok(db.query_row(
        "select count(*), coalesce(sum(length(payload)), 0) from outbox",
        [],
        |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)),
    )?)
}

/// The topics that have something in the outbox.
pub fn topics(db: &Connection) -> Result<Vec<String>> {
    let mut statement = db.prepare_cached("select distinct topic from outbox order by topic")?;
    let topics = statement
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(topics)
}

/// Puts a message at the end; false when it is there already.
pub fn insert_message(tx: &Transaction<'_>, message: &Outgoing) -> Result<bool> {
    let changed = tx
        .prepare_cached("insert into outbox (id, topic, kind, payload) values (?1, ?2, ?3, ?4) on conflict (id) do nothing")?
        .execute(params![message.id.as_str(), message.topic, kind_number(message.kind), message.payload])?;
    Ok(changed == 1)
}

/// The oldest messages of a topic after `after`, oldest first.
pub fn messages_after(
    db: &Connection,
    topic: &str,
    after: i64,
    limit: usize,
) -> Result<Vec<Stored>> {
    let mut statement = db
        .prepare_cached("select seq, id, topic, kind, payload from outbox where topic = ?1 and seq > ?2 order by seq limit ?3")?;
    let rows = statement.query_map(params![topic, after, limit as i64], stored)?;
    rows.map(|row| Ok(row??)).collect()
}

/// One message, if it is still there.
pub fn message(db: &Connection, seq: i64) -> Result<Option<Stored>> {
    let mut statement =
        db.prepare_cached("select seq, id, topic, kind, payload from outbox where seq = ?1")?;
    let found = statement.query_row(params![seq], stored).optional()?;
    Ok(found.transpose()?)
}

/// Forgets a message; its payload's length when it was there.
pub fn delete_message(tx: &Transaction<'_>, id: &MessageId) -> Result<Option<u64>> {
    let mut statement =
        tx.prepare_cached("delete from outbox where id = ?1 returning length(payload)")?;
    Ok(statement
        .query_row(params![id.as_str()], |row| unsigned(row, 0))
        .optional()?)
}

/// Drops the oldest occurrence; its payload's length, none when there is no occurrence.
pub fn delete_oldest_occurrence(tx: &Transaction<'_>) -> Result<Option<u64>> {
    let mut statement = tx.prepare_cached(
        "delete from outbox where seq = (select min(seq) from outbox where kind = 0) returning length(payload)",
    )?;
    Ok(statement.query_row([], |row| unsigned(row, 0)).optional()?)
}

/// Whether there is an occurrence that could be dropped.
pub fn has_occurrence(db: &Connection) -> Result<bool> {
    Ok(db
        .prepare_cached("select exists (select 1 from outbox where kind = 0)")?
        .query_row([], |row| row.get(0))?)
}

/// What is remembered of a command, if anything.
pub fn remembered(
    tx: &Transaction<'_>,
    door: &DeviceId,
    opening: &OpeningId,
) -> Result<Option<Remembered>> {
    let mut statement = tx.prepare_cached(
        "select run, answer_id, answer_topic, answer_payload from executed where door = ?1 and opening = ?2",
    )?;
    let found = statement.query_row(params![door.as_str(), opening.as_str()], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, Option<String>>(1)?,
            row.get::<_, Option<String>>(2)?,
            row.get::<_, Option<Vec<u8>>>(3)?,
        ))
    });
    let Some((run, id, topic, payload)) = found.optional()? else {
        return Ok(None);
    };
    let answer = match (id, topic, payload) {
        (Some(id), Some(topic), Some(payload)) => Some(Outgoing {
            id: MessageId::parse(&id)?,
            topic,
            kind: Kind::Acknowledgement,
            payload,
        }),
        _ => None,
    };
    Ok(Some(Remembered { run, answer }))
}

/// Writes down that a command is about to be acted on.
pub fn insert_intention(
    tx: &Transaction<'_>,
    door: &DeviceId,
    opening: &OpeningId,
    expires_at: Timestamp,
    run: &str,
) -> Result<()> {
    tx.prepare_cached(
        "insert into executed (door, opening, run, expires_at) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        door.as_str(),
        opening.as_str(),
        run,
        expires_at.millis()
    ])?;
    Ok(())
}

/// Writes down what was answered.
pub fn update_answer(
    tx: &Transaction<'_>,
    door: &DeviceId,
    opening: &OpeningId,
    answer: &Outgoing,
) -> Result<()> {
    tx.prepare_cached(
        "update executed set answer_id = ?3, answer_topic = ?4, answer_payload = ?5 where door = ?1 and opening = ?2",
    )?
    .execute(params![door.as_str(), opening.as_str(), answer.id.as_str(), answer.topic, answer.payload])?;
    Ok(())
}

/// The commands that an earlier run took and never answered.
pub fn unanswered(db: &Connection, run: &str) -> Result<Vec<(DeviceId, OpeningId)>> {
    let mut statement = db.prepare_cached(
        "select door, opening from executed where answer_id is null and run <> ?1 order by seq",
    )?;
    let rows = statement.query_map(params![run], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    rows.map(|row| {
        let (door, opening) = row?;
        Ok((DeviceId::parse(&door)?, OpeningId::parse(&opening)?))
    })
    .collect()
}

/// Forgets answered commands that expired before `before`, but never one of the newest `keep`.
pub fn forget_executed(tx: &Transaction<'_>, before: Timestamp, keep: u64) -> Result<usize> {
    let changed = tx
        .prepare_cached(
            "delete from executed where expires_at < ?1 and answer_id is not null
             and seq <= (select coalesce(max(seq), 0) from executed) - ?2",
        )?
        .execute(params![before.millis(), keep as i64])?;
    Ok(changed)
}

/// A count or a length; SQLite has only signed numbers.
fn unsigned(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column)
        .map(|number| number.unsigned_abs())
}

fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Occurrence => 0,
        Kind::Acknowledgement => 1,
    }
}

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<Stored, kernel::IdError>> {
    let id: String = row.get(1)?;
    let kind = if row.get::<_, i64>(3)? == 1 {
        Kind::Acknowledgement
    } else {
        Kind::Occurrence
    };
    let (seq, topic, payload) = (row.get(0)?, row.get(2)?, row.get(4)?);
    Ok(MessageId::parse(&id).map(|id| Stored {
        seq,
        message: Outgoing {
            id,
            topic,
            kind,
            payload,
        },
    }))
}
