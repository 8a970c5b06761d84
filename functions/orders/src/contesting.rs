//! What buyers ask for afterwards, step by step: a refund, a return, an exchange.

use std::collections::BTreeSet;

use kernel::{Actor, AfterSaleId, Message, RefundId, Refusal};
use store::Tx;

use crate::context::Context;
use crate::domain::{
    AfterSale, AfterSaleKind, AfterSaleState, AfterStep, Back, DAY_MS, Fulfilment, Line, Order,
    OrderState, Step, StockState, WantedLine, after_step, unknown_after_sale, unknown_order,
};
use crate::facts::append;
use crate::orderly::{changed, save};
use crate::refunding::{self, Cause};
use crate::stocking;
use crate::store::refunds::Refund;
use crate::store::{after_sales, lines, orders};

/// What a buyer asks for.
pub(crate) struct Asked {
    pub(crate) kind: AfterSaleKind,
    pub(crate) wanted: Vec<WantedLine>,
    pub(crate) reason: String,
}

/// A buyer asks for a refund, a return or an exchange.
///
/// # Errors
/// 404 for a line that is not of the order; 409 when the order does not stand so, or nothing is left; 422 for a return of
/// what never went out.
pub(crate) async fn ask(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (order, asked): (&mut Order, Asked),
) -> anyhow::Result<AfterSale> {
    order.stage().check(Step::AskAfterSale)?;
    let since = order.times.completed;
    if since.is_some_and(|at| context.now.millis_since(at) > context.terms.after_sale_days * DAY_MS)
    {
        return Err(too_late(context.terms.after_sale_days).into());
    }
    if asked.kind != AfterSaleKind::Refund && !went_out(order) {
        return Err(not_sent().into());
    }
    let parts = parts(tx, order, &asked.wanted).await?;
    let after_sale = AfterSale {
        id: context.new_id()?,
        order: order.id.clone(),
        buyer: order.buyer.clone(),
        merchant: order.merchant.clone(),
        kind: asked.kind,
        state: AfterSaleState::Requested,
        wanted: asked.wanted,
        amount_minor: match asked.kind {
            AfterSaleKind::Exchange => 0,
            _ => parts.iter().map(|(_, back)| back.amount_minor()).sum(),
        },
        reason: asked.reason,
        answer: None,
        returned: None,
        reshipped: None,
        refund: None,
        requested_at: context.now,
        changed_at: context.now,
        version: 1,
    };
    after_sales::insert_after_sale(tx, &after_sale).await?;
    order.contests += 1;
    save(
        context,
        tx,
        order,
        ("after_sale_requested", Some(&actor.id)),
    )
    .await?;
    Ok(after_sale)
}

fn went_out(order: &Order) -> bool {
    !matches!(order.fulfilment, Fulfilment::Waiting | Fulfilment::Ready)
}

/// What would go back of each line that is wanted.
async fn parts(tx: &Tx, order: &Order, wanted: &[WantedLine]) -> anyhow::Result<Vec<(Line, Back)>> {
    let distinct: BTreeSet<_> = wanted.iter().map(|wanted| &wanted.line).collect();
    if wanted.is_empty() || distinct.len() < wanted.len() {
        return Err(lines_invalid().into());
    }
    let mut own = lines::lines(tx, tx.tenant(), &order.id).await?;
    let mut parts = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let at = own.iter().position(|line| line.id == wanted.line);
        let line = own.swap_remove(at.ok_or_else(line_unknown)?);
        let back = line.give_back(wanted.wanted())?;
        parts.push((line, back));
    }
    Ok(parts)
}

/// An order and one of its after-sales, as they stand in a transaction.
pub(crate) struct Both {
    pub(crate) order: Order,
    pub(crate) after_sale: AfterSale,
}

/// The after-sale and its order.
pub(crate) async fn load(tx: &Tx, id: &AfterSaleId) -> anyhow::Result<Both> {
    let after_sale = after_sales::after_sale(tx, tx.tenant(), id).await?;
    let after_sale = after_sale.ok_or_else(unknown_after_sale)?;
    let order = orders::order(tx, tx.tenant(), &after_sale.order).await?;
    let order = order.ok_or_else(unknown_order)?;
    Ok(Both { order, after_sale })
}

/// A step of an after-sale, with what is said or sent along.
pub(crate) struct Move {
    pub(crate) step: AfterStep,
    pub(crate) words: Option<String>,
    pub(crate) carrier: Option<(String, String)>,
}

