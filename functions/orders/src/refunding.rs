//! Money that goes back to buyers: bounded by what was paid under the order's row, exact to the fen over its lines, and
//! taken from the merchant again when the merchant had been settled for it.

use anyhow::Context as _;
use kernel::{AfterSaleId, RefundId, TransactionId};
use ledger::{Account, Key, Posting};
use store::Tx;
use wire::event::{OrderLineRefunded, RefundFailed, RefundRequested, RefundSucceeded};
use wire::mall::Collection;

use crate::context::Context;
use crate::domain::{
    Back, Checkout, Line, Order, OrderState, RefundState, too_much, unknown_checkout,
};
use crate::facts::append;
use crate::orderly::{changed, fen};
use crate::store::refunds::{Refund, RefundLine};
use crate::store::{checkouts, lines, orders, refunds};
use crate::{bearing, charging, contesting, selling};

/// What a refund is of: an after-sale, and why.
#[derive(Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub(crate) after_sale: Option<&'a AfterSaleId>,
    pub(crate) reason: &'a str,
}

/// Gives back all that is left of an order that comes to nothing.
pub(crate) async fn give_back_all(
    context: &Context,
    tx: &Tx,
    order: &mut Order,
    reason: &str,
) -> anyhow::Result<Option<RefundId>> {
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    let parts: Vec<(Line, Back)> = own
        .into_iter()
        .map(|line| {
            let back = line.give_back_all();
            (line, back)
        })
        .collect();
    let cause = Cause {
        after_sale: None,
        reason,
    };
    give_back(context, tx, (order, parts), cause).await
}

/// Gives back these parts of an order. Nothing but the lines' own sums moves when the parts are worth nothing.
///
/// # Errors
/// 409 for more than is left of what was paid; a failure of the database.
pub(crate) async fn give_back(
    context: &Context,
    tx: &Tx,
    (order, parts): (&mut Order, Vec<(Line, Back)>),
    cause: Cause<'_>,
) -> anyhow::Result<Option<RefundId>> {
    let parts = charging::give_back(parts)?;
    let amount: i64 = parts.iter().map(|(_, back)| back.amount_minor()).sum();
    if !orders::add_refunded(tx, order, amount).await? {
        return Err(too_much(order.total_minor() - order.refunded_minor).into());
    }
    for (line, back) in &parts {
        lines::add_back(tx, &line.id, *back).await?;
    }
    let checkout = checkouts::checkout(tx, tx.tenant(), &order.checkout).await?;
    let checkout = checkout.ok_or_else(unknown_checkout)?;
    let id: RefundId = context.new_id()?;
    let is_settled = order.state == OrderState::Completed;
    let mut told: Vec<RefundLine> = parts
        .iter()
        .map(|(line, back)| RefundLine {
            line: line.id.clone(),
            back: *back,
            owed_minor: 0,
        })
        .collect();
    let transaction = if is_settled {
        take_from_merchant(context, tx, (order, &checkout), (&id, &mut told)).await?
    } else {
        None
    };
    let (1.., Some(payment)) = (amount, checkout.payment.clone()) else {
        return Ok(None);
    };
    let refund = Refund {
        id: id.clone(),
        order: Some(order.id.clone()),
        checkout: checkout.id,
        payment,
        after_sale: cause.after_sale.cloned(),
        amount_minor: amount,
        reason: cause.reason.to_owned(),
        state: RefundState::Requested,
        after_completion: is_settled,
        transaction,
        requested_at: context.now,
        ended_at: None,
    };
    refunds::insert_refund(tx, &refund, &told).await?;
    let fact = RefundRequested {
        refund: refund.id,
        payment: refund.payment,
        amount_minor: amount,
        reason: refund.reason,
        direct_minor: match order.collection {
            Collection::Direct => amount,
            Collection::Platform => 0,
        },
    };
    append(context, tx, &fact).await?;
    Ok(Some(id))
}

/// Takes a refund from a merchant that was settled: what it may draw first, the rest it owes.
async fn take_from_merchant(
    context: &Context,
    tx: &Tx,
    (order, checkout): (&Order, &Checkout),
    (id, told): (&RefundId, &mut Vec<RefundLine>),
) -> anyhow::Result<Option<TransactionId>> {
    let available = bearing::available(tx, &order.merchant).await?;
    let borne = bearing::bear(order.collection, available, told);
    let mut posting = Posting::new("order.refunded", id.as_str(), context.now);
    let owed = Account::merchant_receivable(&order.merchant);
    let payable = Account::merchant_payable(&order.merchant);
    for (account, minor) in [
        (payable, borne.from_payable),
        (owed, borne.owed),
        (Account::platform_commission(), borne.commission),
    ] {
        if minor > 0 {
            posting = posting.debit(account, fen(minor));
        }
    }
    if order.collection == Collection::Direct && borne.amount > 0 {
        posting = posting.debit(selling::clearing(checkout)?, fen(borne.amount));
    }
    for (account, minor) in [
        (Account::suspense(), borne.amount),
        (Account::coupon_subsidy_expense(), borne.subsidy),
    ] {
        if minor > 0 {
            posting = posting.credit(account, fen(minor));
        }
    }
    if posting.legs.is_empty() {
        return Ok(None);
    }
    Ok(Some(ledger::post(tx, &posting).await?.id))
}

