//! Recharges of prepaid meters: paid, then commanded, then confirmed by the meter over its gateway, or by hand where no
//! gateway carries money; what no meter confirms is given back.
//! Never a way to cut anybody off.

use kernel::{
    ActorId, Commodity, CommunityId, Currency, Message, PaymentId, RefundId, Refusal, RoomId,
    Timestamp,
};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{
    MeterRecharged, PaymentClosed, PaymentRequested, PaymentSucceeded, RechargeCommanded,
    RechargeFinished, RefundFailed, RefundRequested, RefundSucceeded,
};

use crate::context::Context;
use crate::crediting::to_wallet;
use crate::facts::{append, fen};
use crate::paying::PAYMENT_MS;
use crate::store::recharges::{self as sql, Recharge, RechargeState};

/// What payments calls this purpose by.
pub(crate) const PURPOSE: &str = "recharge";
/// The most of one recharge, in fen: 5,000 yuan.
pub(crate) const AMOUNT_MINOR_MAX: i64 = 500_000;
/// How long a meter may take to confirm, in milliseconds: 24 hours.
pub(crate) const CONFIRM_MS: i64 = 24 * 60 * 60 * 1_000;

/// Asks for the money of a recharge.
pub(crate) async fn request(
    context: &Context,
    tx: &Tx,
    (payer, community, room): (&ActorId, &CommunityId, &RoomId),
    (commodity, amount_minor): (Commodity, i64),
) -> anyhow::Result<Recharge> {
    if !(1..=AMOUNT_MINOR_MAX).contains(&amount_minor) {
        return Err(wrong_amount().into());
    }
    let payment: PaymentId = context.new_id()?;
    let recharge = Recharge {
        id: context.new_id()?,
        payment,
        community: community.clone(),
        room: room.clone(),
        payer: payer.clone(),
        commodity,
        amount_minor,
        state: RechargeState::Requested,
        refund: None,
        requested_at: context.now,
        commanded_at: None,
        ended_at: None,
        note: None,
    };
    sql::insert_recharge(tx, &recharge).await?;
    let fact = PaymentRequested {
        payment: recharge.payment.clone(),
        purpose: PURPOSE.to_owned(),
        payer: recharge.payer.clone(),
        community: recharge.community.clone(),
        amount_minor,
        currency: Currency::Cny,
        subject: "预付费充值 / Recharge of a prepaid meter".to_owned(),
        reference: recharge.id.to_string(),
        expires_at: context.now.plus_millis(PAYMENT_MS),
        direct_minor: 0,
    };
    append(context, tx, &fact).await?;
    Ok(recharge)
}

/// The money of a recharge is there: the meter is told. Until it confirms, the money stays in suspense.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    event: &PaymentSucceeded,
) -> anyhow::Result<()> {
    let Some(recharge) = sql::recharge_of(tx, &event.payment).await? else {
        anyhow::bail!("no recharge is paid by {}", event.payment);
    };
    match recharge.state {
        RechargeState::Requested => {}
        RechargeState::Closed => {
            let key = ("recharge.late", recharge.id.as_str());
            return to_wallet(context, tx, key, (&recharge.payer, event.amount_minor)).await;
        }
        _ => return Ok(()),
    }
    let commanded = Recharge {
        state: RechargeState::Commanded,
        commanded_at: Some(context.now),
        ..recharge
    };
    sql::update_recharge(tx, &commanded).await?;
    let fact = RechargeCommanded {
        recharge: commanded.id.clone(),
        community: commanded.community.clone(),
        room: commanded.room.clone(),
        commodity: commanded.commodity,
        amount_minor: commanded.amount_minor,
    };
    append(context, tx, &fact).await
}

/// The payment of a recharge was closed.
pub(crate) async fn closed(
    context: &Context,
    tx: &Tx,
    event: &PaymentClosed,
) -> anyhow::Result<()> {
    match sql::recharge_of(tx, &event.payment).await? {
        Some(recharge) if recharge.state == RechargeState::Requested => {
            let ended = Recharge {
                state: RechargeState::Closed,
                ended_at: Some(context.now),
                ..recharge
            };
            sql::update_recharge(tx, &ended).await
        }
        _ => Ok(()),
    }
}

/// The meter has taken a recharge: the money is the community's.
///
/// # Errors
/// 409 unless it was commanded; a failure of the database.
pub(crate) async fn confirm(
    context: &Context,
    tx: &Tx,
    (recharge, actor): (Recharge, &ActorId),
    note: Option<String>,
) -> anyhow::Result<Recharge> {
    check_commanded(&recharge)?;
    let posting = Posting::new("recharge", recharge.id.as_str(), context.now)
        .debit(Account::suspense(), fen(recharge.amount_minor))
        .credit(
            Account::fee_income(&recharge.community),
            fen(recharge.amount_minor),
        );
    ledger::post(tx, &posting).await?;
    let ended = Recharge {
        state: RechargeState::Confirmed,
        ended_at: Some(context.now),
        note,
        ..recharge
    };
    finished(context, tx, &ended, Some(actor)).await?;
    Ok(ended)
}

