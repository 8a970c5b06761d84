//! `/api/simulated-channel`: the other side of the simulated channel, for development and demonstrations. Here a payer
//! pays, and the operator says how the channel treats its notices.

use kernel::{Message, PaymentId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::channel::simulator;
use crate::context::Context;
use crate::cron::TICK_CALLS_MAX;
use crate::domain::{Channel, can_pay, can_see, operators_only, unknown_payment};
use crate::store::simulated::{self as sql, Behaviour};
use crate::store::{attempts, payments};
use crate::{inbox, work};

/// The longest delay of a notice, in seconds: a week.
const DELAY_S_MAX: i64 = 7 * 24 * 60 * 60;
/// How often a notice may be repeated.
const REPEATS_MAX: i64 = 20;

#[derive(Serialize)]
struct ShownOrder {
    payment: PaymentId,
    number: String,
    state: String,
    transaction: Option<String>,
    paid_at: Option<Timestamp>,
    amount_minor: i64,
    refunded_minor: i64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ShownBehaviour {
    /// Of the notices of this payment only; without, of all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentId>,
    #[serde(default)]
    delay_s: i64,
    #[serde(default)]
    repeats: i64,
    #[serde(default)]
    lose: bool,
    #[serde(default)]
    reorder: bool,
    #[serde(default)]
    fail_refunds: bool,
}

/// The payer pays on the telephone.
pub(super) async fn pay(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    offered(context)?;
    let id: PaymentId = path_id(payment, unknown_payment)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let payment = payments::payment(&context.db, &actor.tenant, &id).await?;
    let payment = payment.filter(|payment| can_see(&actor, payment) && can_pay(&actor, payment));
    payment.ok_or_else(unknown_payment)?;
    let number = number_of(context, &actor.tenant, &id).await?;
    let paid = simulator::pay(context, &actor.tenant, &number).await?;
    if paid.is_some() {
        work::deliver(context, TICK_CALLS_MAX).await?;
    }
    let order = sql::order(&context.db, &actor.tenant, &number)
        .await?
        .ok_or_else(no_order)?;
    if paid.is_none() && order.paid_at.is_none() {
        return Err(no_order().into());
    }
    Ok(Reply::ok(&ShownOrder {
        payment: id,
        number: order.number,
        state: order.state,
        transaction: order.transaction,
        paid_at: order.paid_at,
        amount_minor: order.amount,
        refunded_minor: order.refunded,
    }))
}

/// The number of the payment's latest attempt over the simulated channel.
async fn number_of(
    context: &Context,
    tenant: &kernel::TenantId,
    payment: &PaymentId,
) -> anyhow::Result<String> {
    let attempts = attempts::attempts(&context.db, tenant, payment).await?;
    let own = attempts
        .into_iter()
        .rev()
        .find(|attempt| attempt.channel == Channel::Simulated);
    Ok(own.ok_or_else(no_order)?.number)
}

pub(super) async fn behaviour(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    offered(context)?;
    let mut query = Query::of(request)?;
    let payment = query.take("payment", PaymentId::parse)?;
    query.finish()?;
    let number = match &payment {
        Some(payment) => number_of(context, &actor.tenant, payment).await?,
        None => String::new(),
    };
    let held = sql::behaviour(&context.db, &actor.tenant, &number).await?;
    Ok(Reply::ok(&ShownBehaviour {
        payment,
        delay_s: held.delay_s,
        repeats: held.repeats,
        lose: held.lose,
        reorder: held.reorder,
        fail_refunds: held.fail_refunds,
    }))
}

pub(super) async fn behave(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    operators_only(&actor)?;
    offered(context)?;
    let new: ShownBehaviour = web::body(request)?;
    if !(0..=DELAY_S_MAX).contains(&new.delay_s) || !(0..=REPEATS_MAX).contains(&new.repeats) {
        return Err(beyond().into());
    }
    let number = match &new.payment {
        Some(payment) => number_of(context, &actor.tenant, payment).await?,
        None => String::new(),
    };
    let behaviour = Behaviour {
        delay_s: new.delay_s,
        repeats: new.repeats,
        lose: new.lose,
        reorder: new.reorder,
        fail_refunds: new.fail_refunds,
    };
    tx(&context.db, &actor.tenant, async |tx| {
        sql::put_behaviour(tx, &number, behaviour).await
    })
    .await?;
    Ok(Reply::ok(&new))
}

fn offered(context: &Context) -> Result<(), Refusal> {
    if context.offers(Channel::Simulated) {
        return Ok(());
    }
    Err(Refusal::not_found(
        "channel_unknown",
        Message::new(
            "The simulated channel is not offered here.",
            "本平台未开通模拟支付渠道。",
        ),
    ))
}

fn no_order() -> Refusal {
    Refusal::conflict(
        "nothing_to_pay",
        Message::new(
            "The simulated channel waits for no money of this payment. Start an attempt over it first.",
            "模拟渠道没有该支付单的待付订单，请先发起付款。",
        ),
    )
}

fn beyond() -> Refusal {
    Refusal::invalid(
        "behaviour_beyond",
        Message::new(
            format!(
                "A delay has at most {DELAY_S_MAX} seconds, and a notice at most {REPEATS_MAX} repeats."
            ),
            format!("延迟不超过 {DELAY_S_MAX} 秒，重复不超过 {REPEATS_MAX} 次。"),
        ),
    )
}
