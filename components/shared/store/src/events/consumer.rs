//! Consumers: each handles the facts of some kinds, one after another, at its own pace.

use std::cell::Cell;

use kernel::{TenantId, Timestamp};

use super::{DRAIN_EVENTS_MAX, PAGE_EVENTS_MAX, Recorded, TRIES_MAX, page};
use crate::{Db, Error, Read, Tx, tx};

/// The longest text of an error that is kept, in characters.
const ERROR_CHARACTERS_MAX: usize = 1_000;

/// The most facts of other kinds that a consumer looks past in one step.
const LOOK_EVENTS_MAX: i64 = 10_000;

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

impl Consumer<'_> {
    /// The kinds as `,a,b,`: a list that both engines can search exactly; nothing for every kind.
    fn list(&self) -> Option<String> {
        let names: String = self.kinds.iter().map(|kind| format!("{kind},")).collect();
        (!names.is_empty()).then(|| format!(",{names}"))
    }
}

/// The most facts of other kinds behind which [`concerns`] looks.
const CONCERN_EVENTS_MAX: i64 = 1_000;

/// Whether facts of the consumer's kinds wait, or so many others that it should move on: who only wants to be up to date
/// spares a transaction over what is none of its business, above all over what it has recorded itself.
///
/// # Errors
/// A failure of the database.
pub async fn concerns(
    db: &impl Read,
    tenant: &TenantId,
    consumer: Consumer<'_>,
) -> anyhow::Result<bool> {
    let head = "select h.seq, coalesce(c.seq, 0) from event_head h
         left join event_cursor c on c.tenant = h.tenant and c.consumer = $1
         where h.tenant = $2 and h.seq > coalesce(c.seq, 0)";
    let place = [consumer.name.into(), tenant.into()];
    let Some(row) = db.row(head, &place).await? else {
        return Ok(false);
    };
    let (head, seen) = (row.integer(0)?, row.integer(1)?);
    let Some(kinds) = consumer.list() else {
        return Ok(true);
    };
    if head - seen > CONCERN_EVENTS_MAX {
        return Ok(true);
    }
    let found = "select seq from event
         where tenant = $1 and seq > $2 and replace($3, ',' || kind || ',', '') <> $3 limit 1";
    let parameters = [tenant.into(), seen.into(), kinds.into()];
    Ok(db.row(found, &parameters).await?.is_some())
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

/// Handles the facts of its kinds after the consumer's cursor one after another, each with the cursor in one
/// transaction, at most [`DRAIN_EVENTS_MAX`]; many facts of other kinds are passed over in one step. It stops at a
/// failing event, so that the next heartbeat tries it again, and goes on past it once it is parked. When it stops at
/// the limit, the doorbell is due once more, so that the rest need not wait for the heartbeat.
///
/// # Errors
/// A failure of the database; a busy or unreachable one does not count as a try of the event.
pub async fn drain<'a, Handle>(
    db: &Db,
    tenant: &TenantId,
    consumer: impl Into<Consumer<'a>>,
    now: Timestamp,
    handle: Handle,
) -> anyhow::Result<Drained>
where
    Handle: AsyncFn(&mut Tx, &Recorded) -> anyhow::Result<()>,
{
    let consumer = consumer.into();
    let kinds = consumer.list();
    let mut drained = Drained::default();
    while drained.handled + drained.parked < DRAIN_EVENTS_MAX {
        let current = Cell::new(None);
        let step = tx(db, tenant, async |tx| {
            let Some(event) = next(tx, consumer.name, kinds.as_deref()).await? else {
                return pass_over(tx, consumer.name, now).await;
            };
            current.set(Some(event.seq));
            handle(tx, &event).await?;
            advance(tx, consumer.name, event.seq, now).await?;
            Ok(Step::Handled)
        })
        .await;
        match (step, current.get()) {
            (Ok(Step::Handled), _) => drained.handled += 1,
            (Ok(Step::PassedOver), _) => {}
            (Ok(Step::AtEnd), _) => return Ok(drained),
            (Err(error), Some(seq)) if !Error::is_transient(&error) => {
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
            (Err(error), _) => return Err(error),
        }
    }
    db.has_news(tenant);
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

/// What one transaction of a consumer came to.
enum Step {
    /// A fact was handled.
    Handled,
    /// Facts of other kinds were passed over.
    PassedOver,
    /// There is nothing more.
    AtEnd,
}

/// The next fact of one of the kinds within [`LOOK_EVENTS_MAX`].
async fn next(tx: &Tx, consumer: &str, kinds: Option<&str>) -> anyhow::Result<Option<Recorded>> {
    let after = cursor(tx, consumer).await?;
    let row = tx
        .row(
            "select seq, id, kind, at, data from event
             where tenant = $1 and seq > $2 and seq <= $3
               and (cast($4 as text) is null or replace($4, ',' || kind || ',', '') <> $4)
             order by seq limit 1",
            &[
                tx.tenant().into(),
                after.into(),
                after.saturating_add(LOOK_EVENTS_MAX).into(),
                kinds.into(),
            ],
        )
        .await?;
    row.as_ref().map(Recorded::from_row).transpose()
}

/// Moves past facts of other kinds, when there are any.
async fn pass_over(tx: &Tx, consumer: &str, now: Timestamp) -> anyhow::Result<Step> {
    let after = cursor(tx, consumer).await?;
    let head = tx
        .row(
            "select seq from event_head where tenant = $1",
            &[tx.tenant().into()],
        )
        .await?;
    let head = head.map_or(Ok(0), |row| row.integer(0))?;
    let to = head.min(after.saturating_add(LOOK_EVENTS_MAX));
    if to <= after {
        return Ok(Step::AtEnd);
    }
    advance(tx, consumer, to, now).await?;
    Ok(if to == head {
        Step::AtEnd
    } else {
        Step::PassedOver
    })
}

/// How far the consumer has come.
async fn cursor(tx: &Tx, consumer: &str) -> anyhow::Result<i64> {
    let row = tx
        .row(
            "select seq from event_cursor where tenant = $1 and consumer = $2",
            &[tx.tenant().into(), consumer.into()],
        )
        .await?;
    row.map_or(Ok(0), |row| row.integer(0))
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
        let kinds = consumer.list();
        let consumer = consumer.name;
        let next = next(tx, consumer, kinds.as_deref()).await?;
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
