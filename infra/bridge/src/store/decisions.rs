//! What the gate decided, as far as later decisions and the next entry of the audit need it, and which doors are held
//! open for a fire.

use anyhow::Result;
use kernel::{DeviceId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wire::audit::FIRST_HASH;

use super::unsigned;
use crate::spool::{Asked, Past, Trace};

/// The second layout's tables.
pub const LAYOUT: &str = "create table audit_head (
         only_row integer primary key check (only_row = 1),
         sequence bigint not null,
         hash text not null
     );
     create table decided (
         sequence integer primary key,
         door text not null,
         subject text,
         pass text,
         step bigint,
         allowed integer not null check (allowed in (0, 1)),
         area text not null,
         direction text,
         decided_at bigint not null,
         keep_until bigint not null
     );
     create index decided_subject on decided (subject, decided_at);
     create index decided_pass on decided (pass, step, door);
     create index decided_keep on decided (keep_until);
     create table held (door text primary key);";

/// The last entry's number and hash; before the first there are 0 and zeros.
pub fn audit_head(db: &Connection) -> Result<(u64, String)> {
    let mut statement =
        db.prepare_cached("select sequence, hash from audit_head where only_row = 1")?;
    let head = statement.query_row([], |row| Ok((unsigned(row, 0)?, row.get(1)?)));
    Ok(head.optional()?.unwrap_or((0, FIRST_HASH.to_owned())))
}

/// Another entry is the last one.
pub fn update_audit_head(tx: &Transaction<'_>, sequence: u64, hash: &str) -> Result<()> {
    tx.prepare_cached(
        "insert into audit_head (only_row, sequence, hash) values (1, ?1, ?2)
         on conflict (only_row) do update set sequence = excluded.sequence, hash = excluded.hash",
    )?
    .execute(params![i64::try_from(sequence)?, hash])?;
    Ok(())
}

/// Keeps what later decisions need of this one.
pub fn insert_decided(
    tx: &Transaction<'_>,
    sequence: u64,
    trace: &Trace,
    (allowed, decided_at): (bool, Timestamp),
) -> Result<()> {
    let Asked {
        door,
        subject,
        pass,
        area,
    } = &trace.asked;
    let (pass, step) = pass.as_ref().map_or((None, None), |(pass, step)| {
        (Some(pass.as_str()), Some(*step))
    });
    tx.prepare_cached(
        "insert into decided (sequence, door, subject, pass, step, allowed, area, direction, decided_at, keep_until)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        i64::try_from(sequence)?,
        door.as_str(),
        subject,
        pass,
        step.map(i64::try_from).transpose()?,
        allowed,
        area,
        trace.direction,
        decided_at.millis(),
        trace.keep_until.millis(),
    ])?;
    Ok(())
}

/// What happened before a decision: openings of the same person (or pass) at the door since `hour_ago`, uses of the
/// same step of the pass there, and the way the person went last.
pub fn past(db: &Connection, asked: &Asked, hour_ago: Timestamp) -> Result<Past> {
    let Asked {
        door,
        subject,
        pass,
        area,
    } = asked;
    let mut past = Past::default();
    if let Some(subject) = subject {
        (past.in_hour, past.last_at) = db
            .prepare_cached(
                "select count(*), max(decided_at) from decided
                 where subject = ?1 and door = ?2 and allowed = 1 and decided_at > ?3",
            )?
            .query_row(params![subject, door.as_str(), hour_ago.millis()], |row| {
                Ok((unsigned(row, 0)?, row.get::<_, Option<i64>>(1)?))
            })?;
        past.last_direction = db
            .prepare_cached(
                "select direction from decided
                 where subject = ?1 and area = ?2 and allowed = 1 and direction is not null
                 order by decided_at desc, sequence desc limit 1",
            )?
            .query_row(params![subject, area], |row| row.get(0))
            .optional()?;
    }
    if let Some((pass, step)) = pass {
        past.uses = db
            .prepare_cached(
                "select count(*) from decided where pass = ?1 and step = ?2 and door = ?3 and allowed = 1",
            )?
            .query_row(params![pass.as_str(), i64::try_from(*step)?, door.as_str()], |row| {
                unsigned(row, 0)
            })?;
    }
    Ok(past)
}

/// Forgets decisions that nothing can depend on any more.
pub fn forget_decided(tx: &Transaction<'_>, now: Timestamp) -> Result<usize> {
    let mut statement = tx.prepare_cached("delete from decided where keep_until < ?1")?;
    Ok(statement.execute(params![now.millis()])?)
}

/// A door is held open, or no longer.
pub fn set_held(tx: &Transaction<'_>, door: &DeviceId, held: bool) -> Result<()> {
    let statement = if held {
        "insert into held (door) values (?1) on conflict (door) do nothing"
    } else {
        "delete from held where door = ?1"
    };
    tx.prepare_cached(statement)?
        .execute(params![door.as_str()])?;
    Ok(())
}

/// The doors that are held open.
pub fn held(db: &Connection) -> Result<Vec<DeviceId>> {
    let mut statement = db.prepare_cached("select door from held order by door")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(DeviceId::parse(&row?)?)).collect()
}
