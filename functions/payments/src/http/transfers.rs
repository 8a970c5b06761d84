//! `/api/transfers`: money on its way out. It is asked for by the capability that holds it, never here.

use kernel::{Money, Timestamp, TransferId};
use serde::Serialize;
use web::{Query, Reply, Request};

use super::{caller, path_id};
use crate::context::Context;
use crate::domain::{Transfer, TransferState, auditors_only, unknown_transfer};
use crate::inbox;
use crate::store::transfers as sql;

#[derive(Serialize)]
struct ShownTransfer {
    id: TransferId,
    purpose: String,
    reference: String,
    channel: &'static str,
    number: String,
    amount: Money,
    created_at: Timestamp,
    state: &'static str,
    tries: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_transfer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(TransferId::parse)?;
    let state = query.take("state", |text| match text {
        "requested" | "sent" | "waiting" | "succeeded" | "failed" => Ok(text.to_owned()),
        _ => Err("it is requested, sent, waiting, succeeded or failed"),
    })?;
    query.finish()?;
    auditors_only(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::transfers(&context.db, &actor.tenant, state.as_deref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |transfer| transfer.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    transfer: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    auditors_only(&actor)?;
    let id: TransferId = path_id(transfer, unknown_transfer)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::transfer(&context.db, &actor.tenant, &id).await?;
    Ok(Reply::ok(&shown(found.ok_or_else(unknown_transfer)?)))
}

/// Without the payee, whom only the channel has to know.
fn shown(transfer: Transfer) -> ShownTransfer {
    let state = transfer.state.name();
    let (failure, channel_transfer, ended_at) = match transfer.state {
        TransferState::Requested | TransferState::Sent | TransferState::Waiting { .. } => {
            (None, None, None)
        }
        TransferState::Succeeded {
            channel_transfer,
            at,
        } => (None, Some(channel_transfer), Some(at)),
        TransferState::Failed { reason, at } => (Some(reason), None, Some(at)),
    };
    ShownTransfer {
        id: transfer.id,
        purpose: transfer.purpose,
        reference: transfer.reference,
        channel: transfer.channel.as_str(),
        number: transfer.number,
        amount: transfer.amount,
        created_at: transfer.created_at,
        state,
        tries: transfer.tries,
        due_at: transfer.due_at,
        failure,
        channel_transfer,
        ended_at,
    }
}
