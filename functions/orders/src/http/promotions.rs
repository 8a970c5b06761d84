//! `/api/promotions`: merchants apply, operators decide, buyers see what runs.

use kernel::{Actor, MerchantId, Message, PromotionId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::Tx;
use web::{Query, Reply, Request};
use wire::event::PromotionChanged;

use super::form::{Text, because};
use super::{answer, caller, path_id, replied, stored, write};
use crate::context::Context;
use crate::domain::promotion::{
    self as decide, Place, Promotion, PromotionState, Terms, Verdict, unknown_promotion,
};
use crate::domain::stock::Item;
use crate::domain::text::{Name, Reason};
use crate::domain::{Merchant, goods_keeper, goods_reader, not_trading, unknown_merchant};
use crate::rows::promotion::WrittenTerms;
use crate::store::promotions::{self as sql};
use crate::store::{known, products, stock};
use crate::{facts, inbox};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPromotion {
    merchant: MerchantId,
    name: Text<Name>,
    terms: WrittenTerms,
    #[serde(default)]
    subsidy_bps: u32,
    from: Timestamp,
    until: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    reason: Option<Text<Reason>>,
    /// Where it is shown.
    #[serde(default)]
    places: Vec<String>,
}

#[derive(Serialize)]
struct ShownPromotion {
    id: PromotionId,
    merchant: MerchantId,
    name: String,
    terms: WrittenTerms,
    subsidy_bps: u32,
    from: Timestamp,
    until: Timestamp,
    state: &'static str,
    places: Vec<&'static str>,
    /// Of coupons: how many were given out; of a flash sale: how many units are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<i64>,
    reason: Option<String>,
    version: i64,
}

async fn shown(
    db: &impl store::Read,
    actor: &Actor,
    promotion: Promotion,
) -> anyhow::Result<ShownPromotion> {
    let places = sql::places(db, &actor.tenant, &promotion.id).await?;
    let left = match promotion.terms {
        Terms::FlashSale { .. } => stock::stock(db, &actor.tenant, promotion.id.as_str())
            .await?
            .map(|stock| stock.available),
        _ => None,
    };
    Ok(ShownPromotion {
        issued: matches!(promotion.terms, Terms::Coupon { .. }).then_some(promotion.issued),
        left,
        terms: WrittenTerms::from(&promotion.terms),
        id: promotion.id,
        merchant: promotion.merchant,
        name: promotion.name.as_str().to_owned(),
        subsidy_bps: promotion.subsidy_bps,
        from: promotion.from,
        until: promotion.until,
        state: promotion.state.as_str(),
        places: places.into_iter().map(Place::as_str).collect(),
        reason: promotion.reason.map(|reason| reason.as_str().to_owned()),
        version: promotion.version,
    })
}

pub(super) async fn apply(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewPromotion = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let merchant = known::merchant(&context.db, &actor.tenant, &new.merchant).await?;
    let merchant = merchant.ok_or_else(unknown_merchant)?;
    goods_keeper(&actor, &merchant, unknown_merchant)?;
    let terms = new.terms.terms().ok_or_else(decide::terms_invalid)?;
    terms.check()?;
    decide::check_window(new.from, new.until, context.now)?;
    if new.subsidy_bps > crate::domain::pricing::WHOLE_BPS {
        return Err(decide::terms_invalid().into());
    }
    let promotion = Promotion {
        id: context.new_id()?,
        merchant: merchant.id.clone(),
        name: new.name.0,
        terms,
        subsidy_bps: new.subsidy_bps,
        from: new.from,
        until: new.until,
        state: PromotionState::Applied,
        version: 1,
        applied_by: actor.id.clone(),
        applied_at: context.now,
        decided: None,
        reason: None,
        issued: 0,
    };
    let applied = write(context, request, &actor, async |tx| {
        if !merchant.trades {
            return Err(not_trading().into());
        }
        check_products(tx, &merchant, &promotion.terms).await?;
        sql::insert(tx, &promotion).await?;
        tell(context, tx, &actor, &promotion).await?;
        answer(201, &shown(&*tx, &actor, promotion.clone()).await?)
    })
    .await?;
    Ok(stored(&applied, "/api/promotions")?.with_etag(1))
}

/// Refuses a promotion about what is not the merchant's.
async fn check_products(tx: &Tx, merchant: &Merchant, terms: &Terms) -> anyhow::Result<()> {
    let mut named = terms.scope().to_vec();
    if let Some(variant) = terms.variant() {
        let product = products::product_of(tx, tx.tenant(), variant).await?;
        named.push(product.ok_or_else(foreign_product)?);
    }
    for id in named {
        let product = products::product(tx, tx.tenant(), &id).await?;
        if product.is_none_or(|product| product.merchant != merchant.id) {
            return Err(foreign_product().into());
        }
    }
    Ok(())
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(PromotionId::parse)?;
    let merchant = query.take("merchant", MerchantId::parse)?;
    let place = query.take("place", |text| {
        Place::parse(text).ok_or("it is home, topic, campaign or group_buy")
    })?;
    let state = query.take("state", |text| match PromotionState::parse(text) {
        Some(state) => Ok(Some(state)),
        None if text == "all" => Ok(None),
        None => Err("it is applied, approved, rejected, withdrawn or all"),
    })?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = match state {
        None => {
            let of = (merchant.as_ref(), place, context.now);
            sql::shown(&context.db, &actor.tenant, of, &page).await?
        }
        Some(state) => {
            match &merchant {
                Some(id) => {
                    let known = known::merchant(&context.db, &actor.tenant, id).await?;
                    let known = known.ok_or_else(unknown_merchant)?;
                    goods_reader(&actor, &known, unknown_merchant)?;
                }
                None => decide::auditors_of_promotions_only(&actor)?,
            }
            let of = (merchant.as_ref(), state.map(PromotionState::as_str));
            sql::kept(&context.db, &actor.tenant, of, &page).await?
        }
    };
    let mut items = Vec::with_capacity(found.len());
    for promotion in found {
        items.push((
            promotion.id.clone(),
            shown(&context.db, &actor, promotion).await?,
        ));
    }
    let listing = page.listing(items, |(id, _)| id.to_string(), |(_, shown)| shown);
    Ok(Reply::ok(&listing))
}

/// The promotion, for buyers while it is approved and its shop trades, and for those who may read all of its merchant's.
pub(super) async fn seen(
    db: &impl store::Read,
    actor: &Actor,
    id: &PromotionId,
) -> anyhow::Result<(Promotion, Merchant)> {
    let promotion = sql::promotion(db, &actor.tenant, id).await?;
    let promotion = promotion.ok_or_else(unknown_promotion)?;
    let merchant = known::merchant(db, &actor.tenant, &promotion.merchant).await?;
    let merchant = merchant.ok_or_else(unknown_promotion)?;
    if !(merchant.trades && promotion.state == PromotionState::Approved) {
        let audits = decide::auditors_of_promotions_only(actor).is_ok();
        if !audits {
            goods_reader(actor, &merchant, unknown_promotion)?;
        }
    }
    Ok((promotion, merchant))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    promotion: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: PromotionId = path_id(promotion, unknown_promotion)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let (promotion, _) = seen(&context.db, &actor, &id).await?;
    let version = promotion.version;
    let shown = shown(&context.db, &actor, promotion).await?;
    Ok(Reply::ok(&shown).with_etag(version))
}

pub(super) async fn approve(
    context: &Context,
    request: &Request,
    promotion: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: PromotionId = path_id(promotion, unknown_promotion)?;
    inbox::catch_up(context, &actor.tenant).await?;
    seen(&context.db, &actor, &id).await?;
    decide::auditors_of_promotions_only(&actor)?;
    let approval: Approval = web::body(request)?;
    let places: Option<Vec<Place>> = approval
        .places
        .iter()
        .map(|name| Place::parse(name))
        .collect();
    let places = places.ok_or_else(place_unknown)?;
    let reason = approval.reason.map(|reason| reason.0);
    let approved = write(context, request, &actor, async |tx| {
        let (held, _) = seen(&*tx, &actor, &id).await?;
        let said = (reason.clone(), context.now);
        let promotion = decide::decide(&actor, &held, Verdict::Approve, said)?;
        sql::put_places(tx, &id, &places).await?;
        if let Terms::FlashSale { units, .. } = &promotion.terms {
            let item = Item::Flash(id.clone());
            stock::open(tx, &promotion.merchant, &item, *units).await?;
        }
        save(context, tx, &actor, promotion).await
    })
    .await?;
    replied(&approved)
}

pub(super) async fn reject(
    context: &Context,
    request: &Request,
    promotion: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: PromotionId = path_id(promotion, unknown_promotion)?;
    inbox::catch_up(context, &actor.tenant).await?;
    seen(&context.db, &actor, &id).await?;
    decide::auditors_of_promotions_only(&actor)?;
    let reason = because(request)?.reason();
    if reason.is_none() {
        return Err(reason_required().into());
    }
    let rejected = write(context, request, &actor, async |tx| {
        let (held, _) = seen(&*tx, &actor, &id).await?;
        let said = (reason.clone(), context.now);
        let promotion = decide::decide(&actor, &held, Verdict::Reject, said)?;
        save(context, tx, &actor, promotion).await
    })
    .await?;
    replied(&rejected)
}

pub(super) async fn withdraw(
    context: &Context,
    request: &Request,
    promotion: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: PromotionId = path_id(promotion, unknown_promotion)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let reason = because(request)?.reason();
    let withdrawn = write(context, request, &actor, async |tx| {
        let (held, merchant) = seen(&*tx, &actor, &id).await?;
        if decide::auditors_of_promotions_only(&actor).is_err() {
            goods_keeper(&actor, &merchant, unknown_promotion)?;
        } else if reason.is_none() {
            return Err(reason_required().into());
        }
        let promotion = decide::withdraw(&actor, &held, (reason.clone(), context.now))?;
        save(context, tx, &actor, promotion).await
    })
    .await?;
    replied(&withdrawn)
}

async fn save(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    promotion: Promotion,
) -> anyhow::Result<store::Answer> {
    if !sql::update(tx, &promotion).await? {
        return Err(crate::goods::changed_meanwhile().into());
    }
    tell(context, tx, actor, &promotion).await?;
    answer(200, &shown(tx, actor, promotion).await?)
}

async fn tell(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    promotion: &Promotion,
) -> anyhow::Result<()> {
    let fact = PromotionChanged {
        promotion: promotion.id.clone(),
        merchant: promotion.merchant.clone(),
        kind: promotion.terms.kind().to_owned(),
        state: promotion.state.as_str().to_owned(),
        subsidy_bps: promotion.subsidy_bps,
        actor: actor.id.clone(),
        reason: promotion
            .reason
            .as_ref()
            .map(|reason| reason.as_str().to_owned()),
    };
    facts::append(context, tx, &fact).await
}

fn foreign_product() -> Refusal {
    Refusal::invalid(
        "promotion_product_unknown",
        Message::new(
            "The promotion names something that this merchant does not sell.",
            "活动包含不属于该商家的商品。",
        ),
    )
}

fn place_unknown() -> Refusal {
    Refusal::invalid(
        "place_unknown",
        Message::new(
            "A promotion is shown at `home`, `topic`, `campaign` or `group_buy`.",
            "活动位置为 home（首页）、topic（专题）、campaign（活动）或 group_buy（团购）。",
        ),
    )
}

fn reason_required() -> Refusal {
    Refusal::invalid(
        "reason_required",
        Message::new(
            "Say why, in `reason`, so that the merchant can do better.",
            "请填写驳回原因（reason），便于商家修改。",
        ),
    )
}
