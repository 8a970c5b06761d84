//! What was reconciled, what did not agree, and what waits for the next day.

use anyhow::Context as _;
use kernel::{TenantId, Timestamp};
use store::{Read, Row, Tx};

use crate::domain::{Channel, Entry, Mistake, MistakeKind, Movement, Settled};
use crate::rows::{channel, read_entry};

statements! {
    RECONCILIATION = "select channel, day, run, run_at, theirs, ours, matched, carried, mistakes, bank, fees
        from payments_reconciliation where tenant = $1 and channel = $2 and day = $3";

    RECONCILIATIONS = "select channel, day, run, run_at, theirs, ours, matched, carried, mistakes, bank, fees
        from payments_reconciliation
        where tenant = $1 and (cast($2 as text) is null or day || '/' || channel < $2)
        order by day || '/' || channel desc limit $3";

    PUT_RECONCILIATION = "insert into payments_reconciliation
            (tenant, channel, day, run, run_at, theirs, ours, matched, carried, mistakes, bank, fees)
        values ($1, $2, $3, 1, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (tenant, channel, day) do update
        set run = payments_reconciliation.run + 1, run_at = excluded.run_at, theirs = excluded.theirs,
            ours = excluded.ours, matched = excluded.matched, carried = excluded.carried, mistakes = excluded.mistakes,
            bank = excluded.bank, fees = excluded.fees
        returning run";

    FORGET_MISTAKES = "delete from payments_mistake where tenant = $1 and channel = $2 and day = $3";

    PUT_MISTAKES = "insert into payments_mistake (tenant, channel, day, number, kind, movement, ours, theirs)
        values ($1, $2, $3, $4, $5, $6, $7, $8)
        on conflict (tenant, channel, day, number, kind) do nothing";

    MISTAKES = "select kind, number, movement, ours, theirs from payments_mistake
        where tenant = $1 and channel = $2 and day = $3 and number || '/' || kind > $4
        order by number || '/' || kind limit $5";

    FORGET_POOL = "delete from payments_pool where tenant = $1 and channel = $2 and day = $3";

    PUT_POOL = "insert into payments_pool (tenant, channel, side, day, number, movement, amount, fee, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant, channel, side, day, number) do nothing";

    POOL = "select side, number, movement, amount, at, fee from payments_pool
        where tenant = $1 and channel = $2 and day = $3 order by side, number limit 1000";

    PAID_BETWEEN = "select number, 'payment', amount, paid_at from payments_attempt
        where tenant = $1 and channel = $2 and paid_at >= $3 and paid_at < $4 and number > $5
        order by number limit $6";

    REFUNDED_BETWEEN = "select number, 'refund', amount, refunded_at from payments_refund
        where tenant = $1 and channel = $2 and refunded_at >= $3 and refunded_at < $4 and number > $5
        order by number limit $6";

    DIRECT_PAID = "select a.number, 'payment', p.direct, a.paid_at from payments_attempt a
        join payments_payment p on p.tenant = a.tenant and p.id = a.payment
        where a.tenant = $1 and a.channel = $2 and a.paid_at >= $3 and a.paid_at < $4 and a.state = 'succeeded'
          and p.direct > 0 and a.number > $5
        order by a.number limit $6";

    DIRECT_REFUNDED = "select number, 'refund', direct, refunded_at from payments_refund
        where tenant = $1 and channel = $2 and refunded_at >= $3 and refunded_at < $4 and direct > 0 and number > $5
        order by number limit $6";

    TENANTS_TO_RECONCILE = "with payments_moved as (
            select tenant from payments_attempt where channel = $1 and created_at >= $2 and created_at < $3
            union select tenant from payments_attempt where channel = $1 and paid_at >= $2 and paid_at < $3
            union select tenant from payments_refund where channel = $1 and refunded_at >= $2 and refunded_at < $3)
        select m.tenant from payments_moved m
        left join payments_reconciliation r on r.tenant = m.tenant and r.channel = $1 and r.day = $4
        where r.day is null or r.run_at < $3
        order by m.tenant limit 100";
}

