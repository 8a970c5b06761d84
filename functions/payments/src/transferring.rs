//! Transfers: taken up when another capability asks, sent under their one number, asked for until the channel says what
//! became of them. Their money is held by whoever asked; nothing is posted here.

use kernel::{Currency, Money, TenantId, TransferId};
use store::{Tx, tx};
use wire::event::{TransferFailed, TransferRequested, TransferSucceeded, TransferWaiting};

use crate::channel::Fault;
use crate::channel::transfers::{self as channel, Stands};
use crate::context::Context;
use crate::domain::{Channel, Transfer, TransferState, next_ask};
use crate::facts::append;
use crate::money::{Event, unknown_number};
use crate::store::{payments, transfers};

/// Takes up what is asked for; what cannot be sent is answered at once.
pub(crate) async fn ask(
    context: &Context,
    tx: &Tx,
    asked: TransferRequested,
) -> anyhow::Result<()> {
    let channel = Channel::parse(&asked.channel);
    let channel = channel.filter(|channel| *channel != Channel::Alipay && context.offers(*channel));
    let transfer = Transfer {
        id: asked.transfer,
        purpose: asked.purpose,
        reference: asked.reference,
        channel: channel.unwrap_or(Channel::Wechat),
        number: context.new_number()?,
        payee: asked.payee,
        name: asked.name,
        amount: Money::new(asked.amount_minor, asked.currency),
        remark: asked.remark,
        created_at: context.now,
        state: TransferState::Requested,
        due_at: Some(context.now),
        tries: 0,
    };
    let reason = match channel {
        None => "channel_unavailable",
        _ if asked.amount_minor <= 0 || asked.currency != Currency::Cny => "invalid",
        Some(_) => return transfers::insert(tx, &transfer).await,
    };
    failed(context, tx, &transfer, reason).await
}

/// Has the channel pay, or asks how that stands. Whether it was heard is not known: it is asked for first from the second
/// time on, and sent again under its number only when the channel has never heard of it.
pub(crate) async fn look_after(
    context: &Context,
    tenant: &TenantId,
    id: &TransferId,
) -> anyhow::Result<()> {
    let Some(transfer) = transfers::transfer(&context.db, tenant, id).await? else {
        return Ok(());
    };
    if transfer.state.is_final() {
        return Ok(());
    }
    let answer = match transfer.tries {
        0 => channel::send(context, tenant, &transfer).await,
        _ => match channel::query(context, tenant, &transfer).await {
            Ok(Stands::Absent) => channel::send(context, tenant, &transfer).await,
            other => other,
        },
    };
    let stands = match answer {
        Ok(stands) => stands,
        Err(Fault::Refused(code)) => Stands::Failed(code.to_lowercase()),
        Err(Fault::Unknown(error)) => {
            web::log("warn", "-", &format!("the transfer {id}: {error:#}"));
            Stands::Absent
        }
    };
    let number = (transfer.channel, transfer.number.as_str());
    moved(context, tenant, number, (&stands, None)).await
}

/// Stores what the channel says of a transfer, and tells whoever asked, once.
///
/// # Errors
/// A refusal when there is no such transfer; a failure of the database.
pub(crate) async fn moved(
    context: &Context,
    tenant: &TenantId,
    (channel, number): (Channel, &str),
    (stands, event): (&Stands, Event<'_>),
) -> anyhow::Result<()> {
    tx(&context.db, tenant, async |tx| {
        let before = transfers::of_number(&*tx, tenant, (channel, number)).await?;
        let before = before.ok_or_else(unknown_number)?;
        if let Some((id, kind)) = event
            && !payments::note(tx, (channel, id), (kind, number), context.now).await?
        {
            return Ok(());
        }
        if before.state.is_final() {
            return Ok(());
        }
        store(context, tx, before, stands).await
    })
    .await
}

async fn store(
    context: &Context,
    tx: &Tx,
    before: Transfer,
    stands: &Stands,
) -> anyhow::Result<()> {
    let state = match stands {
        Stands::Absent => before.state.clone(),
        Stands::Working => TransferState::Sent,
        Stands::Waiting(package) => match (package, &before.state) {
            (Some(confirmation), _) => TransferState::Waiting {
                confirmation: confirmation.clone(),
            },
            (None, known) => known.clone(),
        },
        Stands::Done {
            channel_transfer,
            at,
        } => TransferState::Succeeded {
            channel_transfer: channel_transfer.clone(),
            at: *at,
        },
        Stands::Failed(reason) => TransferState::Failed {
            reason: reason.clone(),
            at: context.now,
        },
    };
    let after = Transfer {
        due_at: (!state.is_final()).then(|| next_ask(before.tries, context.now)),
        tries: before.tries.saturating_add(1),
        state,
        ..before.clone()
    };
    if !transfers::update(tx, &after).await? || after.state == before.state {
        return Ok(());
    }
    match &after.state {
        TransferState::Requested | TransferState::Sent => Ok(()),
        TransferState::Waiting { confirmation } => {
            let fact = TransferWaiting {
                transfer: after.id.clone(),
                purpose: after.purpose.clone(),
                reference: after.reference.clone(),
                confirmation: confirmation.clone(),
            };
            append(context, tx, &fact).await
        }
        TransferState::Succeeded {
            channel_transfer,
            at,
        } => {
            let fact = TransferSucceeded {
                transfer: after.id.clone(),
                purpose: after.purpose.clone(),
                reference: after.reference.clone(),
                channel_transfer: channel_transfer.clone(),
                amount_minor: after.amount.minor(),
                at: *at,
            };
            append(context, tx, &fact).await
        }
        TransferState::Failed { reason, .. } => failed(context, tx, &after, reason).await,
    }
}

async fn failed(
    context: &Context,
    tx: &Tx,
    transfer: &Transfer,
    reason: &str,
) -> anyhow::Result<()> {
    let fact = TransferFailed {
        transfer: transfer.id.clone(),
        purpose: transfer.purpose.clone(),
        reference: transfer.reference.clone(),
        reason: reason.to_owned(),
    };
    append(context, tx, &fact).await
}
