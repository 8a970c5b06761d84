//! The log of facts, and its consumers. The database is the log; a message on MQTT is only the doorbell.
//!
//! An event is appended in the transaction that makes it true. A consumer handles an event and moves its cursor in
//! one transaction, so that each event has its effect once. What a consumer cannot handle is parked after
//! [`TRIES_MAX`] tries and does not hold up the rest.

use std::cell::Cell;

use kernel::{EventId, TenantId, Timestamp};
use wire::event::Event;

use crate::{Batch, Db, Error, Read, Row, Tx, tx};

/// How often an event is tried before it is parked.
pub const TRIES_MAX: i64 = 5;

/// The most events one call of [`drain`] handles; the next call goes on.
pub const DRAIN_EVENTS_MAX: usize = 500;

/// The most events one page holds.
pub const PAGE_EVENTS_MAX: usize = 200;

/// The most tenants one call of [`waiting`] names.
pub const WAITING_TENANTS_MAX: usize = 500;

/// The longest text of an error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 1_000;

/// A fact in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the tenant's log, from 1, without gaps, in the order of commits.
    pub seq: i64,
    /// Made by the capability that recorded it.
    pub id: EventId,
    /// What sort of fact; see [`wire::event`].
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// The fact as JSON.
    pub data: serde_json::Value,
}

impl Recorded {
    /// The fact as its type, or nothing when it is of another kind.
    ///
    /// # Errors
    /// When it is of this kind and cannot be read.
    pub fn read<Fact: Event>(&self) -> anyhow::Result<Option<Fact>> {
        if self.kind != Fact::KIND {
            return Ok(None);
        }
        Ok(Some(serde_json::from_value(self.data.clone())?))
    }

    fn from_row(row: &Row) -> anyhow::Result<Self> {
        Ok(Self {
            seq: row.integer(0)?,
            id: row.id(1)?,
            kind: row.text(2)?.to_owned(),
            at: row.timestamp(3)?,
            data: serde_json::from_str(row.text(4)?)?,
        })
    }
}

/// Appends a fact to the tenant's log and answers its place.
///
/// # Errors
/// A failure of the database; the tenant already has an event of that id.
pub async fn append<Fact: Event>(
    tx: &Tx,
    id: &EventId,
    at: Timestamp,
    fact: &Fact,
) -> anyhow::Result<i64> {
    let next = "insert into event_head (tenant, seq) values ($1, 1)
        on conflict (tenant) do update set seq = event_head.seq + 1
        returning seq";
    let head = tx.row(next, &[tx.tenant().into()]).await?;
    let seq = head
        .ok_or_else(|| anyhow::anyhow!("the event head answered nothing"))?
        .integer(0)?;
    tx.execute(
        "insert into event (tenant, seq, id, kind, at, data) values ($1, $2, $3, $4, $5, $6)",
        &[
            tx.tenant().into(),
            seq.into(),
            id.into(),
            Fact::KIND.into(),
            at.into(),
            serde_json::to_string(fact)?.into(),
        ],
    )
    .await?;
    Ok(seq)
}

/// Appends facts of one kind in their order, with few statements however many they are.
///
/// # Errors
/// As [`append`].
pub async fn append_all<Fact: Event>(
    tx: &Tx,
    at: Timestamp,
    facts: &[(EventId, Fact)],
) -> anyhow::Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(facts.len())?;
    let reserve = "insert into event_head (tenant, seq) values ($1, $2)
        on conflict (tenant) do update set seq = event_head.seq + excluded.seq
        returning seq";
    let head = tx
        .row(reserve, &[tx.tenant().into(), count.into()])
        .await?
        .ok_or_else(|| anyhow::anyhow!("the event head answered nothing"))?
        .integer(0)?;
    let mut rows = Vec::with_capacity(facts.len());
    for (seq, (id, fact)) in (head - count + 1..).zip(facts) {
        rows.push(vec![
            tx.tenant().into(),
            seq.into(),
            id.into(),
            Fact::KIND.into(),
            at.into(),
            serde_json::to_string(fact)?.into(),
        ]);
    }
    tx.insert_many(
        "insert into event (tenant, seq, id, kind, at, data) values ($1, $2, $3, $4, $5, $6)",
        &rows,
    )
    .await
}

