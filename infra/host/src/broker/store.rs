//! The SQL of the broker's file.

use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, Transaction, named_params, params};

use super::journal::{Change, Durability, QueuedMessage, Snapshot, StoredMessage, StoredSession};

/// Opens or makes the file.
pub(super) fn open(path: &Path, durability: Durability) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    let synchronous = if durability == Durability::PowerCut {
        "full"
    } else {
        "normal"
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.execute_batch(
        "create table if not exists session (
            client_id text primary key, username text, protocol integer not null, expiry_s integer not null,
            created_at integer not null, disconnected_at integer) without rowid;
         create table if not exists subscription (
            client_id text not null, filter text not null, options text not null,
            primary key (client_id, filter)) without rowid;
         create table if not exists queued (
            id integer primary key, client_id text not null, publisher text not null,
            publisher_username text, topic text not null, payload blob not null, qos integer not null,
            retain integer not null, properties text, created_at integer not null);
         create index if not exists queued_by_client on queued (client_id, id);
         create table if not exists retained (
            topic text primary key, publisher text not null, publisher_username text, payload blob not null,
            qos integer not null, properties text, created_at integer not null, expires_at integer);
         create table if not exists will (
            client_id text primary key, username text, topic text not null, payload blob not null,
            qos integer not null, retain integer not null, properties text, created_at integer not null);",
    )?;
    Ok(connection)
}

/// Makes one change.
pub(super) fn apply(transaction: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    let execute = |sql: &str, params: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<()> {
        transaction.prepare_cached(sql)?.execute(params).map(drop)
    };
    match change {
        Change::Enqueue(rows) => rows.iter().try_for_each(|row| enqueue(transaction, row)),
        Change::Remove(row) => {
            execute("delete from queued where id = ?1", params![row.cast_signed()])
        }
        Change::Session(session) => execute(
            "insert into session (client_id, username, protocol, expiry_s, created_at, disconnected_at)
             values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (client_id) do update set username = excluded.username,
               protocol = excluded.protocol, expiry_s = excluded.expiry_s, disconnected_at = excluded.disconnected_at",
            params![
                session.client_id,
                session.username,
                session.protocol,
                session.expiry_s,
                session.created_at,
                session.disconnected_at
            ],
        ),
        Change::Disconnected(client_id, at) => {
            execute("update session set disconnected_at = ?2 where client_id = ?1", params![client_id, at])
        }
        Change::End(client_id) => {
            execute("delete from session where client_id = ?1", params![client_id])?;
            execute("delete from subscription where client_id = ?1", params![client_id])?;
            execute("delete from queued where client_id = ?1", params![client_id])
        }
        Change::Subscribe(client_id, filter, options) => execute(
            "insert into subscription (client_id, filter, options) values (?1, ?2, ?3)
             on conflict (client_id, filter) do update set options = excluded.options",
            params![client_id, filter, options],
        ),
        Change::Unsubscribe(client_id, filter) => {
            execute("delete from subscription where client_id = ?1 and filter = ?2", params![client_id, filter])
        }
        Change::Retain(message, expires_at) => retain(transaction, message, *expires_at),
        Change::Forget(topic) => execute("delete from retained where topic = ?1", params![topic]),
        Change::Will(message) => will(transaction, message),
        Change::Unwill(client_id) => execute("delete from will where client_id = ?1", params![client_id]),
    }
}

fn enqueue(transaction: &Transaction<'_>, row: &QueuedMessage) -> rusqlite::Result<()> {
    let message = &row.message;
    transaction
        .prepare_cached(
            "insert into queued (id, client_id, publisher, publisher_username, topic, payload, qos, retain,
               properties, created_at)
             values (:id, :client_id, :publisher, :publisher_username, :topic, :payload, :qos, :retain,
               :properties, :created_at)",
        )?
        .execute(named_params! {
            ":id": row.row.cast_signed(), ":client_id": row.client_id, ":publisher": message.publisher,
            ":publisher_username": message.publisher_username, ":topic": message.topic,
            ":payload": message.payload, ":qos": message.qos, ":retain": message.retain,
            ":properties": message.properties, ":created_at": message.created_at,
        })
        .map(drop)
}

fn retain(
    transaction: &Transaction<'_>,
    message: &StoredMessage,
    expires_at: Option<i64>,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "insert or replace into retained (topic, publisher, publisher_username, payload, qos, properties,
               created_at, expires_at)
             values (:topic, :publisher, :publisher_username, :payload, :qos, :properties, :created_at,
               :expires_at)",
        )?
        .execute(named_params! {
            ":topic": message.topic, ":publisher": message.publisher,
            ":publisher_username": message.publisher_username, ":payload": message.payload,
            ":qos": message.qos, ":properties": message.properties, ":created_at": message.created_at,
            ":expires_at": expires_at,
        })
        .map(drop)
}