/// Takes an after-sale one step further; the money goes back where the step says so.
///
/// # Errors
/// 409 when the step does not follow, or more was given back meanwhile; a failure of the database.
pub(crate) async fn go(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (both, step): (&mut Both, Move),
) -> anyhow::Result<()> {
    let Both { order, after_sale } = both;
    let before = after_sale.state;
    after_sale.state = after_step(after_sale.kind, before, step.step)?;
    after_sale.changed_at = context.now;
    after_sale.answer = step.words.or_else(|| after_sale.answer.take());
    match step.step {
        AfterStep::Return => after_sale.returned = step.carrier,
        AfterStep::Reship => {
            after_sale.reshipped = step.carrier;
            send_another(context, tx, actor, (order, after_sale)).await?;
        }
        _ => {}
    }
    if after_sale.state == AfterSaleState::Refunding {
        after_sale.refund = pay_back(context, tx, (order, after_sale)).await?;
        if after_sale.refund.is_none() {
            after_sale.state = AfterSaleState::Refunded;
        }
    }
    after_sales::update_after_sale(tx, after_sale).await?;
    if before.is_open() && !after_sale.state.is_open() {
        end(context, tx, order).await?;
    }
    let change = format!("after_sale_{}", after_sale.state.as_str());
    save(context, tx, order, (&change, Some(&actor.id))).await
}

/// What goes out in exchange leaves the stock.
async fn send_another(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (order, after_sale): (&Order, &AfterSale),
) -> anyhow::Result<()> {
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    for wanted in &after_sale.wanted {
        let line = own.iter().find(|line| line.id == wanted.line);
        let line = line.ok_or_else(line_unknown)?;
        if wanted.quantity > 0 {
            stocking::issue(context, tx, (line, wanted.quantity), &actor.id).await?;
        }
    }
    Ok(())
}

async fn pay_back(
    context: &Context,
    tx: &Tx,
    (order, after_sale): (&mut Order, &mut AfterSale),
) -> anyhow::Result<Option<RefundId>> {
    let parts = parts(tx, order, &after_sale.wanted).await?;
    after_sale.amount_minor = parts.iter().map(|(_, back)| back.amount_minor()).sum();
    if !went_out(order) {
        for (line, back) in &parts {
            stocking::put_back_line(context, tx, line, back.quantity).await?;
        }
    }
    let reason = after_sale.reason.clone();
    let cause = Cause {
        after_sale: Some(&after_sale.id),
        reason: &reason,
    };
    refunding::give_back(context, tx, (order, parts), cause).await
}

/// One contest less. An order of which nothing is left before it went out has come to nothing.
pub(crate) async fn end(context: &Context, tx: &Tx, order: &mut Order) -> anyhow::Result<()> {
    order.contests = (order.contests - 1).max(0);
    if order.contests > 0 || order.state != OrderState::Accepted {
        return Ok(());
    }
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    let is_left = |line: &Line| line.back.quantity < line.quantity && line.left_minor() > 0;
    if order.refunded_minor < order.total_minor() && own.iter().any(is_left) {
        return Ok(());
    }
    if went_out(order) && order.refunded_minor < order.total_minor() {
        // The freight stays the merchant's: the order completes with it.
        return Ok(());
    }
    if !went_out(order) {
        stocking::put_back(context, tx, order).await?;
    }
    refunding::give_back_all(context, tx, order, "全部退款 / all went back").await?;
    order.state = OrderState::Cancelled;
    order.stock = StockState::Released;
    order.times.cancelled = Some(context.now);
    order.cancel_reason = Some("全部退款 / all went back".to_owned());
    // What the after-sale came to is told by whoever ends it; that the order is over is told here.
    append(context, tx, &changed(context, order, "cancelled", None)).await
}

/// The refund of an after-sale, or of an order that came to nothing, has ended: the money is back, or it is not.
pub(crate) async fn refunded(
    context: &Context,
    tx: &Tx,
    refund: &Refund,
    is_back: bool,
) -> anyhow::Result<()> {
    let Some(id) = &refund.after_sale else {
        return Ok(());
    };
    let Both {
        mut order,
        mut after_sale,
    } = load(tx, id).await?;
    if after_sale.state != AfterSaleState::Refunding
        || after_sale.refund.as_ref() != Some(&refund.id)
    {
        return Ok(());
    }
    after_sale.changed_at = context.now;
    after_sale.state = if is_back {
        AfterSaleState::Refunded
    } else {
        AfterSaleState::RefundFailed
    };
    after_sales::update_after_sale(tx, &mut after_sale).await?;
    if is_back {
        end(context, tx, &mut order).await?;
    }
    let change = format!("after_sale_{}", after_sale.state.as_str());
    save(context, tx, &mut order, (&change, None)).await
}

fn too_late(days: i64) -> Refusal {
    Refusal::conflict(
        "after_sale_late",
        Message::new(
            format!(
                "Refunds, returns and exchanges are asked for within {days} days after completion."
            ),
            format!("售后申请期为订单完成后 {days} 天内。"),
        ),
    )
}

fn not_sent() -> Refusal {
    Refusal::conflict(
        "not_sent",
        Message::new(
            "This order has not gone out: ask for a refund instead.",
            "该订单尚未发出，请申请退款。",
        ),
    )
}

fn line_unknown() -> Refusal {
    Refusal::not_found(
        "order_line_unknown",
        Message::new("The order has no such line.", "该订单没有这条明细。"),
    )
}

fn lines_invalid() -> Refusal {
    Refusal::invalid(
        "after_sale_lines",
        Message::new(
            "Name the lines that it is about, each once.",
            "请选择售后的明细，每条一次。",
        ),
    )
}