/// The facts after that place, oldest first, at most [`PAGE_EVENTS_MAX`].
///
/// # Errors
/// A failure of the database.
pub async fn page(
    db: &impl Read,
    tenant: &TenantId,
    after_seq: i64,
    limit: usize,
) -> anyhow::Result<Vec<Recorded>> {
    let limit = i64::try_from(limit.min(PAGE_EVENTS_MAX))?;
    let rows = db
        .rows(
            "select seq, id, kind, at, data from event where tenant = $1 and seq > $2 order by seq limit $3",
            &[tenant.into(), after_seq.into(), limit.into()],
        )
        .await?;
    rows.iter().map(Recorded::from_row).collect()
}

/// The tenants whose log has facts that the consumer has not handled yet.
///
/// # Errors
/// A failure of the database.
pub async fn waiting(db: &impl Read, consumer: &str) -> anyhow::Result<Vec<TenantId>> {
    let limit = i64::try_from(WAITING_TENANTS_MAX)?;
    let rows = db
        .rows(
            "select h.tenant from event_head h
             left join event_cursor c on c.tenant = h.tenant and c.consumer = $1
             where h.seq > coalesce(c.seq, 0)
             order by h.tenant limit $2",
            &[consumer.into(), limit.into()],
        )
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// What one call of [`drain`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events handled.
    pub handled: usize,
    /// Events set aside after [`TRIES_MAX`] tries.
    pub parked: usize,
    /// Why the last event failed, when the consumer stopped at one; it is tried again by the next call.
    pub failed: Option<String>,
}

/// Handles the facts after the consumer's cursor one after another, each with the cursor in one transaction, at
/// most [`DRAIN_EVENTS_MAX`]. It stops at a failing event, so that the next heartbeat tries it again, and goes on
/// past it once it is parked.
///
/// # Errors
/// A failure of the database; a busy or unreachable one does not count as a try of the event.
pub async fn drain<Handle>(
    db: &Db,
    tenant: &TenantId,
    consumer: &str,
    now: Timestamp,
    handle: Handle,
) -> anyhow::Result<Drained>
where
    Handle: AsyncFn(&mut Tx, &Recorded) -> anyhow::Result<()>,
{
    let mut drained = Drained::default();
    while drained.handled + drained.parked < DRAIN_EVENTS_MAX {
        let current = Cell::new(None);
        let step = tx(db, tenant, async |tx| {
            let Some(event) = next(tx, consumer).await? else {
                return Ok(false);
            };
            current.set(Some(event.seq));
            handle(tx, &event).await?;
            advance(tx, consumer, event.seq, now).await?;
            Ok(true)
        })
        .await;
        match (step, current.get()) {
            (Ok(true), _) => drained.handled += 1,
            (Ok(false), _) => return Ok(drained),
            (Err(error), Some(seq)) if !Error::is_transient(&error) => {
                let cause = shortened(&error);
                match record_failure(db, tenant, consumer, seq, (&cause, now)).await? {
                    Failure::Overtaken => {}
                    Failure::Parked => drained.parked += 1,
                    Failure::Counted => {
                        drained.failed = Some(cause);
                        return Ok(drained);
                    }
                }
            }
            (Err(error), _) => return Err(error),
        }
    }
    Ok(drained)
}

/// An event set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The event's place in the log.
    pub seq: i64,
    /// Why it could not be handled.
    pub error: String,
    /// Since when.
    pub at: Timestamp,
}

/// The consumer's parked events after that place.
///
/// # Errors
/// A failure of the database.
pub async fn parked(
    db: &impl Read,
    tenant: &TenantId,
    consumer: &str,
    after_seq: i64,
) -> anyhow::Result<Vec<Parked>> {
    let limit = i64::try_from(PAGE_EVENTS_MAX)?;
    let rows = db
        .rows(
            "select seq, error, parked_at from event_parked
             where tenant = $1 and consumer = $2 and seq > $3 order by seq limit $4",
            &[
                tenant.into(),
                consumer.into(),
                after_seq.into(),
                limit.into(),
            ],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Parked {
                seq: row.integer(0)?,
                error: row.text(1)?.to_owned(),
                at: row.timestamp(2)?,
            })
        })
        .collect()
}