fn will(transaction: &Transaction<'_>, message: &StoredMessage) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "insert or replace into will (client_id, username, topic, payload, qos, retain, properties,
               created_at)
             values (:client_id, :username, :topic, :payload, :qos, :retain, :properties, :created_at)",
        )?
        .execute(named_params! {
            ":client_id": message.publisher, ":username": message.publisher_username,
            ":topic": message.topic, ":payload": message.payload, ":qos": message.qos,
            ":retain": message.retain, ":properties": message.properties, ":created_at": message.created_at,
        })
        .map(drop)
}

/// Reads everything.
pub(super) fn snapshot(connection: &Connection) -> rusqlite::Result<Snapshot> {
    let mut snapshot = Snapshot {
        retained: retained(connection)?,
        wills: wills(connection)?,
        ..Snapshot::default()
    };
    let mut sessions = connection.prepare(
        "select client_id, username, protocol, expiry_s, created_at, disconnected_at from session",
    )?;
    let rows = sessions.query_map([], |row| {
        Ok(StoredSession {
            client_id: row.get(0)?,
            username: row.get(1)?,
            protocol: row.get(2)?,
            expiry_s: row.get(3)?,
            created_at: row.get(4)?,
            disconnected_at: row.get(5)?,
        })
    })?;
    snapshot.sessions = rows.collect::<rusqlite::Result<_>>()?;
    let mut subscriptions =
        connection.prepare("select client_id, filter, options from subscription")?;
    let rows = subscriptions.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    for row in rows {
        let (client_id, subscription) = row?;
        snapshot
            .subscriptions
            .entry(client_id)
            .or_default()
            .push(subscription);
    }
    for row in queued(connection)? {
        snapshot
            .queued
            .entry(row.client_id.clone())
            .or_default()
            .push(row);
    }
    Ok(snapshot)
}

const QUEUED: &str =
    "select id, client_id, publisher, publisher_username, topic, payload, qos, retain, properties,
    created_at from queued";

fn queued(connection: &Connection) -> rusqlite::Result<Vec<QueuedMessage>> {
    connection
        .prepare(&format!("{QUEUED} order by id"))?
        .query_map([], queued_message)?
        .collect()
}

/// What a subscriber has not acknowledged, in order.
pub(super) fn queued_of(
    connection: &Connection,
    client_id: &str,
) -> rusqlite::Result<Vec<QueuedMessage>> {
    connection
        .prepare_cached(&format!("{QUEUED} where client_id = ?1 order by id"))?
        .query_map(params![client_id], queued_message)?
        .collect()
}

fn queued_message(row: &rusqlite::Row<'_>) -> rusqlite::Result<QueuedMessage> {
    Ok(QueuedMessage {
        row: row.get::<_, i64>(0)?.cast_unsigned(),
        client_id: row.get(1)?,
        message: StoredMessage {
            publisher: row.get(2)?,
            publisher_username: row.get(3)?,
            topic: row.get(4)?,
            payload: row.get(5)?,
            qos: row.get(6)?,
            retain: row.get(7)?,
            properties: row.get(8)?,
            created_at: row.get(9)?,
        },
    })
}

fn retained(connection: &Connection) -> rusqlite::Result<Vec<(StoredMessage, Option<i64>)>> {
    let mut statement = connection.prepare(
        "select publisher, publisher_username, topic, payload, qos, 1, properties, created_at, expires_at
         from retained",
    )?;
    let rows = statement.query_map([], |row| Ok((message(row)?, row.get(8)?)))?;
    rows.collect()
}

fn wills(connection: &Connection) -> rusqlite::Result<Vec<StoredMessage>> {
    let mut statement = connection.prepare(
        "select client_id, username, topic, payload, qos, retain, properties, created_at from will",
    )?;
    let rows = statement.query_map([], message)?;
    rows.collect()
}

fn message(row: &rusqlite::Row<'_>) -> rusqlite::Result<StoredMessage> {
    Ok(StoredMessage {
        publisher: row.get(0)?,
        publisher_username: row.get(1)?,
        topic: row.get(2)?,
        payload: row.get(3)?,
        qos: row.get(4)?,
        retain: row.get(5)?,
        properties: row.get(6)?,
        created_at: row.get(7)?,
    })
}
