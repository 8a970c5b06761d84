//! `/api/meters/{meter}/switchings` and `/recharges`: what a meter is told to do, and what became of it.

use std::cell::RefCell;

use kernel::{ActorId, CommunityId, MeterId, RechargeId, RoomId, SwitchingId, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};
use wire::meter::{Command, Order, Supply};

use super::changes::{managed, stands};
use super::{Text, answer, caller, id_of, path_id, seen, stored, write};
use crate::context::Context;
use crate::domain::caller::{managing_kinds, overseers_only, unknown_meter, unknown_switching};
use crate::domain::switching::{self, Ask, observe, under_way};
use crate::domain::{CutReason, Reason, Recharge, Switching};
use crate::store::{recharges, switchings as sql};
use crate::switching::settle_if_overdue;
use crate::{facts, outbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSwitching {
    supply: Supply,
    reason: Option<String>,
    note: Option<Text<Reason>>,
}

#[derive(Serialize)]
struct ShownSwitching {
    id: SwitchingId,
    meter: MeterId,
    community: CommunityId,
    room: Option<RoomId>,
    supply: &'static str,
    reason: Option<&'static str>,
    note: Option<String>,
    actor: ActorId,
    requested_at: Timestamp,
    expires_at: Timestamp,
    state: &'static str,
    settled_at: Option<Timestamp>,
    detail: Option<String>,
}

#[derive(Serialize)]
struct ShownRecharge {
    id: RechargeId,
    meter: MeterId,
    community: CommunityId,
    amount_minor: i64,
    currency: kernel::Currency,
    commanded_at: Timestamp,
    state: &'static str,
    number: Option<u8>,
    attempts: i64,
    ended_at: Option<Timestamp>,
    detail: Option<String>,
}

pub(super) async fn request(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(meter, unknown_meter)?;
    let new: NewSwitching = web::body(request)?;
    let reason = new.reason.as_deref().map(CutReason::of).transpose()?;
    let ask = Ask {
        id: context.new_id()?,
        supply: new.supply,
        reason,
        note: new.note.map(|note| note.0),
    };
    let decided = RefCell::new(None);
    let answered = write(context, request, &actor, async |tx| {
        let known = managed(tx, &actor, &id).await?;
        stands(&known)?;
        let requested = switching::request(&known.meter, ask.clone(), &actor.id, context.now)?;
        if let Some(open) = sql::open(tx, &id).await?
            && !settle_if_overdue(context, tx, open).await?
        {
            return Err(under_way().into());
        }
        sql::insert(tx, &requested).await?;
        facts::switching_requested(context, tx, &requested).await?;
        let answered = answer(202, &ShownSwitching::from(requested.clone()));
        decided.replace(Some(requested));
        answered
    })
    .await?;
    // A repeated request is answered with the first one, whose order was sent: never a second time.
    if let Some(requested) = decided
        .take()
        .filter(|_| id_of(&answered).is_ok_and(|id| id == ask.id.as_str()))
    {
        let command = Command {
            command: kernel::MessageId::parse(requested.id.as_str())?,
            expires_at: requested.expires_at,
            order: Order::Switch {
                supply: requested.supply,
            },
        };
        outbox::publish_command(context, &actor.tenant, &id, command).await;
    }
    stored(&answered, &format!("/api/meters/{id}/switchings"))
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(meter, unknown_meter)?;
    let mut query = Query::of(request)?;
    let page = query.page(SwitchingId::parse)?;
    query.finish()?;
    let (_, earliest) = seen(context, &actor, &id).await?;
    let found = sql::switchings(&context.db, &actor.tenant, (&id, earliest), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |switching| switching.id.to_string(),
        |switching| ShownSwitching::from(observe(switching, context.now)),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    (meter, switching): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let meter = path_id(meter, unknown_switching)?;
    let id = path_id(switching, unknown_switching)?;
    let earliest = match seen(context, &actor, &meter).await {
        Ok((_, earliest)) => earliest,
        Err(error) if error.is::<kernel::Refusal>() => return Err(unknown_switching().into()),
        Err(error) => return Err(error),
    };
    let found = sql::switching(&context.db, &actor.tenant, &id).await?;
    let found = found.filter(|found| found.meter == meter && found.requested_at >= earliest);
    let found = found.ok_or_else(unknown_switching)?;
    Ok(Reply::ok(&ShownSwitching::from(observe(
        found,
        context.now,
    ))))
}

pub(super) async fn list_recharges(
    context: &Context,
    request: &Request,
    meter: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(meter, unknown_meter)?;
    let mut query = Query::of(request)?;
    let page = query.page(RechargeId::parse)?;
    query.finish()?;
    let (known, _) = seen(context, &actor, &id).await?;
    overseers_only(&actor, &known.meter.community)?;
    let found = recharges::recharges(&context.db, &actor.tenant, &id, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |recharge| recharge.id.to_string(),
        ShownRecharge::from,
    )))
}

impl From<Switching> for ShownSwitching {
    fn from(switching: Switching) -> Self {
        Self {
            supply: switching.supply.as_str(),
            reason: switching.reason.map(CutReason::as_str),
            note: switching.note.map(|note| note.as_str().to_owned()),
            state: switching.state.name(),
            settled_at: switching.state.settled_at(),
            detail: switching.state.detail().map(str::to_owned),
            id: switching.id,
            meter: switching.meter,
            community: switching.community,
            room: switching.room,
            actor: switching.actor,
            requested_at: switching.requested_at,
            expires_at: switching.expires_at,
        }
    }
}

impl From<Recharge> for ShownRecharge {
    fn from(recharge: Recharge) -> Self {
        Self {
            id: recharge.id,
            meter: recharge.meter,
            community: recharge.community,
            amount_minor: recharge.amount_minor,
            currency: kernel::Currency::Cny,
            commanded_at: recharge.commanded_at,
            state: recharge.state.as_str(),
            number: recharge.number,
            attempts: recharge.attempt,
            ended_at: recharge.ended_at,
            detail: recharge.detail,
        }
    }
}
