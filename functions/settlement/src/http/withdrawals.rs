//! `/api/withdrawals`: a merchant's money on its way out, seen by four eyes.

use kernel::{Actor, ActorId, Currency, MerchantId, Message, Refusal, Timestamp, WithdrawalId};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::{answer, caller, form, path_id, private, replied, stored, write_once};
use crate::context::Context;
use crate::domain::{
    Name, Number, Reason, TransferChannel, Withdrawal, WithdrawalState, sees_all, settlers_only,
    unknown_withdrawal,
};
use crate::inbox;
use crate::store::{Whose, withdrawals as sql};
use crate::withdrawing::{self, Asked};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWithdrawal {
    merchant: MerchantId,
    amount_minor: i64,
    payee: Name,
    account: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReview {
    approve: bool,
    channel: Option<TransferChannel>,
    note: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewTransfer {
    /// What the bank calls it; absent when it will not be transferred.
    reference: Option<Number>,
    note: Option<Reason>,
}

#[derive(Serialize)]
pub(super) struct ShownWithdrawal {
    id: WithdrawalId,
    merchant: MerchantId,
    amount_minor: i64,
    currency: Currency,
    payee: String,
    /// The last four digits; those who settle read all of them.
    account: String,
    state: &'static str,
    requested_by: ActorId,
    requested_at: Timestamp,
    reviewed_by: Option<ActorId>,
    reviewed_at: Option<Timestamp>,
    note: Option<String>,
    channel: Option<&'static str>,
    number: Option<String>,
    /// What the payee's app opens to say yes, while that is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmation: Option<String>,
    reference: Option<String>,
    paid_by: Option<ActorId>,
    tries: i64,
    ended_at: Option<Timestamp>,
}

pub(super) async fn ask(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewWithdrawal = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        form::acted(tx, &actor, &new.merchant).await?;
        let asked = Asked {
            amount_minor: new.amount_minor,
            payee: new.payee.as_str(),
            account: new.account.as_str(),
        };
        let of = (&actor, &new.merchant);
        let withdrawal = withdrawing::request(context, tx, of, &asked).await?;
        answer(201, &shown(&actor, withdrawal))
    })
    .await?;
    stored(&made, "/api/withdrawals")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(WithdrawalId::parse)?;
    let state = query.take("state", |text| {
        let known = WithdrawalState::ALL.into_iter();
        let mut known = known.filter(|known| known.as_str() == text);
        known.next().ok_or("it is no state of a withdrawal")
    })?;
    let whose = Whose::of(&actor, query.take("merchant", MerchantId::parse)?)?;
    query.finish()?;
    let found = sql::withdrawals(&context.db, (&actor.tenant, &whose), state, &page).await?;
    Ok(private(Reply::ok(&page.listing(
        found,
        |withdrawal| withdrawal.id.to_string(),
        |withdrawal| shown(&actor, withdrawal),
    ))))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    withdrawal: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let found = seen(&context.db, &actor, withdrawal).await?;
    Ok(private(Reply::ok(&shown(&actor, found))))
}

/// Decides a request: somebody who settles, and did not ask.
pub(super) async fn review(
    context: &Context,
    request: &Request,
    withdrawal: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewReview = web::body(request)?;
    let channel = channel_of(&new)?;
    let reviewed = write_once(context, request, &actor, async |tx| {
        let before = seen(tx, &actor, withdrawal).await?;
        settlers_only(&actor)?;
        let what = (channel, new.note.as_ref());
        let after = withdrawing::review(context, tx, (&actor, before), what).await?;
        answer(200, &shown(&actor, after))
    })
    .await?;
    replied(&reviewed)
}

/// Over which channel it goes out, if it does.
fn channel_of(new: &NewReview) -> Result<Option<TransferChannel>, Refusal> {
    match (new.approve, new.channel) {
        (true, Some(channel)) => Ok(Some(channel)),
        (false, None) => Ok(None),
        _ => Err(Refusal::invalid(
            "transfer_channel_required",
            Message::new(
                "Approve with a channel, bank, wechat or simulated; reject without one.",
                "同意时须指定渠道（bank、wechat 或 simulated），拒绝时不可指定。",
            ),
        )),
    }
}

pub(super) async fn cancel(
    context: &Context,
    request: &Request,
    withdrawal: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let cancelled = write_once(context, request, &actor, async |tx| {
        let before = seen(tx, &actor, withdrawal).await?;
        form::acted(tx, &actor, &before.merchant).await?;
        let after = withdrawing::cancel(context, tx, (&actor, before)).await?;
        answer(200, &shown(&actor, after))
    })
    .await?;
    replied(&cancelled)
}

/// Records what became of a transfer at the bank.
pub(super) async fn record(
    context: &Context,
    request: &Request,
    withdrawal: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewTransfer = web::body(request)?;
    let recorded = write_once(context, request, &actor, async |tx| {
        let before = seen(tx, &actor, withdrawal).await?;
        settlers_only(&actor)?;
        let reference = new.reference.as_ref().map(Number::as_str);
        let what = (reference, new.note.as_ref());
        let after = withdrawing::record(context, tx, (&actor, before), what).await?;
        answer(200, &shown(&actor, after))
    })
    .await?;
    replied(&recorded)
}

async fn seen(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Withdrawal> {
    let id: WithdrawalId = path_id(text, unknown_withdrawal)?;
    let found = sql::withdrawal(db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_withdrawal)?;
    if sees_all(actor) || form::acts_for(db, actor, &found.merchant).await? {
        return Ok(found);
    }
    Err(unknown_withdrawal().into())
}

pub(super) fn shown(actor: &Actor, withdrawal: Withdrawal) -> ShownWithdrawal {
    let hidden = withdrawal.account.chars().count().saturating_sub(4);
    let account = if crate::domain::settles(actor) {
        withdrawal.account
    } else {
        let last: String = withdrawal.account.chars().skip(hidden).collect();
        format!("****{last}")
    };
    ShownWithdrawal {
        id: withdrawal.id,
        merchant: withdrawal.merchant,
        amount_minor: withdrawal.amount_minor,
        currency: Currency::Cny,
        payee: withdrawal.payee,
        account,
        state: withdrawal.state.as_str(),
        requested_by: withdrawal.requested_by,
        requested_at: withdrawal.requested_at,
        reviewed_by: withdrawal.reviewed_by,
        reviewed_at: withdrawal.reviewed_at,
        note: withdrawal.note,
        channel: withdrawal.channel.map(TransferChannel::as_str),
        number: withdrawal.number,
        confirmation: withdrawal
            .confirmation
            .filter(|_| withdrawal.state == WithdrawalState::Sending),
        reference: withdrawal.reference,
        paid_by: withdrawal.paid_by,
        tries: withdrawal.tries,
        ended_at: withdrawal.ended_at,
    }
}
