//! `/api/coupons` and `/api/group-buys`: what people hold of promotions, and the groups they can join.

use kernel::{CouponId, GroupId, MerchantId, Message, PromotionId, Refusal, Timestamp};
use serde::Serialize;
use web::{Query, Reply, Request};
use wire::event::CouponClaimed;

use super::{answer, caller, path_id, replied, write};
use crate::context::Context;
use crate::domain::promotion::{Terms, unknown_promotion};
use crate::domain::{buyers_only, not_trading};
use crate::store::coupons::{self as sql, Coupon};
use crate::store::groups::{self, Group};
use crate::store::{known, promotions};
use crate::{facts, inbox};

#[derive(Serialize)]
struct ShownCoupon {
    id: CouponId,
    promotion: PromotionId,
    merchant: MerchantId,
    state: &'static str,
    claimed_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkout: Option<kernel::CheckoutId>,
}

impl From<Coupon> for ShownCoupon {
    fn from(coupon: Coupon) -> Self {
        Self {
            id: coupon.id,
            promotion: coupon.promotion,
            merchant: coupon.merchant,
            state: if coupon.held { "held" } else { "used" },
            claimed_at: coupon.claimed_at,
            checkout: coupon.checkout,
        }
    }
}

#[derive(Serialize)]
struct ShownGroup {
    id: GroupId,
    promotion: PromotionId,
    merchant: MerchantId,
    size: i64,
    /// How many orders were placed in it.
    seats: i64,
    /// How many of them are paid.
    paid: i64,
    state: String,
    opened_at: Timestamp,
    deadline: Timestamp,
}

impl From<Group> for ShownGroup {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            promotion: group.promotion,
            merchant: group.merchant,
            size: group.size,
            seats: group.seats,
            paid: group.paid,
            state: group.state,
            opened_at: group.opened_at,
            deadline: group.deadline,
        }
    }
}

pub(super) async fn claim(
    context: &Context,
    request: &Request,
    promotion: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let id: PromotionId = path_id(promotion, unknown_promotion)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let coupon: CouponId = context.new_id()?;
    let claimed = write(context, request, &actor, async |tx| {
        let promotion = promotions::promotion(&*tx, &actor.tenant, &id).await?;
        let promotion = promotion
            .filter(|promotion| promotion.runs(context.now))
            .filter(|promotion| matches!(promotion.terms, Terms::Coupon { .. }))
            .ok_or_else(unknown_promotion)?;
        let merchant = known::merchant(&*tx, &actor.tenant, &promotion.merchant).await?;
        if !merchant.is_some_and(|merchant| merchant.trades) {
            return Err(not_trading().into());
        }
        // Who asks again gets the one they have.
        if let Some(held) = sql::coupon_of(&*tx, &actor.tenant, &id, &actor.id).await? {
            return answer(200, &ShownCoupon::from(held));
        }
        let new = Coupon {
            id: coupon.clone(),
            promotion: id.clone(),
            merchant: promotion.merchant,
            person: actor.id.clone(),
            held: true,
            claimed_at: context.now,
            checkout: None,
        };
        if !sql::claim(tx, &new).await? {
            return Err(all_gone().into());
        }
        let fact = CouponClaimed {
            coupon: new.id.clone(),
            promotion: id.clone(),
            person: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        answer(201, &ShownCoupon::from(new))
    })
    .await?;
    replied(&claimed)
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    buyers_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(CouponId::parse)?;
    let state = query.take("state", |text| match text {
        "held" | "used" => Ok(text.to_owned()),
        _ => Err("it is held or used"),
    })?;
    query.finish()?;
    let who = (&actor.tenant, &actor.id);
    let found = sql::coupons(&context.db, who, state.as_deref(), &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |coupon| coupon.id.to_string(),
        ShownCoupon::from,
    )))
}

pub(super) async fn open_groups(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(GroupId::parse)?;
    let promotion = query.take("promotion", PromotionId::parse)?;
    query.finish()?;
    let promotion = promotion.ok_or_else(which_promotion)?;
    inbox::catch_up(context, &actor.tenant).await?;
    super::promotions::seen(&context.db, &actor, &promotion).await?;
    let of = (&actor.tenant, &promotion);
    let found = groups::open_groups(&context.db, of, context.now, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |group| group.id.to_string(),
        ShownGroup::from,
    )))
}

pub(super) async fn show_group(
    context: &Context,
    request: &Request,
    group: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: GroupId = path_id(group, unknown_group)?;
    let found = groups::group(&context.db, &actor.tenant, &id).await?;
    Ok(Reply::ok(&ShownGroup::from(
        found.ok_or_else(unknown_group)?,
    )))
}

fn all_gone() -> Refusal {
    Refusal::conflict(
        "coupons_gone",
        Message::new("All coupons have been given out.", "优惠券已领完。"),
    )
}

fn which_promotion() -> Refusal {
    Refusal::invalid(
        "promotion_required",
        Message::new(
            "Name the promotion, as `?promotion=`.",
            "请以 ?promotion= 指定活动。",
        ),
    )
}

fn unknown_group() -> Refusal {
    Refusal::not_found(
        "group_unknown",
        Message::new("There is no such group.", "未找到该拼团。"),
    )
}
