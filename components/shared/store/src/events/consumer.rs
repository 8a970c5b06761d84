//! Consumers: each handles the facts of some kinds, one after another, at its own pace.

use std::cell::Cell;

use kernel::{TenantId, Timestamp};

use super::reading::{cursor, following, next, places};
use super::{DRAIN_EVENTS_MAX, PAGE_EVENTS_MAX, Recorded, TRIES_MAX, is_waiting, page};
use crate::{Db, Error, Read, Tx, Value, tx};

/// The longest text of an error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 1_000;

/// The most facts that one transaction of a consumer handles: they share its commit, and others wait for it.
const BATCH_EVENTS_MAX: usize = 32;

/// Who consumes, and what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumer<'a> {
    /// Its name, under which its place in the log is kept.
    pub name: &'a str,
    /// The kinds of facts that it handles, as [`wire::event::Event::KIND`] says; others are passed over. None: all.
    pub kinds: &'a [&'a str],
}

impl<'a> From<&'a str> for Consumer<'a> {
    /// A consumer of every kind.
    fn from(name: &'a str) -> Self {
        Self { name, kinds: &[] }
    }
}

/// Whether facts of the consumer's kinds wait: one statement, whatever else stands in the log. Who is woken, or only
/// wants to be up to date, spares a transaction over what is none of its business; the heartbeat moves its place.
///
/// # Errors
/// A failure of the database.
pub async fn concerns(
    db: &impl Read,
    tenant: &TenantId,
    consumer: Consumer<'_>,
) -> anyhow::Result<bool> {
    if consumer.kinds.is_empty() {
        return is_waiting(db, tenant, consumer.name).await;
    }
    let places: Vec<String> = (3..consumer.kinds.len() + 3)
        .map(|place| format!("${place}"))
        .collect();
    let found = "select e.seq from event e
         where e.tenant = $1 and e.kind in ($3)
           and e.seq > coalesce((select c.seq from event_cursor c where c.tenant = $1 and c.consumer = $2), 0)
         limit 1"
        .replace("$3", &places.join(", "));
    let mut parameters = vec![tenant.into(), consumer.name.into()];
    parameters.extend(consumer.kinds.iter().map(|kind| Value::from(*kind)));
    Ok(db.row(&found, &parameters).await?.is_some())
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

impl Drained {
    /// Whether it stopped at its limit, and more may wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.handled + self.parked >= DRAIN_EVENTS_MAX
    }
}

impl std::ops::AddAssign for Drained {
    /// What two calls did, for two tenants for example.
    fn add_assign(&mut self, other: Self) {
        self.handled += other.handled;
        self.parked += other.parked;
        self.failed = other.failed.or(self.failed.take());
    }
}

/// Handles the facts of its kinds after the consumer's cursor, one after another. It stops at a failing one, which the
/// next heartbeat tries again, and goes on past it once it is parked; or after [`DRAIN_EVENTS_MAX`], and the doorbell is
/// due once more, so that the rest need not wait for the heartbeat.
///
/// # Errors
/// A failure of the database; a busy or unreachable one does not count as a try of the event.
pub async fn drain<'a>(
    db: &Db,
    tenant: &TenantId,
    consumer: impl Into<Consumer<'a>>,
    now: Timestamp,
    handle: impl AsyncFn(&mut Tx, &Recorded) -> anyhow::Result<()>,
) -> anyhow::Result<Drained> {
    drain_batches(db, tenant, consumer, now, async |tx, batch| {
        for (handled, event) in batch.events.iter().enumerate() {
            batch.reached.set((handled, Some(event.seq)));
            handle(tx, event).await?;
        }
        Ok(())
    })
    .await
}

/// Facts that are handled in one transaction, which also moves the consumer's cursor.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The facts, in their order; at least one.
    pub events: &'a [Recorded],
    /// How many were handled, and at which one it is.
    reached: &'a Cell<(usize, Option<i64>)>,
}

/// As [`drain`], for who handles several facts with fewer statements than one after another; where that fails, each is
/// handed over by itself.
///
/// # Errors
/// As [`drain`].
pub async fn drain_batches<'a>(
    db: &Db,
    tenant: &TenantId,
    consumer: impl Into<Consumer<'a>>,
    now: Timestamp,
    handle: impl AsyncFn(&mut Tx, &Facts<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Drained> {
    let consumer = consumer.into();
    let mut drained = Drained::default();
    let mut batch = BATCH_EVENTS_MAX;
    loop {
        let left = DRAIN_EVENTS_MAX.saturating_sub(drained.handled + drained.parked);
        if left == 0 {
            db.has_news(tenant);
            return Ok(drained);
        }
        let reached = Cell::new((0, None));
        let step = tx(db, tenant, async |tx| {
            // Boxed, so that what handles facts does not make each of its callers a larger type.
            Box::pin(some(
                tx,
                (consumer, batch.min(left), now),
                &reached,
                &handle,
            ))
            .await
        })
        .await;
        match (step, reached.get()) {
            (Ok(is_end), (handled, _)) => {
                drained.handled += handled;
                if is_end {
                    return Ok(drained);
                }
            }
            (Err(error), (0, Some(seq))) if !Error::is_transient(&error) => {
                let cause = shortened(&error);
                match record_failure(db, tenant, (&consumer, seq), (&cause, now)).await? {
                    Failure::Overtaken => {}
                    Failure::Parked => drained.parked += 1,
                    Failure::Counted => {
                        drained.failed = Some(cause);
                        return Ok(drained);
                    }
                }
            }
            // What came before it took no effect either: from here on each is handled by itself.
            (Err(error), (_, Some(_))) if !Error::is_transient(&error) => batch = 1,
            (Err(error), _) => return Err(error),
        }
    }
}

/// Handles at most so many facts and moves the cursor; whether that was all. `reached` says how many were handled, and
/// at which one it is.
async fn some<Handle>(
    tx: &mut Tx,
    (consumer, most, now): (Consumer<'_>, usize, Timestamp),
    reached: &Cell<(usize, Option<i64>)>,
    handle: &Handle,
) -> anyhow::Result<bool>
where
    Handle: AsyncFn(&mut Tx, &Facts<'_>) -> anyhow::Result<()>,
{
    reached.set((0, None));
    let (from, head) = places(tx, consumer.name).await?;
    let (events, mut place) = following(tx, consumer, (from, head), most).await?;
    if let Some(first) = events.first() {
        // Which of several failed is known once each is handed over by itself.
        reached.set((events.len() - 1, Some(first.seq)));
        let events = &events;
        handle(tx, &Facts { events, reached }).await?;
    }
    reached.set((events.len(), None));
    let mut is_end = events.len() < most && place == head;
    if let Some((last, concerns)) = tx.appended().last(consumer.kinds)
        && is_end
    {
        // What was appended meanwhile is passed over, unless the consumer hears of it.
        match concerns {
            true => is_end = false,
            false => place = last,
        }
    }
    if place > from {
        advance(tx, consumer.name, place, now).await?;
    }
    Ok(is_end)
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
    (consumer, seq): (&Consumer<'_>, i64),
    failure: (&str, Timestamp),
) -> anyhow::Result<Failure> {
    let (cause, now) = failure;
    tx(db, tenant, async |tx| {
        let after = cursor(tx, consumer.name).await?;
        let next = next(tx, *consumer, after).await?;
        let consumer = consumer.name;
        if next.is_none_or(|event| event.seq != seq) {
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
