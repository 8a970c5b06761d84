//! Disputes: buyer or merchant call the operator, both bring evidence, the operator decides, and what was decided is done
//! at once.

use kernel::{Actor, AfterSaleId, Message, Refusal};
use store::Tx;

use crate::contesting;
use crate::context::Context;
use crate::domain::{
    AfterSale, AfterSaleKind, AfterSaleState, Back, DAY_MS, Decided, Decision, Dispute,
    DisputeState, Line, Order, Side, Step, WantedLine, share, too_much, unknown_after_sale,
};
use crate::orderly::save;
use crate::refunding::{self, Cause};
use crate::store::disputes::Evidence;
use crate::store::{after_sales, disputes, lines};

const HOUR_MS: i64 = DAY_MS / 24;

/// What somebody calls the operator about.
pub(crate) struct Claim {
    pub(crate) side: Side,
    pub(crate) after_sale: Option<AfterSaleId>,
    pub(crate) words: String,
}

/// Opens a dispute over an order; one at a time.
///
/// # Errors
/// 404 for an after-sale that is not of the order; 409 when the order does not stand so, or one is open.
pub(crate) async fn open(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (order, claim): (&mut Order, Claim),
) -> anyhow::Result<Dispute> {
    order.stage().check(Step::Dispute)?;
    if let Some(id) = &claim.after_sale {
        let found = after_sales::after_sale(tx, tx.tenant(), id).await?;
        found
            .filter(|found| found.order == order.id)
            .ok_or_else(unknown_after_sale)?;
    }
    let evidence_until = context
        .now
        .plus_millis(context.terms.evidence_hours * HOUR_MS);
    let dispute = Dispute {
        id: context.new_id()?,
        order: order.id.clone(),
        after_sale: claim.after_sale,
        buyer: order.buyer.clone(),
        merchant: order.merchant.clone(),
        opened_by: claim.side,
        state: DisputeState::Open,
        claim: claim.words,
        opened_at: context.now,
        evidence_until,
        decide_until: evidence_until.plus_millis(context.terms.decision_hours * HOUR_MS),
        decided: None,
        refund: None,
        version: 1,
    };
    if !disputes::insert_dispute(tx, &dispute).await? {
        return Err(already_open().into());
    }
    order.contests += 1;
    save(context, tx, order, ("dispute_opened", Some(&actor.id))).await?;
    Ok(dispute)
}

/// Takes a side's evidence.
///
/// # Errors
/// 409 when it is too late; a failure of the database.
pub(crate) async fn add_evidence(
    context: &Context,
    tx: &Tx,
    dispute: &Dispute,
    evidence: &Evidence,
) -> anyhow::Result<()> {
    dispute.check_evidence(context.now)?;
    disputes::insert_evidence(tx, &dispute.id, evidence).await
}

/// Who opened a dispute does not want it any more.
///
/// # Errors
/// 409 when it is over; a failure of the database.
pub(crate) async fn withdraw(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (order, dispute): (&mut Order, &mut Dispute),
) -> anyhow::Result<()> {
    dispute.check_open("withdrawal")?;
    dispute.state = DisputeState::Withdrawn;
    disputes::update_dispute(tx, dispute).await?;
    order.contests = (order.contests - 1).max(0);
    save(context, tx, order, ("dispute_withdrawn", Some(&actor.id))).await
}

/// What the operator says.
pub(crate) struct Verdict {
    pub(crate) decision: Decision,
    /// How much goes back, for a part.
    pub(crate) amount_minor: Option<i64>,
    pub(crate) reason: String,
}

