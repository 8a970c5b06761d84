//! How merchants stand, told when it changes; and the giving back of deposits.

use kernel::{Actor, Currency, MerchantId, Message, Refusal, TenantId};
use ledger::{Account, Posting};
use store::{Read, Tx};
use wire::event::{DepositRefundChanged, MerchantStandingChanged};

use crate::context::Context;
use crate::domain::{
    Contract, Means, Month, Reason, Terms, no_contract, own_request, standing, unknown_merchant,
};
use crate::facts::{append, fen};
use crate::store::deposits::{self, Refund};
use crate::store::merchants::{self, Merchant};
use crate::store::{items, statements};

/// An order that was paid longer ago is over, whatever was heard of it, in milliseconds: 180 days. Of one that came to
/// nothing by refunds no end is told.
const ORDER_MS_MAX: i64 = 180 * 24 * 60 * 60 * 1_000;

/// What counts for a merchant now; before its contract has begun, what will.
pub(crate) async fn contract_now(
    context: &Context,
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
) -> anyhow::Result<Option<(Contract, Terms)>> {
    let (terms, _) = merchants::terms(db, tenant).await?;
    let month = Month::at(terms.zone, context.now);
    let found = merchants::contract_or_first(db, tenant, (merchant, month)).await?;
    Ok(found.map(|contract| (contract, terms)))
}

/// What is deposited, in fen.
pub(crate) async fn deposited(
    db: &impl Read,
    tenant: &TenantId,
    merchant: &MerchantId,
) -> anyhow::Result<i64> {
    let account = Account::merchant_deposit(merchant);
    let balance = ledger::balance(db, tenant, &account, Currency::Cny).await?;
    Ok(balance.posted().minor())
}

