//! The SQL of the host's own file: messages in quarantine, and what the MQTT trigger remembers.

use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Kept, Rejected};

/// Opens or makes the file.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.execute_batch(
        "create table if not exists quarantine (
            id integer primary key autoincrement, component text not null, topic text not null,
            payload blob not null, reason text not null, tries integer not null, at integer not null);
         create table if not exists remembered (name text primary key, value text not null) without rowid;",
    )?;
    Ok(connection)
}

/// Adds a message, and drops the oldest above the limit. Returns how many were dropped.
pub(super) fn insert(
    connection: &mut Connection,
    rejected: &Rejected,
    at: i64,
    rows_max: u32,
) -> rusqlite::Result<usize> {
    let transaction = connection.transaction()?;
    transaction
        .prepare_cached(
            "insert into quarantine (component, topic, payload, reason, tries, at)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            &*rejected.component,
            rejected.topic,
            &*rejected.payload,
            rejected.reason,
            rejected.tries,
            at
        ])?;
    let count: u32 =
        transaction.query_row("select count(id) from quarantine", [], |row| row.get(0))?;
    let dropped = transaction
        .prepare_cached(
            "delete from quarantine where id in (select id from quarantine order by id limit ?1)",
        )?
        .execute(params![count.saturating_sub(rows_max)])?;
    transaction.commit()?;
    Ok(dropped)
}

/// The oldest messages after an id.
pub(super) fn list(connection: &Connection, after: i64, limit: u32) -> rusqlite::Result<Vec<Kept>> {
    connection
        .prepare_cached(
            "select id, component, topic, payload, reason, tries, at from quarantine
             where id > ?1 order by id limit ?2",
        )?
        .query_map(params![after, limit], kept)?
        .collect()
}

/// One message.
pub(super) fn get(connection: &Connection, id: i64) -> rusqlite::Result<Option<Kept>> {
    connection
        .prepare_cached(
            "select id, component, topic, payload, reason, tries, at from quarantine where id = ?1",
        )?
        .query_row(params![id], kept)
        .optional()
}

/// Deletes a message. Returns whether it was there.
pub(super) fn delete(connection: &Connection, id: i64) -> rusqlite::Result<bool> {
    Ok(connection
        .prepare_cached("delete from quarantine where id = ?1")?
        .execute(params![id])?
        > 0)
}

/// How many there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("select count(id) from quarantine", [], |row| row.get(0))
}

/// A remembered value.
pub(super) fn remembered(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row(
            "select value from remembered where name = ?1",
            params![name],
            |row| row.get(0),
        )
        .optional()
}

/// Remembers a value.
pub(super) fn remember(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "insert or replace into remembered (name, value) values (?1, ?2)",
            params![name, value],
        )
        .map(drop)
}

fn kept(row: &rusqlite::Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        id: row.get(0)?,
        component: row.get(1)?,
        topic: row.get(2)?,
        payload: row.get(3)?,
        reason: row.get(4)?,
        tries: row.get(5)?,
        at: row.get(6)?,
    })
}
