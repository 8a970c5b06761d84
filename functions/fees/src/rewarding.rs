//! Coupons and points in a payment: counted on when it is asked for, used when the money is there, given back when it is
//! closed or refunded.

use chrono::NaiveDate;
use kernel::{ActorId, CommunityId, Message, PointsEntryId, Refusal, RoomId};
use store::Tx;
use wire::event::{FeeCouponChanged, PointsChanged};

use crate::context::Context;
use crate::domain::{Coupon, CouponState, Holder, Shares, still_needed, unknown_coupon};
use crate::facts::append;
use crate::store::coupons;
use crate::store::known::PointTerms;
use crate::store::payments::{self, Payment};
use crate::store::points::{self, Entry};
use crate::store::refunds::Refund;

/// What the coupon takes off `asked`; nothing without one.
///
/// # Errors
/// 404, 409 or 422 when it does not count for this; a failure of the database.
pub(crate) async fn coupon_worth(
    tx: &Tx,
    coupon: Option<&kernel::CouponId>,
    (asked_minor, today): (i64, NaiveDate),
    (community, payer, rooms): (&CommunityId, &ActorId, &[RoomId]),
) -> anyhow::Result<i64> {
    let Some(id) = coupon else {
        return Ok(0);
    };
    let found = coupons::coupon(tx, tx.tenant(), id).await?;
    let found = found.filter(|coupon| coupon.community == *community);
    let found = found.ok_or_else(unknown_coupon)?;
    Ok(found.worth(asked_minor, today, (payer, rooms))?)
}

/// The payer's points that may be spent.
pub(crate) async fn spendable(
    tx: &Tx,
    (community, payer): (&CommunityId, &ActorId),
    terms: PointTerms,
) -> anyhow::Result<i64> {
    if terms.point_minor == 0 {
        return Ok(0);
    }
    points::balance(tx, (tx.tenant(), community), payer).await
}

/// Counts on what the payment is made up of: nobody else can use it meanwhile.
pub(crate) async fn count_on(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    if payment.coupon_minor > 0 {
        turn(
            context,
            tx,
            payment,
            (CouponState::Available, CouponState::Held),
        )
        .await?;
    }
    let spent = (-payment.points, "spent", payment.id.as_str());
    add(context, tx, (&payment.community, &payment.payer), spent).await
}

/// The money is there: uses what is still needed, and gives the rest back. What they are worth, in fen.
pub(crate) async fn use_up(
    context: &Context,
    tx: &Tx,
    payment: &mut Payment,
    needed_minor: i64,
) -> anyhow::Result<i64> {
    let counted = (payment.points, payment.point_minor);
    let (coupon_minor, points) = still_needed(needed_minor, payment.coupon_minor, counted);
    if payment.coupon_minor > 0 {
        let to = match coupon_minor {
            0 => CouponState::Available,
            _ => CouponState::Used,
        };
        turn(context, tx, payment, (CouponState::Held, to)).await?;
    }
    let unused = (payment.points - points, "given_back", payment.id.as_str());
    add(context, tx, (&payment.community, &payment.payer), unused).await?;
    (payment.coupon_minor, payment.points) = (coupon_minor, points);
    Ok(coupon_minor + points * payment.point_minor)
}

/// The payment will not be made.
pub(crate) async fn free(context: &Context, tx: &Tx, payment: &Payment) -> anyhow::Result<()> {
    if payment.coupon_minor > 0 {
        turn(
            context,
            tx,
            payment,
            (CouponState::Held, CouponState::Available),
        )
        .await?;
    }
    let back = (payment.points, "given_back", payment.id.as_str());
    add(context, tx, (&payment.community, &payment.payer), back).await
}

/// Points for what was paid in time; how many.
pub(crate) async fn earn(
    context: &Context,
    tx: &Tx,
    payment: &Payment,
    (in_time_minor, terms): (i64, PointTerms),
) -> anyhow::Result<i64> {
    if terms.earn_minor == 0 || in_time_minor < terms.earn_minor {
        return Ok(0);
    }
    let earned = in_time_minor / terms.earn_minor;
    let gain = (earned, "earned", payment.id.as_str());
    add(context, tx, (&payment.community, &payment.payer), gain).await?;
    Ok(earned)
}

