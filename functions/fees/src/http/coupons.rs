//! `/api/fee-coupons`: coupons that the property office gives a person or a room.

use chrono::NaiveDate;
use kernel::{
    Actor, ActorId, BillPaymentId, CommunityId, CouponId, Message, Refusal, RoomId, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Read, Tx};
use web::{Query, Reply, Request};

use super::bills::unknown_room;
use super::{answer, caller, path_id, replied, stored, write_once};
use crate::context::Context;
use crate::domain::{
    Coupon, CouponState, CouponValue, Holder, Name, Reason, check_manager, check_reader,
    community_unknown, is_people, sees, unknown_coupon, withdraw,
};
use crate::rows::worth;
use crate::store::coupons as sql;
use crate::store::known;
use crate::{inbox, rewarding};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCoupon {
    community: CommunityId,
    title: Name,
    person: Option<ActorId>,
    room: Option<RoomId>,
    value: CouponValue,
    #[serde(default)]
    minimum_minor: i64,
    first_day: NaiveDate,
    until_day: NaiveDate,
    reason: Reason,
}

#[derive(Serialize)]
struct ShownCoupon {
    id: CouponId,
    community: CommunityId,
    title: String,
    person: Option<ActorId>,
    room: Option<RoomId>,
    value: serde_json::Value,
    minimum_minor: i64,
    first_day: NaiveDate,
    until_day: NaiveDate,
    state: &'static str,
    payment: Option<BillPaymentId>,
    reason: String,
    issued_by: ActorId,
    issued_at: Timestamp,
}

/// Gives a coupon.
pub(super) async fn issue(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewCoupon = web::body(request)?;
    check_manager(&actor, &new.community)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let coupon = coupon_of(context, &actor, new)?;
    let made = write_once(context, request, &actor, async |tx| {
        check_place(tx, &coupon).await?;
        sql::insert_coupon(tx, &coupon).await?;
        rewarding::changed(context, tx, &coupon).await?;
        answer(201, &shown(coupon.clone()))
    })
    .await?;
    stored(&made, "/api/fee-coupons")
}

fn coupon_of(context: &Context, actor: &Actor, new: NewCoupon) -> anyhow::Result<Coupon> {
    let holder = match (new.person, new.room) {
        (Some(person), None) => Holder::Person(person),
        (None, Some(room)) => Holder::Room(room),
        _ => return Err(one_holder().into()),
    };
    let coupon = Coupon {
        id: context.new_id()?,
        community: new.community,
        title: new.title.as_str().to_owned(),
        holder,
        value: new.value,
        minimum_fen: new.minimum_minor,
        first_day: new.first_day,
        until_day: new.until_day,
        state: CouponState::Available,
        payment: None,
        reason: new.reason.as_str().to_owned(),
        issued_by: actor.id.clone(),
        issued_at: context.now,
    };
    Ok(coupon.checked()?)
}

/// The community is known, and the room is one of its rooms.
async fn check_place(tx: &Tx, coupon: &Coupon) -> anyhow::Result<()> {
    let community = known::community(tx, tx.tenant(), &coupon.community).await?;
    community.ok_or_else(community_unknown)?;
    if let Holder::Room(room) = &coupon.holder {
        let found = known::room(tx, tx.tenant(), room).await?;
        let found = found.filter(|(community, _)| *community == coupon.community);
        found.ok_or_else(unknown_room)?;
    }
    Ok(())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    sees(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(CouponId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    let state = query.take("state", |text| {
        CouponState::parse(text).ok_or("it is available, held, used or withdrawn")
    })?;
    query.finish()?;
    let wanted = (community.as_ref(), state.map(CouponState::as_str));
    let found = sql::coupons(context, &actor, wanted, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |coupon| coupon.id.to_string(),
        shown,
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    coupon: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let coupon = seen(context, &context.db, &actor, coupon).await?;
    Ok(Reply::ok(&shown(coupon)))
}

/// Takes back a coupon that nobody counts on.
pub(super) async fn take_back(
    context: &Context,
    request: &Request,
    coupon: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let changed = write_once(context, request, &actor, async |tx| {
        let before = seen(context, &*tx, &actor, coupon).await?;
        check_manager(&actor, &before.community)?;
        let after = withdraw(&before)?;
        if before.state != after.state {
            let turn = (before.state, after.state);
            sql::turn_coupon(tx, &after.id, turn, None).await?;
            rewarding::changed(context, tx, &after).await?;
        }
        answer(200, &shown(after))
    })
    .await?;
    replied(&changed)
}

/// The coupon, when it is the caller's, of a room of theirs, or of a community that they bill or audit.
async fn seen(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    text: &str,
) -> anyhow::Result<Coupon> {
    let id: CouponId = path_id(text, unknown_coupon)?;
    let found = sql::coupon(db, &actor.tenant, &id).await?;
    let coupon = found.ok_or_else(unknown_coupon)?;
    if check_reader(actor, &coupon.community).is_ok() {
        return Ok(coupon);
    }
    let is_theirs = is_people(actor.kind)
        && match &coupon.holder {
            Holder::Person(person) => *person == actor.id,
            Holder::Room(room) => {
                known::is_bound(db, &actor.tenant, (&actor.id, room), context.now).await?
            }
        };
    if is_theirs {
        return Ok(coupon);
    }
    Err(unknown_coupon().into())
}

fn shown(coupon: Coupon) -> ShownCoupon {
    let (person, room) = match coupon.holder {
        Holder::Person(person) => (Some(person), None),
        Holder::Room(room) => (None, Some(room)),
    };
    ShownCoupon {
        id: coupon.id,
        community: coupon.community,
        title: coupon.title,
        person,
        room,
        value: worth(coupon.value),
        minimum_minor: coupon.minimum_fen,
        first_day: coupon.first_day,
        until_day: coupon.until_day,
        state: coupon.state.as_str(),
        payment: coupon.payment,
        reason: coupon.reason,
        issued_by: coupon.issued_by,
        issued_at: coupon.issued_at,
    }
}

fn one_holder() -> Refusal {
    Refusal::invalid(
        "fee_coupon_holder",
        Message::new(
            "A coupon is for one person or for one room: name one of them.",
            "优惠券须指定一位住户或一套房屋（二选一）。",
        ),
    )
}