/// A day of a channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day<'a> {
    pub(crate) channel: Channel,
    /// `2026-10-31`.
    pub(crate) day: &'a str,
}

/// How a day came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reconciliation {
    pub(crate) channel: Channel,
    pub(crate) day: String,
    pub(crate) run: u32,
    pub(crate) run_at: Timestamp,
    pub(crate) theirs: i64,
    pub(crate) ours: i64,
    pub(crate) matched: i64,
    pub(crate) carried: i64,
    pub(crate) mistakes: i64,
    /// What it brought to the bank, and cost.
    pub(crate) settled: Settled,
}

fn read(row: &Row) -> anyhow::Result<Reconciliation> {
    Ok(Reconciliation {
        channel: channel(row, 0)?,
        day: row.text(1)?.to_owned(),
        run: u32::try_from(row.integer(2)?)?,
        run_at: row.timestamp(3)?,
        theirs: row.integer(4)?,
        ours: row.integer(5)?,
        matched: row.integer(6)?,
        carried: row.integer(7)?,
        mistakes: row.integer(8)?,
        settled: Settled {
            bank: row.integer(9)?,
            fees: row.integer(10)?,
        },
    })
}

/// How that day came out.
pub(crate) async fn reconciliation(
    db: &impl Read,
    tenant: &TenantId,
    day: Day<'_>,
) -> anyhow::Result<Option<Reconciliation>> {
    let row = db
        .row(
            RECONCILIATION,
            &[tenant.into(), day.channel.as_str().into(), day.day.into()],
        )
        .await?;
    row.map(|row| read(&row)).transpose()
}

/// The days, the latest first, before `2026-10-31/simulated`.
pub(crate) async fn reconciliations(
    db: &impl Read,
    tenant: &TenantId,
    before: Option<&str>,
    limit: i64,
) -> anyhow::Result<Vec<Reconciliation>> {
    let rows = db
        .rows(
            RECONCILIATIONS,
            &[tenant.into(), before.into(), limit.into()],
        )
        .await?;
    rows.iter().map(read).collect()
}

/// Stores how a day came out, in the place of an earlier run; which run it is.
pub(crate) async fn put(
    tx: &Tx,
    outcome: &Reconciliation,
    mistakes: &[Mistake],
) -> anyhow::Result<u32> {
    let (channel, day) = (outcome.channel.as_str(), outcome.day.as_str());
    let parameters = [
        tx.tenant().into(),
        channel.into(),
        day.into(),
        outcome.run_at.into(),
        outcome.theirs.into(),
        outcome.ours.into(),
        outcome.matched.into(),
        outcome.carried.into(),
        outcome.mistakes.into(),
        outcome.settled.bank.into(),
        outcome.settled.fees.into(),
    ];
    let run = tx.row(PUT_RECONCILIATION, &parameters).await?;
    let run = run
        .context("a reconciliation answered nothing")?
        .integer(0)?;
    tx.execute(
        FORGET_MISTAKES,
        &[tx.tenant().into(), channel.into(), day.into()],
    )
    .await?;
    let rows: Vec<_> = mistakes
        .iter()
        .map(|mistake| {
            vec![
                tx.tenant().into(),
                channel.into(),
                day.into(),
                (&mistake.number).into(),
                mistake.kind.as_str().into(),
                mistake.movement.as_str().into(),
                mistake.ours.into(),
                mistake.theirs.into(),
            ]
        })
        .collect();
    tx.insert_many(PUT_MISTAKES, &rows).await?;
    Ok(u32::try_from(run)?)
}

/// The mistakes of a day after `number/kind`.
pub(crate) async fn mistakes(
    db: &impl Read,
    tenant: &TenantId,
    day: Day<'_>,
    (after, limit): (&str, i64),
) -> anyhow::Result<Vec<Mistake>> {
    let parameters = [
        tenant.into(),
        day.channel.as_str().into(),
        day.day.into(),
        after.into(),
        limit.into(),
    ];
    let rows = db.rows(MISTAKES, &parameters).await?;
    rows.iter()
        .map(|row| {
            Ok(Mistake {
                kind: MistakeKind::parse(row.text(0)?).context("a mistake's kind is none")?,
                number: row.text(1)?.to_owned(),
                movement: Movement::parse(row.text(2)?).context("a movement is none")?,
                ours: row.optional_integer(3)?,
                theirs: row.optional_integer(4)?,
            })
        })
        .collect()
}

