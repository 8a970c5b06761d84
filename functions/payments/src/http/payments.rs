//! `/api/payments`: what is to be paid, and starting to pay it.

use kernel::{ActorId, CommunityId, Message, Money, PaymentId, Refusal, Timestamp, TransactionId};
use serde::{Deserialize, Serialize};
use store::Answer;
use web::{Query, Reply, Request};
use writing::write_once;

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{
    Attempt, AttemptState, Channel, Payment, PaymentState, attempt_refused, can_pay, can_see,
    next_poll, startable, unknown_payment,
};
use crate::inbox;
use crate::store::payments::Filter;
use crate::store::{attempts, payments as sql};
use crate::work;

#[derive(Serialize)]
struct ShownPayment {
    id: PaymentId,
    purpose: String,
    reference: String,
    payer: ActorId,
    community: CommunityId,
    amount: Money,
    subject: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionId>,
    refunded_minor: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<ShownAttempt>>,
}

#[derive(Serialize)]
pub(super) struct ShownAttempt {
    id: String,
    payment: PaymentId,
    channel: &'static str,
    number: String,
    amount: Money,
    created_at: Timestamp,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAttempt {
    channel: String,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(PaymentId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    let state = query.take("state", |text| match text {
        "open" | "succeeded" | "closed" => Ok(text.to_owned()),
        _ => Err("it is open, succeeded or closed"),
    })?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    // Who works for a community sees all of it; everybody else the own.
    let by_community = match &community {
        Some(community) => can_list(&actor, community),
        None => matches!(
            actor.kind,
            kernel::ActorKind::Operator | kernel::ActorKind::Auditor
        ),
    };
    let filter = Filter {
        payer: (!by_community).then_some(&actor.id),
        community: community.as_ref(),
        state: state.as_deref(),
    };
    let found = sql::payments(&context.db, &actor.tenant, &filter, &page).await?;
    let shown = page.listing(
        found,
        |payment| payment.id.to_string(),
        |payment| show_payment(payment, None),
    );
    Ok(Reply::ok(&shown))
}

fn can_list(actor: &kernel::Actor, community: &CommunityId) -> bool {
    match actor.kind {
        kernel::ActorKind::Operator | kernel::ActorKind::Auditor => true,
        kernel::ActorKind::Staff => actor.reaches(community),
        kernel::ActorKind::Application => actor.may("payments:read"),
        _ => false,
    }
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: PaymentId = path_id(payment, unknown_payment)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let payment = sql::payment(&context.db, &actor.tenant, &id).await?;
    let payment = payment
        .filter(|payment| can_see(&actor, payment))
        .ok_or_else(unknown_payment)?;
    let attempts = attempts::attempts(&context.db, &actor.tenant, &id).await?;
    Ok(Reply::ok(&show_payment(payment, Some(attempts))))
}

/// Starts to pay. An attempt over the same channel that still waits is shown again instead of a new one.
pub(super) async fn attempt(
    context: &Context,
    request: &Request,
    payment: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: PaymentId = path_id(payment, unknown_payment)?;
    let new: NewAttempt = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let started = write_once(context, request, &actor, async |tx| {
        let payment = sql::payment(&*tx, &actor.tenant, &id).await?;
        let payment = payment
            .filter(|payment| can_see(&actor, payment))
            .ok_or_else(unknown_payment)?;
        if !can_pay(&actor, &payment) {
            return Err(payers_only().into());
        }
        let channel = Channel::parse(&new.channel).filter(|channel| context.offers(*channel));
        let channel = channel.ok_or_else(attempt_refused)?;
        let before = attempts::attempts(&*tx, &actor.tenant, &id).await?;
        startable(&payment, before.len(), context.now)?;
        let open = before
            .into_iter()
            .find(|attempt| attempt.channel == channel && attempt.state.is_open());
        let attempt = match open {
            Some(attempt) => attempt.id,
            None => begin(context, tx, &payment, channel).await?,
        };
        Ok(Answer {
            status: 201,
            body: attempt,
        })
    })
    .await?;
    // The channel is told after the commit; the same number again is the same order there.
    let stored = attempts::attempt(&context.db, &actor.tenant, &started.body).await?;
    let payment = sql::payment(&context.db, &actor.tenant, &id).await?;
    let (Some(attempt), Some(payment)) = (stored, payment) else {
        return Err(unknown_payment().into());
    };
    let attempt = if attempt.state == AttemptState::Started && payment.state == PaymentState::Open {
        work::start(context, &actor.tenant, &payment, attempt).await?
    } else {
        attempt
    };
    Ok(Reply::created(
        &format!("/api/payments/{id}"),
        &show_attempt(attempt),
    ))
}

async fn begin(
    context: &Context,
    tx: &store::Tx,
    payment: &Payment,
    channel: Channel,
) -> anyhow::Result<String> {
    let attempt = Attempt {
        id: web::new_id(context.now)?,
        payment: payment.id.clone(),
        channel,
        number: context.new_number()?,
        amount: payment.amount,
        created_at: context.now,
        state: AttemptState::Started,
        code_url: None,
        reason: None,
        channel_transaction: None,
        paid_at: None,
        due_at: next_poll(0, context.now),
        polls: 0,
    };
    attempts::insert_attempt(tx, &attempt).await?;
    Ok(attempt.id)
}

fn payers_only() -> Refusal {
    Refusal::forbidden(
        "payers_only",
        Message::new(
            "Only the payer or the property office starts to pay.",
            "仅付款人或物业可以发起付款。",
        ),
    )
}

fn show_payment(payment: Payment, attempts: Option<Vec<Attempt>>) -> ShownPayment {
    let state = payment.state.name();
    let (reason, paid_at, transaction) = match payment.state {
        PaymentState::Open => (None, None, None),
        PaymentState::Succeeded {
            paid_at,
            transaction,
            ..
        } => (None, Some(paid_at), Some(transaction)),
        PaymentState::Closed(reason) => (Some(reason.as_str()), None, None),
    };
    ShownPayment {
        id: payment.id,
        purpose: payment.purpose,
        reference: payment.reference,
        payer: payment.payer,
        community: payment.community,
        amount: payment.amount,
        subject: payment.subject,
        created_at: payment.created_at,
        expires_at: payment.expires_at,
        state,
        reason,
        paid_at,
        transaction,
        refunded_minor: payment.refunded,
        attempts: attempts.map(|attempts| attempts.into_iter().map(show_attempt).collect()),
    }
}

fn show_attempt(attempt: Attempt) -> ShownAttempt {
    ShownAttempt {
        id: attempt.id,
        payment: attempt.payment,
        channel: attempt.channel.as_str(),
        number: attempt.number,
        amount: attempt.amount,
        created_at: attempt.created_at,
        state: attempt.state.as_str(),
        code_url: attempt.code_url,
        reason: attempt.reason,
        channel_transaction: attempt.channel_transaction,
        paid_at: attempt.paid_at,
    }
}
