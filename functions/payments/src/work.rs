//! What is owed to channels and by them: attempts to start, to ask for and to close, refunds to send, notices of the
//! simulated channel to deliver. The world is talked to between transactions, never inside of one.

use kernel::{RefundId, TenantId};
use store::tx;

use crate::channel::{self, Back, Fault, Trade, simulator};
use crate::context::Context;
use crate::domain::{
    Attempt, AttemptState, Channel, Payment, PaymentState, Refund, RefundState, next_poll,
};
use crate::http::notices;
use crate::money;
use crate::protocol::keys::random_text;
use crate::protocol::transfers::{FINISHED, RESOURCE};
use crate::protocol::wechat::{Notice, seal, written};
use crate::store::simulated::{self, Pending};
use crate::store::{attempts, payments, refunds};

/// How often the delivery of a notice may fail.
const FAILURES_MAX: i64 = 8;
/// Between two deliveries of a notice, in milliseconds.
const REDELIVERY_MS: i64 = 15_000;

/// Tells the channel of a new attempt. What it does not answer is unknown, and asked for later.
pub(crate) async fn start(
    context: &Context,
    tenant: &TenantId,
    payment: &Payment,
    attempt: Attempt,
) -> anyhow::Result<Attempt> {
    let attempt = match channel::start(context, tenant, payment, &attempt).await {
        Ok(code_url) => Attempt {
            state: AttemptState::Waiting,
            code_url: Some(code_url),
            ..attempt
        },
        Err(Fault::Refused(code)) => Attempt {
            state: AttemptState::Refused,
            reason: Some(code),
            due_at: None,
            ..attempt
        },
        Err(Fault::Unknown(error)) => {
            web::log(
                "warn",
                "-",
                &format!("starting the attempt {}: {error:#}", attempt.id),
            );
            return Ok(attempt);
        }
    };
    store_attempt(context, tenant, &attempt).await?;
    Ok(attempt)
}

async fn store_attempt(
    context: &Context,
    tenant: &TenantId,
    attempt: &Attempt,
) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        attempts::update_attempt(tx, attempt).await
    })
    .await
}

/// Asks the channel for an attempt of which no notice came; closes it there when its payment is over.
pub(crate) async fn ask_for(context: &Context, tenant: &TenantId, id: &str) -> anyhow::Result<()> {
    let Some(attempt) = attempts::attempt(&context.db, tenant, id).await? else {
        return Ok(());
    };
    let Some(payment) = payments::payment(&context.db, tenant, &attempt.payment).await? else {
        return Ok(());
    };
    let trade = match channel::query(context, tenant, &attempt).await {
        Ok(trade) => trade,
        Err(fault) => {
            web::log(
                "warn",
                "-",
                &format!("asking for the attempt {id}: {fault:?}"),
            );
            return later(context, tenant, attempt).await;
        }
    };
    let is_over = payment.state != PaymentState::Open;
    match trade {
        Trade::Paid(paid) => {
            let told = money::paid(context, tenant, attempt.channel, (&paid, None)).await;
            if let Err(error) = told {
                web::log(
                    "error",
                    "-",
                    &format!("the attempt {id} is paid at the channel: {error:#}"),
                );
                return later(context, tenant, attempt).await;
            }
            Ok(())
        }
        Trade::Closed => closed(context, tenant, attempt).await,
        Trade::Absent if is_over => closed(context, tenant, attempt).await,
        Trade::Absent if attempt.state == AttemptState::Started => {
            // It may not have arrived: the same number again is the same order there.
            start(context, tenant, &payment, polled(context, attempt))
                .await
                .map(|_| ())
        }
        Trade::Waiting if is_over => match channel::close(context, tenant, &attempt).await {
            Ok(()) => closed(context, tenant, attempt).await,
            // Perhaps it is being paid this very moment: the next query says.
            Err(_) => later(context, tenant, attempt).await,
        },
        Trade::Waiting | Trade::Absent => later(context, tenant, attempt).await,
    }
}

fn polled(context: &Context, attempt: Attempt) -> Attempt {
    Attempt {
        due_at: next_poll(attempt.polls, context.now),
        polls: attempt.polls + 1,
        ..attempt
    }
}