/// Handles a parked event again; whether there was one. It stays parked when it fails again.
///
/// # Errors
/// The error of `handle`, or a failure of the database.
pub async fn replay<Handle>(
    db: &Db,
    tenant: &TenantId,
    consumer: &str,
    seq: i64,
    handle: Handle,
) -> anyhow::Result<bool>
where
    Handle: AsyncFn(&mut Tx, &Recorded) -> anyhow::Result<()>,
{
    tx(db, tenant, async |tx| {
        let key = [tenant.into(), consumer.into(), seq.into()];
        let unpark = "delete from event_parked where tenant = $1 and consumer = $2 and seq = $3 returning seq";
        if tx.row(unpark, &key).await?.is_none() {
            return Ok(false);
        }
        let found = page(tx, tenant, seq - 1, 1).await?;
        let event = found.first().filter(|event| event.seq == seq);
        handle(tx, event.ok_or_else(|| anyhow::anyhow!("event {seq} is parked and not in the log"))?).await?;
        Ok(true)
    })
    .await
}

/// Starts a consumer behind everything that is already in the logs: nothing before now is handled. Consumers that
/// want the past need no start.
///
/// # Errors
/// A failure of the database.
pub async fn start_at_end(batch: &Batch, consumer: &str, now: Timestamp) -> anyhow::Result<()> {
    batch
        .execute(
            "insert into event_cursor (tenant, consumer, seq, tries, changed_at)
             select tenant, $1, seq, 0, $2 from event_head where true
             on conflict (tenant, consumer) do nothing",
            &[consumer.into(), now.into()],
        )
        .await
}

async fn next(tx: &Tx, consumer: &str) -> anyhow::Result<Option<Recorded>> {
    let row = tx
        .row(
            "select seq, id, kind, at, data from event
             where tenant = $1 and seq > coalesce((select c.seq from event_cursor c where c.tenant = $1 and c.consumer = $2), 0)
             order by seq limit 1",
            &[tx.tenant().into(), consumer.into()],
        )
        .await?;
    row.as_ref().map(Recorded::from_row).transpose()
}

async fn advance(tx: &Tx, consumer: &str, seq: i64, now: Timestamp) -> anyhow::Result<()> {
    tx.execute(
        "insert into event_cursor (tenant, consumer, seq, tries, changed_at) values ($1, $2, $3, 0, $4)
         on conflict (tenant, consumer) do update set seq = excluded.seq, tries = 0, error = null, changed_at = excluded.changed_at",
        &[tx.tenant().into(), consumer.into(), seq.into(), now.into()],
    )
    .await
}

/// What became of an event that failed.
enum Failure {
    /// It will be tried again.
    Counted,
    /// That was the last try.
    Parked,
    /// Another drainer got past it in the meantime.
    Overtaken,
}

/// Counts a failed try, and parks the event after the last one.
async fn record_failure(
    db: &Db,
    tenant: &TenantId,
    consumer: &str,
    seq: i64,
    failure: (&str, Timestamp),
) -> anyhow::Result<Failure> {
    let (cause, now) = failure;
    tx(db, tenant, async |tx| {
        if next(tx, consumer).await?.is_none_or(|event| event.seq != seq) {
            return Ok(Failure::Overtaken);
        }
        let counted = tx
            .row(
                "insert into event_cursor (tenant, consumer, seq, tries, error, changed_at) values ($1, $2, 0, 1, $3, $4)
                 on conflict (tenant, consumer) do update
                 set tries = event_cursor.tries + 1, error = excluded.error, changed_at = excluded.changed_at
                 returning tries",
                &[tenant.into(), consumer.into(), cause.into(), now.into()],
            )
            .await?;
        let tries = counted.ok_or_else(|| anyhow::anyhow!("the cursor answered nothing"))?.integer(0)?;
        if tries < TRIES_MAX {
            return Ok(Failure::Counted);
        }
        tx.execute(
            "insert into event_parked (tenant, consumer, seq, error, parked_at) values ($1, $2, $3, $4, $5)
             on conflict (tenant, consumer, seq) do nothing",
            &[tenant.into(), consumer.into(), seq.into(), cause.into(), now.into()],
        )
        .await?;
        advance(tx, consumer, seq, now).await?;
        Ok(Failure::Parked)
    })
    .await
}

fn shortened(error: &anyhow::Error) -> String {
    format!("{error:#}")
        .chars()
        .take(ERROR_CHARACTERS_MAX)
        .collect()
}