/// What waits for the next day.
pub(crate) struct Pooled {
    /// Whether the bill has it; else our books.
    pub(crate) is_bill: bool,
    pub(crate) entry: Entry,
    pub(crate) fee: i64,
}

/// What that day left for the next one.
pub(crate) async fn pool(
    db: &impl Read,
    tenant: &TenantId,
    day: Day<'_>,
) -> anyhow::Result<Vec<Pooled>> {
    let rows = db
        .rows(
            POOL,
            &[tenant.into(), day.channel.as_str().into(), day.day.into()],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Pooled {
                is_bill: row.text(0)? == "channel",
                entry: read_entry(row, 1)?,
                fee: row.integer(5)?,
            })
        })
        .collect()
}

/// Stores what that day leaves for the next one.
pub(crate) async fn put_pool(tx: &Tx, day: Day<'_>, pooled: &[Pooled]) -> anyhow::Result<()> {
    let (channel, name) = (day.channel.as_str(), day.day);
    tx.execute(
        FORGET_POOL,
        &[tx.tenant().into(), channel.into(), name.into()],
    )
    .await?;
    let rows: Vec<_> = pooled
        .iter()
        .map(|left| {
            let side = if left.is_bill { "channel" } else { "books" };
            vec![
                tx.tenant().into(),
                channel.into(),
                side.into(),
                name.into(),
                (&left.entry.number).into(),
                left.entry.movement.as_str().into(),
                left.entry.amount.into(),
                left.fee.into(),
                left.entry.at.into(),
            ]
        })
        .collect();
    tx.insert_many(PUT_POOL, &rows).await
}

/// What we booked in that time: money in, and money back.
pub(crate) async fn booked_between(
    db: &impl Read,
    tenant: &TenantId,
    channel: Channel,
    span: (Timestamp, Timestamp),
) -> anyhow::Result<Vec<Entry>> {
    entries(
        db,
        [PAID_BETWEEN, REFUNDED_BETWEEN],
        (tenant, channel),
        span,
    )
    .await
}

/// What of it, in and back, the channel pays straight to merchants and takes straight from them.
pub(crate) async fn direct_between(
    db: &impl Read,
    tenant: &TenantId,
    channel: Channel,
    span: (Timestamp, Timestamp),
) -> anyhow::Result<Vec<Entry>> {
    entries(db, [DIRECT_PAID, DIRECT_REFUNDED], (tenant, channel), span).await
}

async fn entries(
    db: &impl Read,
    statements: [&str; 2],
    (tenant, channel): (&TenantId, Channel),
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<Vec<Entry>> {
    const PAGE: i64 = 900;
    let mut found = Vec::new();
    for statement in statements {
        let mut after = String::new();
        loop {
            let parameters = [
                tenant.into(),
                channel.as_str().into(),
                from.into(),
                until.into(),
                (&after).into(),
                PAGE.into(),
            ];
            let rows = db.rows(statement, &parameters).await?;
            for row in &rows {
                row.text(0)?.clone_into(&mut after);
                found.push(read_entry(row, 0)?);
            }
            if i64::try_from(rows.len())? < PAGE {
                break;
            }
        }
    }
    Ok(found)
}

/// Who started to pay, paid or was paid back over the channel on a day that was not reconciled since it is over.
pub(crate) async fn tenants_to_reconcile(
    db: &impl Read,
    day: Day<'_>,
    (from, until): (Timestamp, Timestamp),
) -> anyhow::Result<Vec<TenantId>> {
    let parameters = [
        day.channel.as_str().into(),
        from.into(),
        until.into(),
        day.day.into(),
    ];
    let rows = db.rows(TENANTS_TO_RECONCILE, &parameters).await?;
    rows.iter().map(|row| row.id(0)).collect()
}