/// Decides anew how a merchant stands, and tells it when that is another way than before.
pub(crate) async fn restand(
    context: &Context,
    tx: &Tx,
    merchant: &MerchantId,
) -> anyhow::Result<()> {
    let Some(known) = merchants::merchant(tx, tx.tenant(), merchant).await? else {
        return Ok(());
    };
    let Some((contract, _)) = contract_now(context, tx, (tx.tenant(), merchant)).await? else {
        return Ok(());
    };
    let means = Means {
        deposit_minor: deposited(tx, tx.tenant(), merchant).await?,
        arrears_minor: statements::arrears(tx, tx.tenant(), merchant).await?,
    };
    let after = standing(known.standing, &contract, means);
    if known.standing == Some(after) {
        return Ok(());
    }
    let version = merchants::stand(tx, merchant, (after, context.now)).await?;
    let fact = MerchantStandingChanged {
        merchant: merchant.clone(),
        standing: after,
        version,
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// Asks for a deposit back, when nothing can come after it: the shop is closed, no order is open, nothing is owed and
/// nothing is left to be settled.
///
/// # Errors
/// 409 as long as something can; a failure of the database.
pub(crate) async fn ask_back(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (merchant, reason): (&MerchantId, &Reason),
) -> anyhow::Result<Refund> {
    let known = merchants::merchant(tx, tx.tenant(), merchant).await?;
    let known = known.ok_or_else(unknown_merchant)?;
    let last = deposits::last_refund(tx, tx.tenant(), merchant).await?;
    if last.as_ref().is_some_and(Refund::is_open) {
        return Err(refund_state("requested").into());
    }
    let amount_minor = nothing_follows(context, tx, &known).await?;
    let refund = Refund {
        number: last.map_or(0, |last| last.number) + 1,
        amount_minor,
        state: "requested".to_owned(),
        reason: reason.as_str().to_owned(),
        requested_by: actor.id.clone(),
        requested_at: context.now,
        decided_by: None,
        decided_at: None,
    };
    deposits::insert_refund(tx, merchant, &refund).await?;
    tell(context, tx, merchant, &refund, actor).await?;
    Ok(refund)
}

/// The deposit that can be given back, in fen.
async fn nothing_follows(context: &Context, tx: &Tx, merchant: &Merchant) -> anyhow::Result<i64> {
    let tenant = tx.tenant();
    let recent = context.now.plus_millis(-ORDER_MS_MAX);
    let receivable = Account::merchant_receivable(&merchant.id);
    let owed = ledger::balance(tx, tenant, &receivable, Currency::Cny).await?;
    let unsettled = items::unclaimed(tx, tenant, &merchant.id).await?;
    let amount = deposited(tx, tenant, &merchant.id).await?;
    let reason = if merchant.open {
        "shop_open"
    } else if merchants::has_open_order(tx, tenant, (&merchant.id, recent)).await? {
        "open_orders"
    } else if owed.posted().minor() != 0 {
        "something_owed"
    } else if !unsettled.is_empty() {
        "lines_not_settled"
    } else if amount <= 0 {
        "nothing_deposited"
    } else {
        return Ok(amount);
    };
    Err(Refusal::conflict(
        "deposit_still_needed",
        Message::new(
            format!(
                "The deposit is given back when the shop is closed, no order is open, nothing is owed and every line is settled. Now: {reason}."
            ),
            format!("店铺关闭、无未完成订单、无欠款且全部明细已结算后方可退还保证金。当前原因：{reason}。"),
        ),
    )
    .into())
}

/// Decides the request for a deposit. What is given back can be withdrawn.
///
/// # Errors
/// 403 for whoever asked, 409 without an open request or when something is owed by now; a failure of the database.
pub(crate) async fn give_back(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (merchant, approve): (&MerchantId, bool),
) -> anyhow::Result<Refund> {
    let known = merchants::merchant(tx, tx.tenant(), merchant).await?;
    let known = known.ok_or_else(unknown_merchant)?;
    let last = deposits::last_refund(tx, tx.tenant(), merchant).await?;
    let Some(refund) = last.filter(Refund::is_open) else {
        return Err(refund_state("not requested").into());
    };
    if refund.requested_by == actor.id {
        return Err(own_request().into());
    }
    let mut after = Refund {
        decided_by: Some(actor.id.clone()),
        decided_at: Some(context.now),
        state: "rejected".to_owned(),
        ..refund
    };
    if approve {
        after.amount_minor = nothing_follows(context, tx, &known)
            .await?
            .min(after.amount_minor);
        after.state = "refunded".to_owned();
        let reference = format!("{merchant}/{}", after.number);
        let posting = Posting::new("deposit.refunded", &reference, context.now)
            .debit(Account::merchant_deposit(merchant), fen(after.amount_minor))
            .credit(Account::merchant_payable(merchant), fen(after.amount_minor));
        ledger::post(tx, &posting).await?;
    }
    let decided = (after.state.as_str(), &actor.id, context.now);
    deposits::decide(tx, (merchant, after.number), decided).await?;
    tell(context, tx, merchant, &after, actor).await?;
    restand(context, tx, merchant).await?;
    Ok(after)
}

async fn tell(
    context: &Context,
    tx: &Tx,
    merchant: &MerchantId,
    refund: &Refund,
    actor: &Actor,
) -> anyhow::Result<()> {
    let fact = DepositRefundChanged {
        merchant: merchant.clone(),
        state: refund.state.clone(),
        amount_minor: refund.amount_minor,
        actor: actor.id.clone(),
    };
    append(context, tx, &fact).await
}

fn refund_state(state: &str) -> Refusal {
    Refusal::conflict(
        "deposit_refund_state",
        Message::new(
            format!(
                "The giving back of this deposit is {state}: it is requested once, then decided."
            ),
            format!("该保证金退还当前状态为 {state}：须先申请，再审核。"),
        ),
    )
}

/// The merchant with what was agreed.
///
/// # Errors
/// 404 for a merchant that was not heard of, 409 without a contract; a failure of the database.
pub(crate) async fn agreed(
    context: &Context,
    db: &impl Read,
    (tenant, merchant): (&TenantId, &MerchantId),
) -> anyhow::Result<(Merchant, Contract, Terms)> {
    let known = merchants::merchant(db, tenant, merchant).await?;
    let known = known.ok_or_else(unknown_merchant)?;
    let found = contract_now(context, db, (tenant, merchant)).await?;
    let (contract, terms) = found.ok_or_else(no_contract)?;
    Ok((known, contract, terms))
}