/// The money of a refund went back.
pub(crate) async fn succeeded(
    context: &Context,
    tx: &Tx,
    event: &RefundSucceeded,
) -> anyhow::Result<()> {
    let Some(refund) = refunds::refund(tx, tx.tenant(), &event.refund).await? else {
        return Ok(());
    };
    let at = event.refunded_at;
    if !refunds::end_refund(tx, &refund.id, RefundState::Succeeded, at).await? {
        return Ok(());
    }
    let Some(order) = of(tx, &refund).await? else {
        return Ok(());
    };
    if refund.after_completion {
        tell(context, tx, (&order, &refund), event).await?;
    }
    let fact = changed(context, &order, "refunded", None);
    append(context, tx, &fact).await?;
    contesting::refunded(context, tx, &refund, true).await
}

async fn of(tx: &Tx, refund: &Refund) -> anyhow::Result<Option<Order>> {
    let Some(order) = &refund.order else {
        return Ok(None);
    };
    let order = orders::order(tx, tx.tenant(), order).await?;
    Ok(Some(order.context("a refund has no order")?))
}

/// Settlement hears of each line for which the merchant had been settled.
async fn tell(
    context: &Context,
    tx: &Tx,
    (order, refund): (&Order, &Refund),
    event: &RefundSucceeded,
) -> anyhow::Result<()> {
    let Some(transaction) = &refund.transaction else {
        return Ok(());
    };
    let mut facts = Vec::new();
    for line in refunds::refund_lines(tx, tx.tenant(), &refund.id).await? {
        let back = line.back;
        let fact = OrderLineRefunded {
            refund: refund.id.clone(),
            after_sale: refund.after_sale.clone(),
            order: order.id.clone(),
            line: line.line,
            merchant: order.merchant.clone(),
            community: order.community.clone(),
            amount_minor: back.amount_minor(),
            subsidy_minor: back.subsidy_minor,
            base_minor: back.base_minor,
            commission_minor: back.commission_minor,
            owed_minor: line.owed_minor,
            collection: order.collection,
            currency: event.currency,
            succeeded_at: event.refunded_at,
            transaction: transaction.clone(),
        };
        facts.push((context.new_id()?, fact));
    }
    store::events::append_all(tx, context.now, &facts).await
}

/// The channel will not take the money back. Before completion it becomes credit of the buyer, so that nothing stays in
/// suspense; afterwards all is as before the refund, and it can be agreed to again.
pub(crate) async fn failed(context: &Context, tx: &Tx, event: &RefundFailed) -> anyhow::Result<()> {
    let Some(refund) = refunds::refund(tx, tx.tenant(), &event.refund).await? else {
        return Ok(());
    };
    let state = if refund.after_completion {
        RefundState::Failed
    } else {
        RefundState::Credited
    };
    if !refunds::end_refund(tx, &refund.id, state, context.now).await? {
        return Ok(());
    }
    if !refund.after_completion {
        credit_wallet(context, tx, &refund).await?;
        return contesting::refunded(context, tx, &refund, true).await;
    }
    if let Some(posted) = &refund.transaction {
        let key = Key::new("order.refund_failed", refund.id.as_str(), context.now);
        ledger::reverse(tx, posted, &key).await?;
    }
    if let Some(mut order) = of(tx, &refund).await? {
        let undone = orders::add_refunded(tx, &mut order, -refund.amount_minor).await?;
        anyhow::ensure!(undone, "a refund was more than its order's refunds");
        for line in refunds::refund_lines(tx, tx.tenant(), &refund.id).await? {
            lines::add_back(tx, &line.line, Back::default().minus(line.back)).await?;
        }
    }
    contesting::refunded(context, tx, &refund, false).await
}

async fn credit_wallet(context: &Context, tx: &Tx, refund: &Refund) -> anyhow::Result<()> {
    let checkout = checkouts::checkout(tx, tx.tenant(), &refund.checkout).await?;
    let checkout = checkout.ok_or_else(unknown_checkout)?;
    let posting = Posting::new("order.refund_credited", refund.id.as_str(), context.now)
        .debit(Account::suspense(), fen(refund.amount_minor))
        .credit(
            Account::resident_wallet(&checkout.buyer),
            fen(refund.amount_minor),
        );
    ledger::post(tx, &posting).await?;
    Ok(())
}
