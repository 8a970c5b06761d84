//! Rewards: a resident takes one off the shelf, for nothing or for a part of its worth; nobody gets two, or two of a month,
//! and the shelf is never below nothing.

use kernel::{Actor, CommunityId, Currency, Message, Money, PaymentId, Refusal};
use ledger::{Account, Posting};
use store::Tx;
use wire::event::{PaymentClosed, PaymentRequested, PaymentSucceeded, RefundRequested};

use crate::context::Context;
use crate::domain::unknown_reward;
use crate::facts;
use crate::store::rewards::{self, Claim, Reward};

/// What payments of rewards are for.
pub(crate) const PURPOSE: &str = "ad_reward";
/// For how long a reward waits to be paid for, in milliseconds: half an hour.
pub(crate) const UNPAID_MS: i64 = 30 * 60 * 1_000;

/// Takes a reward for somebody.
///
/// # Errors
/// 409 when they have one, it is over, or none is left.
pub(crate) async fn claim(
    context: &Context,
    tx: &Tx,
    reward: &Reward,
    (actor, community): (&Actor, &CommunityId),
) -> anyhow::Result<Claim> {
    if reward.until <= context.today() {
        return Err(over().into());
    }
    let period = match reward.monthly {
        true => context.today().format("%Y-%m").to_string(),
        false => String::new(),
    };
    let whose = (&reward.id, &actor.id, period.as_str());
    if rewards::claim_of(tx, tx.tenant(), whose).await?.is_some() {
        return Err(has_one().into());
    }
    if !rewards::take(tx, &reward.id).await? {
        return Err(none_left().into());
    }
    let is_free = reward.price_minor == 0;
    let id: String = context.new_id::<kernel::EventId>()?.into();
    let code: String = id
        .chars()
        .rev()
        .filter(char::is_ascii_alphanumeric)
        .take(10)
        .collect();
    let payment: Option<PaymentId> = if is_free {
        None
    } else {
        Some(context.new_id()?)
    };
    let claim = Claim {
        id,
        reward: reward.id.clone(),
        person: actor.id.clone(),
        state: if is_free { "claimed" } else { "unpaid" }.to_owned(),
        code: code.to_uppercase(),
        payment,
        claimed_at: context.now,
        redeemed_at: None,
        period,
    };
    rewards::insert_claim(tx, &claim).await?;
    match &claim.payment {
        None => give(context, tx, (reward, &claim), 0).await?,
        Some(payment) => {
            let fact = PaymentRequested {
                payment: payment.clone(),
                purpose: PURPOSE.to_owned(),
                payer: actor.id.clone(),
                community: community.clone(),
                amount_minor: reward.price_minor,
                currency: Currency::Cny,
                subject: reward.name.as_str().to_owned(),
                reference: claim.id.clone(),
                expires_at: context.now.plus_millis(UNPAID_MS),
                direct_minor: 0,
            };
            facts::append(context, tx, &fact).await?;
        }
    }
    Ok(claim)
}

/// Money for a reward came: it is its person's. What comes for one that has lapsed goes back.
pub(crate) async fn paid(
    context: &Context,
    tx: &Tx,
    succeeded: &PaymentSucceeded,
) -> anyhow::Result<()> {
    if succeeded.purpose != PURPOSE {
        return Ok(());
    }
    let Some(claim) = rewards::claim_of_payment(tx, &succeeded.payment).await? else {
        return Ok(());
    };
    if !rewards::set_state(tx, &claim.id, ("unpaid", "claimed"), None).await? {
        let fact = RefundRequested {
            refund: context.new_id()?,
            payment: succeeded.payment.clone(),
            amount_minor: succeeded.amount_minor,
            reason: "奖品已失效".to_owned(),
            direct_minor: 0,
        };
        return facts::append(context, tx, &fact).await;
    }
    let reward = rewards::reward(tx, tx.tenant(), &claim.reward).await?;
    let reward = reward.ok_or_else(unknown_reward)?;
    give(context, tx, (&reward, &claim), succeeded.amount_minor).await
}

/// Nobody paid in time: the reward is on the shelf again.
pub(crate) async fn closed(tx: &Tx, closed: &PaymentClosed) -> anyhow::Result<()> {
    if closed.purpose != PURPOSE {
        return Ok(());
    }
    let Some(claim) = rewards::claim_of_payment(tx, &closed.payment).await? else {
        return Ok(());
    };
    if rewards::set_state(tx, &claim.id, ("unpaid", "lapsed"), None).await? {
        rewards::put_back(tx, &claim.reward).await?;
    }
    Ok(())
}

/// A unit leaves the books: what was paid for it came in, the rest of its worth is given.
async fn give(
    context: &Context,
    tx: &Tx,
    (reward, claim): (&Reward, &Claim),
    paid_minor: i64,
) -> anyhow::Result<()> {
    let given = reward.unit_minor - paid_minor;
    let fen = |minor| Money::new(minor, Currency::Cny);
    let mut posting = Posting::new("barter.given", &claim.id, context.now);
    if paid_minor > 0 {
        posting = posting.debit(Account::suspense(), fen(paid_minor));
    }
    if given > 0 {
        posting = posting.debit(Account::coupon_subsidy_expense(), fen(given));
    }
    if reward.unit_minor > 0 {
        posting = posting.credit(Account::barter_stock(), fen(reward.unit_minor));
        ledger::post(tx, &posting).await?;
    }
    Ok(())
}

fn over() -> Refusal {
    Refusal::conflict(
        "reward_over",
        Message::new("The reward can no longer be had.", "该奖品已截止领取。"),
    )
}

fn has_one() -> Refusal {
    Refusal::conflict(
        "reward_claimed",
        Message::new(
            "You have this reward already, or that of this month. Show its code when you pick it up.",
            "您已领取该奖品（或本月的奖品），请凭领取码兑换。",
        ),
    )
}

fn none_left() -> Refusal {
    Refusal::conflict(
        "reward_none_left",
        Message::new("None of this reward is left.", "该奖品已领完。"),
    )
}
