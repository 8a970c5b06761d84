//! Batches on their way through the shelf: received, sold in the order in which they expire, and taken off when their last
//! day is over. Sales know nothing of it: what is left of each is found out by the heartbeat, and whenever it matters.

use kernel::{ActorId, EventId, MerchantId, ProductId, TenantId};
use store::{Read, Tx, tx};
use wire::event::StockAdjusted;

use crate::context::Context;
use crate::domain::Merchant;
use crate::domain::batch::{self, Batch, Settled, check_new};
use crate::domain::stock::{
    Movement, MovementKind, Stock, adjustment, less_than_wanted, unknown_item,
};
use crate::store::{batches, stock};
use crate::{facts, quoting};

/// Who takes off what has expired.
const ACTOR: &str = "orders";

/// Units that come together, and who receives them.
pub(crate) struct Delivery<'a> {
    pub(crate) merchant: &'a Merchant,
    pub(crate) item: &'a str,
    pub(crate) actor: &'a ActorId,
    pub(crate) batch: Batch,
    pub(crate) reason: Option<String>,
}

/// Receives a batch of a variant. What of the variant is there already without a batch becomes one, with the last day and
/// the code that its shelf says.
///
/// # Errors
/// 404 for what is no variant, 409 and 422 for a batch that cannot be received; a failure of the database.
pub(crate) async fn receive(
    context: &Context,
    tx: &Tx,
    delivery: Delivery<'_>,
) -> anyhow::Result<Stock> {
    let Delivery {
        merchant,
        item,
        actor,
        batch,
        reason,
    } = delivery;
    let held = variant(tx, item).await?;
    let today = quoting::today(tx, tx.tenant(), None, context.now).await?;
    let open = batches::open(tx, tx.tenant(), item).await?;
    if let Some(last) = batch.expires_on {
        check_new(&open, last, today)?;
    }
    match open.is_empty() {
        true => shelve_what_is_there(context, tx, (merchant, &held)).await?,
        // What came or went until now was not of this batch.
        false => settle(context, tx, item).await?,
    }
    let movement = Movement {
        id: context.new_id::<EventId>()?.into(),
        kind: MovementKind::Received,
        available: adjustment(&held, MovementKind::Received, batch.units)?,
        reserved: 0,
        line: None,
        actor: Some(actor.clone()),
        reason,
        at: context.now,
    };
    adjust(context, tx, (&merchant.id, item, actor), &movement).await?;
    batches::insert(tx, (&merchant.id, item), &batch).await?;
    settle(context, tx, item).await?;
    variant(tx, item).await
}

async fn variant(tx: &Tx, item: &str) -> anyhow::Result<Stock> {
    let held = stock::stock(tx, tx.tenant(), item).await?;
    let held = held.filter(|held| held.kind == "variant");
    Ok(held.ok_or_else(unknown_item)?)
}

/// Makes a batch of the units that are there and of none.
async fn shelve_what_is_there(
    context: &Context,
    tx: &Tx,
    (merchant, held): (&Merchant, &Stock),
) -> anyhow::Result<()> {
    let there = held.available + held.reserved;
    if there == 0 {
        return Ok(());
    }
    let (expires_on, trace_code) = batches::shelf(tx, &held.item).await?;
    let batch = Batch {
        id: context.new_id::<EventId>()?.into(),
        expires_on,
        trace_code,
        units: there,
        left: there,
        received_at: context.now,
    };
    batches::insert(tx, (&merchant.id, &held.item), &batch).await
}

/// Finds out what of each batch of a variant is left, takes off what has expired, and puts on the shelf what goes next.
/// Without batches, or with nothing left of them, the shelf stays as it is.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn settle(context: &Context, tx: &Tx, item: &str) -> anyhow::Result<()> {
    let before = batches::open(tx, tx.tenant(), item).await?;
    if before.is_empty() {
        return Ok(());
    }
    let Some(merchant) = stock::owner(tx, tx.tenant(), item).await? else {
        return Ok(());
    };
    let after = look(context, tx, (tx.tenant(), item), before.clone()).await?;
    for batch in after.batches.iter().filter(|batch| !before.contains(batch)) {
        batches::leave(tx, batch).await?;
    }
    if after.expired > 0 {
        let actor = ActorId::parse(ACTOR)?;
        let movement = Movement {
            id: context.new_id::<EventId>()?.into(),
            kind: MovementKind::Issued,
            available: -after.expired,
            reserved: 0,
            line: None,
            actor: None,
            reason: Some("过期下架 / expired".to_owned()),
            at: context.now,
        };
        adjust(context, tx, (&merchant, item, &actor), &movement).await?;
    }
    match after.front() {
        Some(front) => batches::shelve(tx, item, front).await,
        None => Ok(()),
    }
}

/// Moves what is available, and tells.
async fn adjust(
    context: &Context,
    tx: &Tx,
    (merchant, item, actor): (&MerchantId, &str, &ActorId),
    movement: &Movement,
) -> anyhow::Result<()> {
    let after = stock::adjust(tx, item, movement).await?;
    let after = after.ok_or_else(less_than_wanted)?;
    let fact = StockAdjusted {
        item: item.to_owned(),
        merchant: merchant.clone(),
        kind: movement.kind.as_str().to_owned(),
        change: movement.available,
        available: after.available,
        actor: actor.clone(),
        reason: movement.reason.clone(),
    };
    facts::append(context, tx, &fact).await
}

/// The batches of a variant as they stand now, whatever the heartbeat has found out yet.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn standing(
    context: &Context,
    tenant: &TenantId,
    item: &str,
) -> anyhow::Result<Vec<Batch>> {
    let open = batches::open(&context.db, tenant, item).await?;
    let mut found = look(context, &context.db, (tenant, item), open).await?;
    found.batches.retain(|batch| batch.left > 0);
    Ok(found.batches)
}

async fn look(
    context: &Context,
    db: &impl Read,
    (tenant, item): (&TenantId, &str),
    open: Vec<Batch>,
) -> anyhow::Result<Settled> {
    let held = stock::stock(db, tenant, item).await?;
    let today = quoting::today(db, tenant, None, context.now).await?;
    Ok(batch::settle(open, &held.ok_or_else(unknown_item)?, today))
}

/// A product was changed: what is on the shelf is still what its batches say.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn settle_product(
    context: &Context,
    tx: &Tx,
    product: &ProductId,
) -> anyhow::Result<()> {
    for item in batches::of_product(tx, product).await? {
        settle(context, tx, &item).await?;
    }
    Ok(())
}

/// Does that for variants of which units came or went, and for those of which a batch has expired; how many.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn keep(context: &Context, limit: i64) -> anyhow::Result<i64> {
    let mut done = 0;
    for tenant in batches::tenants(&context.db).await? {
        let today = quoting::today(&context.db, &tenant, None, context.now).await?;
        let due = batches::due(&context.db, &tenant, (today, limit - done)).await?;
        for item in due {
            tx(&context.db, &tenant, async |tx| {
                settle(context, tx, &item).await
            })
            .await?;
            done += 1;
        }
    }
    Ok(done)
}
