//! `/api/recharges`: money for prepaid meters.

use kernel::{
    Actor, ActorId, Commodity, CommunityId, Currency, PaymentId, RechargeId, RoomId, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::bills::unknown_room;
use super::{answer, caller, path_id, replied, stored, write_once};
use crate::context::Context;
use crate::domain::{Reason, check_manager, check_reader, is_people, sees, works_at_counter};
use crate::inbox;
use crate::paying::no_payer;
use crate::recharging::{self, unknown_recharge};
use crate::store::known;
use crate::store::recharges::{self as sql, Recharge};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRecharge {
    room: RoomId,
    commodity: Commodity,
    amount_minor: i64,
    /// Who pays, when staff ask at the counter; one of the room's people unless it is said.
    payer: Option<ActorId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    accepted: bool,
    note: Option<Reason>,
}

#[derive(Serialize)]
struct ShownRecharge {
    id: RechargeId,
    /// Where a channel is chosen and the money is paid.
    payment: PaymentId,
    community: CommunityId,
    room: RoomId,
    payer: ActorId,
    commodity: Commodity,
    amount_minor: i64,
    currency: Currency,
    state: &'static str,
    requested_at: Timestamp,
    commanded_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    note: Option<String>,
}

pub(super) async fn request(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewRecharge = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        let room = known::room(tx, tx.tenant(), &new.room).await?;
        let (community, _) = room.ok_or_else(unknown_room)?;
        let payer = payer(context, tx, (&actor, &community), &new).await?;
        let place = (&payer, &community, &new.room);
        let what = (new.commodity, new.amount_minor);
        let recharge = recharging::request(context, tx, place, what).await?;
        answer(201, &shown(recharge))
    })
    .await?;
    stored(&made, "/api/recharges")
}

/// People of the room pay themselves; who works at the counter asks for one of them.
async fn payer(
    context: &Context,
    tx: &Tx,
    (actor, community): (&Actor, &CommunityId),
    new: &NewRecharge,
) -> anyhow::Result<ActorId> {
    let own = new.payer.as_ref().is_none_or(|payer| *payer == actor.id);
    let bound = (&actor.id, &new.room);
    if own && is_people(actor.kind) && known::is_bound(tx, tx.tenant(), bound, context.now).await? {
        return Ok(actor.id.clone());
    }
    if !works_at_counter(actor, community) {
        return Err(unknown_room().into());
    }
    match &new.payer {
        Some(payer) => Ok(payer.clone()),
        None => {
            let people = known::payers(tx, &new.room, context.now).await?;
            Ok(people.into_iter().next().ok_or_else(no_payer)?)
        }
    }
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    sees(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(RechargeId::parse)?;
    query.finish()?;
    let found = sql::recharges(&context.db, &actor, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |recharge| recharge.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    recharge: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    Ok(Reply::ok(&shown(
        seen(&context.db, &actor, recharge).await?,
    )))
}

/// What the meter said about a recharge.
pub(super) async fn acknowledge(
    context: &Context,
    request: &Request,
    recharge: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let visible = seen(&context.db, &actor, recharge).await?;
    check_manager(&actor, &visible.community)?;
    let said: Acknowledgement = web::body(request)?;
    let answered = write_once(context, request, &actor, async |tx| {
        let recharge = seen(tx, &actor, recharge).await?;
        let note = said.note.as_ref().map(|note| note.as_str().to_owned());
        let after = if said.accepted {
            recharging::confirm(context, tx, (recharge, &actor.id), note).await?
        } else {
            let note = note.unwrap_or_else(|| "表计拒绝 / refused by the meter".to_owned());
            recharging::give_back(context, tx, (recharge, Some(&actor.id)), &note).await?
        };
        answer(200, &shown(after))
    })
    .await?;
    replied(&answered)
}

/// The recharge, when it is the caller's own, or of a community that they bill or audit.
async fn seen(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Recharge> {
    let id: RechargeId = path_id(text, unknown_recharge)?;
    let found = sql::recharge(db, &actor.tenant, &id).await?;
    let may = |recharge: &Recharge| {
        let own = is_people(actor.kind) && recharge.payer == actor.id;
        own || check_reader(actor, &recharge.community).is_ok()
    };
    Ok(found.filter(may).ok_or_else(unknown_recharge)?)
}

fn shown(recharge: Recharge) -> ShownRecharge {
    ShownRecharge {
        id: recharge.id,
        payment: recharge.payment,
        community: recharge.community,
        room: recharge.room,
        payer: recharge.payer,
        commodity: recharge.commodity,
        amount_minor: recharge.amount_minor,
        currency: Currency::Cny,
        state: recharge.state.as_str(),
        requested_at: recharge.requested_at,
        commanded_at: recharge.commanded_at,
        ended_at: recharge.ended_at,
        note: recharge.note,
    }
}