async fn later(context: &Context, tenant: &TenantId, attempt: Attempt) -> anyhow::Result<()> {
    store_attempt(context, tenant, &polled(context, attempt)).await
}

async fn closed(context: &Context, tenant: &TenantId, attempt: Attempt) -> anyhow::Result<()> {
    let attempt = Attempt {
        state: AttemptState::Closed,
        due_at: None,
        ..attempt
    };
    store_attempt(context, tenant, &attempt).await
}

/// Has the channel give money back, or asks how that stands.
pub(crate) async fn send_refund(
    context: &Context,
    tenant: &TenantId,
    id: &RefundId,
) -> anyhow::Result<()> {
    let Some(refund) = refunds::refund(&context.db, tenant, id).await? else {
        return Ok(());
    };
    let back = match refund.state {
        RefundState::Requested => first_refund(context, tenant, &refund).await,
        RefundState::Sent => channel::query_refund(context, tenant, &refund).await,
        RefundState::Succeeded { .. } | RefundState::Failed(_) => return Ok(()),
    };
    let back = match back {
        Ok(back) => back,
        Err(Fault::Refused(code)) => Back::Failed(code.to_lowercase()),
        Err(Fault::Unknown(error)) => {
            web::log("warn", "-", &format!("the refund {id}: {error:#}"));
            Back::Absent
        }
    };
    money::went_back(
        context,
        tenant,
        (refund.channel, &refund.number),
        (&back, None),
    )
    .await
}

/// A refund that may have arrived before is asked for first; its number is always the same.
async fn first_refund(
    context: &Context,
    tenant: &TenantId,
    refund: &Refund,
) -> Result<Back, Fault> {
    if refund.tries > 0 {
        match channel::query_refund(context, tenant, refund).await? {
            Back::Absent => {}
            known => return Ok(known),
        }
    }
    channel::refund(context, tenant, refund).await
}

/// Delivers what the simulated channel has to tell; how many.
pub(crate) async fn deliver(context: &Context, limit: i64) -> anyhow::Result<i64> {
    if !context.channels.simulated {
        return Ok(0);
    }
    let mut delivered = 0;
    for notice in simulated::notices_due(&context.db, context.now, limit).await? {
        let request = notice_request(context, &notice).await?;
        let taken = notices::receive(context, &request, Channel::Simulated.as_str()).await;
        let notice = match taken {
            Ok(_) => Pending {
                left: notice.left - 1,
                ..notice
            },
            Err(error) => {
                web::log(
                    "warn",
                    "-",
                    &format!("the notice {} was not taken: {error:#}", notice.id),
                );
                let failures = notice.failures + 1;
                let left = if failures >= FAILURES_MAX {
                    0
                } else {
                    notice.left
                };
                Pending {
                    left,
                    failures,
                    ..notice
                }
            }
        };
        let due_at = context.now.plus_millis(REDELIVERY_MS * notice.failures);
        tx(&context.db, &notice.tenant, async |tx| {
            simulated::delivered(tx, &notice, due_at).await
        })
        .await?;
        delivered += 1;
    }
    Ok(delivered)
}

/// The request with which the platform posts a notice: encrypted, and signed with its key.
async fn notice_request(context: &Context, pending: &Pending) -> anyhow::Result<web::Request> {
    let keys = simulator::keys(context).await?;
    let kind = match pending.kind.as_str() {
        FINISHED => RESOURCE,
        kind if kind.starts_with("REFUND") => "refund",
        _ => "transaction",
    };
    let nonce = random_text(12)?;
    let notice = Notice {
        id: pending.id.clone(),
        create_time: written(context.now)?,
        resource_type: "encrypt-resource".to_owned(),
        event_type: pending.kind.clone(),
        summary: String::new(),
        resource: seal(keys.api_key(), (&nonce, kind), pending.resource.as_bytes())?,
    };
    let body = serde_json::to_string(&notice)?;
    let signed = keys.sign(context, &body)?;
    let request = ::http::Request::post("/api/payment-notices/simulated")
        .header("content-type", "application/json")
        .header("wechatpay-timestamp", signed.timestamp)
        .header("wechatpay-nonce", signed.nonce)
        .header("wechatpay-signature", signed.signature)
        .header("wechatpay-serial", signed.serial);
    Ok(request.body(body.into())?)
}
