//! What time makes due: checkouts that nobody paid, orders that nobody confirmed or fetched, batches of which something
//! was sold or that have expired, messages that are old enough.

use kernel::{CheckoutId, OrderId, TenantId};
use store::tx;

use crate::context::Context;
use crate::domain::{DAY_MS, PaymentState, Step};
use crate::store::{checkouts, conversations, groups, orders};
use crate::{batching, flow, grouping, paying, selling};

/// The most checkouts that one tick closes, orders that it completes, variants that it looks at, and messages that it deletes.
pub const TICK_UNITS_MAX: i64 = 200;

/// What a tick did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Checkouts closed.
    pub closed: i64,
    /// Orders completed, or given up because nobody fetched them.
    pub completed: i64,
    /// Groups ended that were not full.
    pub groups: i64,
    /// Variants of which it was found out what of their batches is left.
    pub batches: i64,
    /// Messages deleted.
    pub deleted: i64,
}

impl Kept {
    /// Whether a limit was reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let Self {
            closed,
            completed,
            groups,
            batches,
            deleted,
        } = *self;
        [closed, completed, groups, batches, deleted]
            .into_iter()
            .any(|count| count >= TICK_UNITS_MAX)
    }
}

/// Does what is due; what payments told was heard before.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn run(context: &Context) -> anyhow::Result<Kept> {
    let mut kept = Kept::default();
    for (tenant, id) in checkouts::expired(&context.db, context.now, TICK_UNITS_MAX).await? {
        kept.closed += close(context, &tenant, &id).await?;
    }
    for (tenant, id) in orders::due(&context.db, context.now, TICK_UNITS_MAX).await? {
        kept.completed += end(context, &tenant, &id).await?;
    }
    for tenant in groups::tenants_due(&context.db, context.now, TICK_UNITS_MAX).await? {
        let limit = TICK_UNITS_MAX - kept.groups;
        kept.groups += grouping::end_due(context, &tenant, limit).await?;
    }
    kept.batches = batching::keep(context, TICK_UNITS_MAX).await?;
    let until = context
        .now
        .plus_millis(-context.terms.message_days * DAY_MS);
    kept.deleted = conversations::forget_old(&context.db, until, TICK_UNITS_MAX).await?;
    Ok(kept)
}

async fn close(context: &Context, tenant: &TenantId, id: &CheckoutId) -> anyhow::Result<i64> {
    tx(&context.db, tenant, async |tx| {
        let found = checkouts::checkout(tx, tenant, id).await?;
        let Some(mut checkout) = found.filter(|found| found.state == PaymentState::Unpaid) else {
            return Ok(0);
        };
        if let Some(payment) = checkout.payment.clone() {
            paying::give_up(context, tx, &payment, "超时未支付 / not paid in time").await?;
        }
        let why = ("expired", "超时未支付 / not paid in time");
        paying::close(context, tx, &mut checkout, why).await?;
        Ok(1)
    })
    .await
}

async fn end(context: &Context, tenant: &TenantId, id: &OrderId) -> anyhow::Result<i64> {
    tx(&context.db, tenant, async |tx| {
        let found = orders::order(tx, tenant, id).await?;
        let Some(mut order) = found else {
            return Ok(0);
        };
        if order.is_unfetched() {
            let why = "逾期未取 / not fetched in time";
            flow::cancel(context, tx, (None, why), (&mut order, Step::Reject)).await?;
        } else if order.stage().may(Step::Complete) {
            selling::complete(context, tx, &mut order, None).await?;
        } else {
            return Ok(0);
        }
        Ok(1)
    })
    .await
}