/// The meter has answered: the money is the community's, or goes back. Its gateway says so.
pub(crate) async fn meter_answered(
    context: &Context,
    tx: &Tx,
    event: &MeterRecharged,
) -> anyhow::Result<()> {
    let found = sql::recharge(tx, tx.tenant(), &event.recharge).await?;
    let Some(recharge) = found else {
        anyhow::bail!(
            "a meter answered to {}, which is no recharge",
            event.recharge
        );
    };
    if recharge.state != RechargeState::Commanded {
        if event.taken && recharge.state != RechargeState::Confirmed {
            let text = format!(
                "meter {} took recharge {} after its money was {}: settle it with the payer",
                event.meter,
                event.recharge,
                recharge.state.as_str()
            );
            web::log("error", "-", &text);
        }
        return Ok(());
    }
    let gateway = ActorId::parse(event.gateway.as_str())?;
    if event.taken {
        let note = format!("表计 {0} 已到账 / taken by meter {0}", event.meter);
        return confirm(context, tx, (recharge, &gateway), Some(note))
            .await
            .map(|_| ());
    }
    let said = event.detail.as_deref().unwrap_or("-");
    let note = format!("表计拒绝 / refused by the meter: {said}");
    give_back(context, tx, (recharge, Some(&gateway)), &note)
        .await
        .map(|_| ())
}

/// The meter has not taken a recharge: the money goes back.
///
/// # Errors
/// 409 unless it was commanded; a failure of the database.
pub(crate) async fn give_back(
    context: &Context,
    tx: &Tx,
    (recharge, actor): (Recharge, Option<&ActorId>),
    note: &str,
) -> anyhow::Result<Recharge> {
    check_commanded(&recharge)?;
    let refund: RefundId = context.new_id()?;
    let given = Recharge {
        state: RechargeState::Refunding,
        refund: Some(refund.clone()),
        note: Some(note.to_owned()),
        ..recharge
    };
    let fact = RefundRequested {
        refund,
        payment: given.payment.clone(),
        amount_minor: given.amount_minor,
        reason: note.to_owned(),
        direct_minor: 0,
    };
    append(context, tx, &fact).await?;
    finished(context, tx, &given, actor).await?;
    Ok(given)
}

async fn finished(
    context: &Context,
    tx: &Tx,
    recharge: &Recharge,
    actor: Option<&ActorId>,
) -> anyhow::Result<()> {
    sql::update_recharge(tx, recharge).await?;
    let fact = RechargeFinished {
        recharge: recharge.id.clone(),
        community: recharge.community.clone(),
        room: recharge.room.clone(),
        amount_minor: recharge.amount_minor,
        state: recharge.state.as_str().to_owned(),
        actor: actor.cloned(),
    };
    append(context, tx, &fact).await
}

/// The money of a recharge went back.
pub(crate) async fn refund_succeeded(
    context: &Context,
    tx: &Tx,
    event: &RefundSucceeded,
) -> anyhow::Result<()> {
    refunded(tx, (&event.payment, &event.refund), context.now)
        .await
        .map(|_| ())
}

/// The channel does not give it back: it becomes credit of the payer.
pub(crate) async fn refund_failed(
    context: &Context,
    tx: &Tx,
    event: &RefundFailed,
) -> anyhow::Result<()> {
    let ended = refunded(tx, (&event.payment, &event.refund), context.now).await?;
    let Some(recharge) = ended else { return Ok(()) };
    let key = ("recharge.refund_failed", recharge.id.as_str());
    to_wallet(context, tx, key, (&recharge.payer, recharge.amount_minor)).await
}

/// The recharge whose refund has ended by this, for the first time.
async fn refunded(
    tx: &Tx,
    (payment, refund): (&PaymentId, &RefundId),
    now: Timestamp,
) -> anyhow::Result<Option<Recharge>> {
    let found = sql::recharge_of(tx, payment).await?;
    let found = found.filter(|recharge| {
        recharge.state == RechargeState::Refunding && recharge.refund.as_ref() == Some(refund)
    });
    let Some(recharge) = found else {
        return Ok(None);
    };
    let ended = Recharge {
        state: RechargeState::Refunded,
        ended_at: Some(now),
        ..recharge
    };
    sql::update_recharge(tx, &ended).await?;
    Ok(Some(ended))
}

fn check_commanded(recharge: &Recharge) -> Result<(), Refusal> {
    if recharge.state == RechargeState::Commanded {
        return Ok(());
    }
    let state = recharge.state.as_str();
    Err(Refusal::conflict(
        "recharge_state",
        Message::new(
            format!("The recharge is {state}: only one that is commanded waits for an answer."),
            format!("该充值当前为 {state}，仅已下发的充值可确认。"),
        ),
    ))
}

fn wrong_amount() -> Refusal {
    Refusal::invalid(
        "recharge_amount",
        Message::new(
            format!("A recharge is from 1 to {AMOUNT_MINOR_MAX} fen."),
            format!("充值金额应为 1 到 {AMOUNT_MINOR_MAX} 分。"),
        ),
    )
}

/// No such recharge, or none that the caller may know.
pub(crate) fn unknown_recharge() -> Refusal {
    Refusal::not_found(
        "recharge_unknown",
        Message::new(
            "There is no such recharge that you can see.",
            "未找到您可查看的该笔充值。",
        ),
    )
}
