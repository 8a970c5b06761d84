//! Completion: the merchant's money leaves suspense, in one transaction of the books with the order.

use kernel::{ActorId, Currency};
use ledger::{Account, AccountKind, Posting};
use store::Tx;
use store::events::append_all;
use wire::event::OrderLineCompleted;
use wire::mall::Collection;

use crate::context::Context;
use crate::domain::{Checkout, Line, Order, OrderState, Step, unknown_checkout};
use crate::orderly::{fen, save};
use crate::store::{checkouts, lines};

/// The kind of a sale in the books; its reference is the order.
const KIND: &str = "order.completed";

/// The order is over: the buyer is content, showed a code, or said nothing for long enough.
///
/// # Errors
/// 409 when it is not the time for it; a failure of the database.
pub(crate) async fn confirm(
    context: &Context,
    tx: &Tx,
    actor: Option<&ActorId>,
    order: &mut Order,
) -> anyhow::Result<()> {
    order.stage().check(Step::Complete)?;
    complete(context, tx, order, actor).await
}

/// Completes an order that was checked for it.
pub(crate) async fn complete(
    context: &Context,
    tx: &Tx,
    order: &mut Order,
    actor: Option<&ActorId>,
) -> anyhow::Result<()> {
    let checkout = checkouts::checkout(tx, tx.tenant(), &order.checkout).await?;
    let checkout = checkout.ok_or_else(unknown_checkout)?;
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    order.state = OrderState::Completed;
    order.times.completed = Some(context.now);
    let posting = sale(context, (order, &checkout), &own)?;
    if !posting.legs.is_empty() {
        order.transaction = Some(ledger::post(tx, &posting).await?.id);
    }
    save(context, tx, order, ("completed", actor)).await?;
    tell(context, tx, order, &own).await
}

/// What stays of a line once what went back before is taken off.
struct Kept {
    money: i64,
    subsidy: i64,
    commission: i64,
}

fn kept(lines: &[Line]) -> Kept {
    let sum = |of: fn(&Line) -> i64| lines.iter().map(of).sum();
    Kept {
        money: sum(|line| line.goods_minor + line.freight_minor - line.back.amount_minor()),
        subsidy: sum(|line| line.subsidy_minor - line.back.subsidy_minor),
        commission: sum(|line| line.commission.amount_minor - line.back.commission_minor),
    }
}

/// A sale in the books. Where the channel pays the merchant straight, the commission is posted with the statement.
fn sale(
    context: &Context,
    (order, checkout): (&Order, &Checkout),
    lines: &[Line],
) -> anyhow::Result<Posting> {
    let kept = kept(lines);
    let payable = Account::merchant_payable(&order.merchant);
    let mut posting = Posting::new(KIND, order.id.as_str(), context.now);
    let mut add = |debit: Account, credit: Option<Account>, minor: i64| {
        if minor > 0 {
            posting = posting.clone().debit(debit, fen(minor));
            if let Some(credit) = credit {
                posting = posting.clone().credit(credit, fen(minor));
            }
        }
    };
    match order.collection {
        Collection::Platform => {
            add(Account::suspense(), None, kept.money);
            add(Account::coupon_subsidy_expense(), None, kept.subsidy);
            let rest = kept.money + kept.subsidy - kept.commission;
            if rest > 0 {
                posting = posting.credit(payable, fen(rest));
            }
            if kept.commission > 0 {
                posting = posting.credit(Account::platform_commission(), fen(kept.commission));
            }
        }
        Collection::Direct => {
            add(Account::suspense(), Some(clearing(checkout)?), kept.money);
            add(
                Account::coupon_subsidy_expense(),
                Some(payable),
                kept.subsidy,
            );
        }
    }
    Ok(posting)
}

/// Where the channel's money of a checkout stands.
pub(crate) fn clearing(checkout: &Checkout) -> anyhow::Result<Account> {
    let channel = checkout.channel.as_deref();
    Ok(Account::new(
        AccountKind::ChannelClearing,
        Some(channel.unwrap_or("none")),
    )?)
}

/// Tells settlement of each line of which something stays.
async fn tell(context: &Context, tx: &Tx, order: &Order, lines: &[Line]) -> anyhow::Result<()> {
    let Some(transaction) = &order.transaction else {
        return Ok(());
    };
    let mut facts = Vec::with_capacity(lines.len());
    for line in lines {
        let base_minor = line.commission.base_minor - line.back.base_minor;
        let paid_minor = line.goods_minor - line.back.goods_minor;
        let freight_minor = line.freight_minor - line.back.freight_minor;
        let subsidy_minor = line.subsidy_minor - line.back.subsidy_minor;
        if paid_minor + freight_minor + subsidy_minor == 0 {
            continue;
        }
        let (rule, rule_version) = line.commission.rule.clone().unzip();
        let fact = OrderLineCompleted {
            order: order.id.clone(),
            line: line.id.clone(),
            merchant: order.merchant.clone(),
            buyer: order.buyer.clone(),
            community: order.community.clone(),
            category: line.category.clone(),
            kind: line.kind,
            product: line.product.clone(),
            quantity: u32::try_from(line.quantity - line.back.quantity)?,
            paid_minor,
            subsidy_minor,
            freight_minor,
            base_minor,
            rule,
            rule_version,
            rate_bps: line.commission.rate_bps,
            commission_minor: line.commission.amount_minor - line.back.commission_minor,
            collection: order.collection,
            currency: Currency::Cny,
            paid_at: order.times.paid.unwrap_or(order.times.placed),
            completed_at: context.now,
            transaction: transaction.clone(),
        };
        facts.push((context.new_id()?, fact));
    }
    append_all(tx, context.now, &facts).await
}