/// A refund: spent points come back as far as whole ones do, a coupon once nothing of it is in the payment any more, and
/// what the payment has earned goes, as far as it is still there.
pub(crate) async fn undo(
    context: &Context,
    tx: &Tx,
    (payment, gone): (&Payment, Shares),
    refund: &Refund,
) -> anyhow::Result<()> {
    let whole = |fen: i64| match payment.point_minor {
        0 => 0,
        worth => fen / worth,
    };
    let back = whole(gone.points_fen + refund.points_minor) - whole(gone.points_fen);
    let who = (&payment.community, &payment.payer);
    add(context, tx, who, (back, "given_back", refund.id.as_str())).await?;
    let is_back = gone.coupon_fen + refund.coupon_minor == payment.coupon_minor;
    if refund.coupon_minor > 0 && is_back {
        turn(
            context,
            tx,
            payment,
            (CouponState::Used, CouponState::Available),
        )
        .await?;
    }
    if payment.earned_points > 0 {
        let there = points::balance(tx, (tx.tenant(), who.0), who.1).await?;
        let lost = payment.earned_points.min(there);
        add(context, tx, who, (-lost, "revoked", refund.id.as_str())).await?;
        payments::forget_earned(tx, &payment.id).await?;
    }
    Ok(())
}

/// A gain or loss of somebody's points, once for each kind and reference; none at all is none.
async fn add(
    context: &Context,
    tx: &Tx,
    who: (&CommunityId, &ActorId),
    (points, kind, reference): (i64, &str, &str),
) -> anyhow::Result<()> {
    if points == 0 {
        return Ok(());
    }
    let entry = Entry {
        id: context.new_id()?,
        kind: kind.to_owned(),
        points,
        reference: reference.to_owned(),
        note: String::new(),
        actor: None,
        at: context.now,
    };
    enter(context, tx, who, &entry).await.map(|_| ())
}

/// Puts it into the log and the balance; what there is then.
///
/// # Errors
/// 409 when there are too few; a failure of the database.
pub(crate) async fn enter(
    context: &Context,
    tx: &Tx,
    (community, person): (&CommunityId, &ActorId),
    entry: &Entry,
) -> anyhow::Result<i64> {
    if !points::insert_entry(tx, (community, person), entry).await? {
        return points::balance(tx, (tx.tenant(), community), person).await;
    }
    let balance = points::change(tx, (community, person), entry.points).await?;
    let balance = balance.ok_or_else(too_few)?;
    let fact = PointsChanged {
        person: person.clone(),
        community: community.clone(),
        points: entry.points,
        balance,
        kind: entry.kind.clone(),
        reference: entry.reference.clone(),
    };
    append(context, tx, &fact).await?;
    Ok(balance)
}

/// The id of a grant is its reference too.
pub(crate) fn granted(
    context: &Context,
    (points, note): (i64, &str),
    by: &ActorId,
) -> anyhow::Result<Entry> {
    let id: PointsEntryId = context.new_id()?;
    Ok(Entry {
        kind: if points < 0 { "revoked" } else { "granted" }.to_owned(),
        points,
        reference: id.to_string(),
        note: note.to_owned(),
        actor: Some(by.clone()),
        at: context.now,
        id,
    })
}

async fn turn(
    context: &Context,
    tx: &Tx,
    payment: &Payment,
    (from, to): (CouponState, CouponState),
) -> anyhow::Result<()> {
    let Some(id) = &payment.coupon else {
        return Ok(());
    };
    let holder = (to != CouponState::Available).then_some(&payment.id);
    let turned = coupons::turn_coupon(tx, id, (from, to), holder).await?;
    anyhow::ensure!(turned, "the coupon {id} is not {}", from.as_str());
    let found = coupons::coupon(tx, tx.tenant(), id).await?;
    let found = found.ok_or_else(unknown_coupon)?;
    changed(context, tx, &found).await
}

/// Tells of a coupon.
pub(crate) async fn changed(context: &Context, tx: &Tx, coupon: &Coupon) -> anyhow::Result<()> {
    let (person, room) = match &coupon.holder {
        Holder::Person(person) => (Some(person.clone()), None),
        Holder::Room(room) => (None, Some(room.clone())),
    };
    let fact = FeeCouponChanged {
        coupon: coupon.id.clone(),
        community: coupon.community.clone(),
        person,
        room,
        state: coupon.state.as_str().to_owned(),
        payment: coupon.payment.clone(),
    };
    append(context, tx, &fact).await
}

fn too_few() -> Refusal {
    Refusal::conflict(
        "points_too_few",
        Message::new(
            "There are not so many points. Read the balance again.",
            "积分不足，请重新读取余额。",
        ),
    )
}
