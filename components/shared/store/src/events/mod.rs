//! The log of facts, and its consumers. The database is the log; a message on MQTT is only the doorbell.
//!
//! An event is appended in the transaction that makes it true. A consumer handles an event and moves its cursor in
//! one transaction, so that each event has its effect once. What a consumer cannot handle is parked after
//! [`TRIES_MAX`] tries and does not hold up the rest.

mod consumer;
mod reading;

use kernel::{EventId, TenantId, Timestamp};
use wire::event::Event;

pub use consumer::{
    Consumer, Drained, Facts, Parked, concerns, drain, drain_batches, parked, replay,
};

use crate::news::Awaited;
use crate::{Batch, INSERT_ROWS_MAX, Read, Row, Tx};

/// How often an event is tried before it is parked.
pub const TRIES_MAX: i64 = 5;

/// The most events one call of [`drain`] handles; the next call goes on.
pub const DRAIN_EVENTS_MAX: usize = 500;

/// The most events one page holds.
pub const PAGE_EVENTS_MAX: usize = 200;

/// The most tenants one call of [`waiting`] names.
pub const WAITING_TENANTS_MAX: usize = 500;

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

/// Adds facts behind the last one, the first of them with 1 in its second place. The log has no gaps and the tenant's
/// lock is held, so that the place of the last one says where the next ones stand. PostgreSQL takes the values of a list
/// for text until they are cast.
const APPEND: &str = "insert into event (tenant, seq, id, kind, at, data)
    select n.column1,
        coalesce((select max(e.seq) from event e where e.tenant = n.column1), 0) + cast(n.column2 as bigint),
        n.column3, n.column4, cast(n.column5 as bigint), n.column6
    from (values ($1, $2, $3, $4, $5, $6)) as n
    returning seq";

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
    add(tx, at, &[Draft::of(id.clone(), fact)?]).await
}

/// A fact on its way into the log, of whatever kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    id: EventId,
    kind: &'static str,
    awaited: Awaited,
    data: String,
}

impl Draft {
    /// That fact, under that id.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn of<Fact: Event>(id: EventId, fact: &Fact) -> anyhow::Result<Self> {
        Ok(Self {
            id,
            kind: Fact::KIND,
            awaited: match Fact::AWAITED {
                true => Awaited::AtOnce,
                false => Awaited::Not,
            },
            data: serde_json::to_string(fact)?,
        })
    }

    /// The fact, of which nobody needs to hear at once: whoever asks for what follows from it takes it in first. So that
    /// many of them do not wait long for each other, the doorbell is rung for them now and then.
    #[must_use]
    pub fn soon(mut self) -> Self {
        if self.awaited == Awaited::AtOnce {
            self.awaited = Awaited::Soon;
        }
        self
    }
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
    let drafts: anyhow::Result<Vec<Draft>> = facts
        .iter()
        .map(|(id, fact)| Draft::of(id.clone(), fact))
        .collect();
    append_drafts(tx, at, drafts?).await
}

/// As [`append_all`], for facts of several kinds.
///
/// # Errors
/// As [`append`].
pub async fn append_drafts(tx: &Tx, at: Timestamp, drafts: Vec<Draft>) -> anyhow::Result<()> {
    for chunk in drafts.chunks(INSERT_ROWS_MAX) {
        add(tx, at, chunk).await?;
    }
    Ok(())
}

/// Adds at most [`INSERT_ROWS_MAX`] facts with one statement; the place of the last one.
async fn add(tx: &Tx, at: Timestamp, drafts: &[Draft]) -> anyhow::Result<i64> {
    let row = |(place, draft): (i64, &Draft)| {
        vec![
            tx.tenant().into(),
            place.to_string().into(),
            (&draft.id).into(),
            draft.kind.into(),
            at.millis().to_string().into(),
            draft.data.as_str().into(),
        ]
    };
    let rows: Vec<_> = (1..).zip(drafts).map(row).collect();
    let mut last = 0;
    for row in tx.insert_many_rows(APPEND, &rows).await? {
        last = last.max(row.integer(0)?);
    }
    let count = i64::try_from(drafts.len())?;
    anyhow::ensure!(last >= count, "the log answered no place");
    if last == count {
        // The tenant's first: from now on it is known to have a log, and can be locked. Where the log ends says the log.
        let known =
            "insert into event_head (tenant, seq) values ($1, 0) on conflict (tenant) do nothing";
        tx.execute(known, &[tx.tenant().into()]).await?;
    }
    for draft in drafts {
        tx.appended().add((draft.kind, last), draft.awaited);
    }
    Ok(last)
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
             where coalesce((select max(e.seq) from event e where e.tenant = h.tenant), 0) > coalesce(c.seq, 0)
             order by h.tenant limit $2",
            &[consumer.into(), limit.into()],
        )
        .await?;
    rows.iter().map(|row| row.id(0)).collect()
}

/// Whether the tenant's log has facts that the consumer has not handled yet.
///
/// # Errors
/// A failure of the database.
pub async fn is_waiting(db: &impl Read, tenant: &TenantId, consumer: &str) -> anyhow::Result<bool> {
    let row = db
        .row(
            "select e.seq from event e
             where e.tenant = $2
               and e.seq > coalesce((select c.seq from event_cursor c where c.tenant = $2 and c.consumer = $1), 0)
             limit 1",
            &[consumer.into(), tenant.into()],
        )
        .await?;
    Ok(row.is_some())
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
             select h.tenant, $1, coalesce((select max(e.seq) from event e where e.tenant = h.tenant), 0), 0, $2
             from event_head h where true
             on conflict (tenant, consumer) do nothing",
            &[consumer.into(), now.into()],
        )
        .await
}