/// Decides a dispute and does what was decided: money goes back, or the merchant has to send another one, or nothing
/// happens. An after-sale that was open about the same is ended with it.
///
/// # Errors
/// 409 before both had their time, for one that is over, and for more than is left; 422 for a part without an amount.
pub(crate) async fn decide(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (order, dispute, verdict): (&mut Order, &mut Dispute, Verdict),
) -> anyhow::Result<()> {
    let heard = disputes::evidence(tx, tx.tenant(), &dispute.id).await?;
    let has = |side| heard.iter().any(|evidence| evidence.side == side);
    // The claim is the first word of who opened it.
    let buyer = has(Side::Buyer) || dispute.opened_by == Side::Buyer;
    let merchant = has(Side::Merchant) || dispute.opened_by == Side::Merchant;
    dispute.check_decision((buyer, merchant), context.now)?;
    end_after_sales(context, tx, order).await?;
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    let parts = match verdict.decision {
        Decision::Full => own
            .into_iter()
            .map(|line| (line.give_back_all(), line))
            .collect(),
        Decision::Part => part(own, verdict.amount_minor)?,
        Decision::Reject | Decision::Exchange => Vec::new(),
    };
    let parts: Vec<(Line, Back)> = parts.into_iter().map(|(back, line)| (line, back)).collect();
    let amount_minor = parts.iter().map(|(_, back)| back.amount_minor()).sum();
    if amount_minor > 0 {
        let cause = Cause {
            after_sale: None,
            reason: &verdict.reason,
        };
        dispute.refund = refunding::give_back(context, tx, (order, parts), cause).await?;
    }
    if verdict.decision == Decision::Exchange {
        order.contests += 1;
        let exchange = exchange(context, order, &verdict.reason, tx).await?;
        after_sales::insert_after_sale(tx, &exchange).await?;
    }
    dispute.state = DisputeState::Executed;
    dispute.decided = Some(Decided {
        decision: verdict.decision,
        amount_minor,
        reason: verdict.reason,
        by: actor.id.clone(),
        at: context.now,
    });
    disputes::update_dispute(tx, dispute).await?;
    contesting::end(context, tx, order).await?;
    save(context, tx, order, ("dispute_decided", Some(&actor.id))).await
}

/// The decision stands in the place of what was asked for and is not under way.
async fn end_after_sales(context: &Context, tx: &Tx, order: &mut Order) -> anyhow::Result<()> {
    for mut open in after_sales::of_order(tx, tx.tenant(), &order.id).await? {
        if open.state.is_open() && open.state != AfterSaleState::Refunding {
            open.state = AfterSaleState::Withdrawn;
            open.changed_at = context.now;
            open.answer = Some("由平台裁决 / decided by the platform".to_owned());
            after_sales::update_after_sale(tx, &mut open).await?;
            order.contests = (order.contests - 1).max(0);
        }
    }
    Ok(())
}

/// A part of what is left, spread over the lines by what is left of each.
fn part(own: Vec<Line>, amount: Option<i64>) -> anyhow::Result<Vec<(Back, Line)>> {
    let left: i64 = own.iter().map(Line::left_minor).sum();
    let amount = amount
        .filter(|amount| *amount > 0)
        .ok_or_else(amount_missing)?;
    if amount > left {
        return Err(too_much(left).into());
    }
    let (mut seen, mut before) = (0, 0);
    let mut parts = Vec::with_capacity(own.len());
    for line in own {
        seen += line.left_minor();
        let until = share(amount, seen, left);
        let wanted = crate::domain::Wanted {
            quantity: 0,
            goods_minor: Some(until - before),
            with_freight: false,
        };
        if until > before {
            parts.push((line.give_back(wanted)?, line));
        }
        before = until;
    }
    Ok(parts)
}

/// The merchant has to send another one, whether or not the first comes back.
async fn exchange(
    context: &Context,
    order: &Order,
    reason: &str,
    tx: &Tx,
) -> anyhow::Result<AfterSale> {
    let own = lines::lines(tx, tx.tenant(), &order.id).await?;
    Ok(AfterSale {
        id: context.new_id()?,
        order: order.id.clone(),
        buyer: order.buyer.clone(),
        merchant: order.merchant.clone(),
        kind: AfterSaleKind::Exchange,
        state: AfterSaleState::Agreed,
        wanted: own
            .into_iter()
            .map(|line| WantedLine {
                quantity: line.quantity - line.back.quantity,
                line: line.id,
                amount_minor: None,
                with_freight: false,
            })
            .collect(),
        amount_minor: 0,
        reason: reason.to_owned(),
        answer: None,
        returned: None,
        reshipped: None,
        refund: None,
        requested_at: context.now,
        changed_at: context.now,
        version: 1,
    })
}

fn already_open() -> Refusal {
    Refusal::conflict(
        "dispute_open",
        Message::new(
            "A dispute over this order is open already. Bring your evidence there.",
            "该订单已有进行中的纠纷，请在其中提交证据。",
        ),
    )
}

fn amount_missing() -> Refusal {
    Refusal::invalid(
        "amount_missing",
        Message::new(
            "Say how much goes back, above zero.",
            "请填写大于零的退款金额。",
        ),
    )
}
