//! What promotions do to a basket: prices of groups and flash sales, coupons, and freight.

use chrono::NaiveDate;
use kernel::{PromotionId, VariantId};
use store::Tx;
use wire::mall::SaleKind;

use super::{Ask, Basket, Draft, QuotedGroup, coupon_unfit};
use crate::domain::offer::Offer;
use crate::domain::pricing::{Freight, Line, Special, Voucher};
use crate::domain::product::Slot;
use crate::domain::promotion::{Promotion, Terms, unknown_promotion};
use crate::domain::stock::Item;
use crate::store::{coupons, stock};

/// A line with what promotions say of its price, and what is to be set aside for it.
pub(super) async fn draft(
    tx: &Tx,
    basket: &Basket,
    (ask, offer, slot): (&Ask, Offer, Option<(Slot, i64)>),
    (running, today): (&[Promotion], NaiveDate),
) -> anyhow::Result<Draft> {
    let mut items = vec![match &slot {
        Some((slot, _)) => Item::Slot(slot.id.clone()),
        None => Item::Variant(offer.variant.id.clone()),
    }];
    let (mut special, mut group) = (None, None);
    if let Some(wanted) = &ask.group {
        let found =
            group_price(running, wanted, &offer.variant.id).ok_or_else(unknown_promotion)?;
        (special, group) = (Some(found.0), Some(found.1));
    } else if let Some(flash) = flash_price(tx, basket, ask, running).await? {
        items.push(Item::Flash(flash.promotion.clone()));
        special = Some(flash);
    }
    Ok(Draft {
        line: Line {
            merchant: offer.merchant.clone(),
            product: offer.product.clone(),
            quantity: ask.quantity,
            unit_minor: offer.variant.price_on(today),
            brought: basket.brought && offer.kind == SaleKind::Goods,
            special,
        },
        ask: ask.clone(),
        offer,
        slot: slot.map(|(slot, _)| slot),
        items,
        group,
    })
}

fn group_price(
    running: &[Promotion],
    wanted: &PromotionId,
    of: &VariantId,
) -> Option<(Special, QuotedGroup)> {
    let promotion = running.iter().find(|promotion| promotion.id == *wanted)?;
    let Terms::GroupBuy {
        variant,
        price_minor,
        size,
        hours,
    } = &promotion.terms
    else {
        return None;
    };
    let special = Special {
        promotion: promotion.id.clone(),
        unit_minor: *price_minor,
        subsidy_bps: promotion.subsidy_bps,
    };
    let group = QuotedGroup {
        promotion: promotion.id.clone(),
        size: *size,
        hours: *hours,
    };
    (variant == of).then_some((special, group))
}

/// The price of a flash sale, while it has units left and the person may have so many.
async fn flash_price(
    tx: &Tx,
    basket: &Basket,
    ask: &Ask,
    running: &[Promotion],
) -> anyhow::Result<Option<Special>> {
    for promotion in running {
        let Terms::FlashSale {
            variant,
            price_minor,
            person_max,
            ..
        } = &promotion.terms
        else {
            continue;
        };
        if *variant != ask.variant {
            continue;
        }
        let id = promotion.id.as_str();
        let left = stock::stock(tx, tx.tenant(), id).await?;
        let left = left.map_or(0, |found| found.available);
        let had = stock::bought(tx, id, &basket.buyer).await?;
        let wanted = i64::from(ask.quantity);
        if wanted <= left && had + wanted <= *person_max {
            return Ok(Some(Special {
                promotion: promotion.id.clone(),
                unit_minor: *price_minor,
                subsidy_bps: promotion.subsidy_bps,
            }));
        }
    }
    Ok(None)
}

/// The coupons of a basket, which the buyer holds and which run.
pub(super) async fn vouchers(
    tx: &Tx,
    basket: &Basket,
    running: &[Promotion],
) -> anyhow::Result<Vec<Voucher>> {
    let mut vouchers: Vec<Voucher> = Vec::with_capacity(basket.coupons.len());
    for id in &basket.coupons {
        let held = coupons::coupon(tx, tx.tenant(), id).await?;
        let held = held.filter(|coupon| coupon.person == basket.buyer && coupon.held);
        let held = held.ok_or_else(|| coupon_unfit(id))?;
        let promotion = running.iter().find(|found| found.id == held.promotion);
        let promotion = promotion.ok_or_else(|| coupon_unfit(id))?;
        let Terms::Coupon {
            off,
            least_minor,
            scope,
            ..
        } = &promotion.terms
        else {
            return Err(coupon_unfit(id).into());
        };
        vouchers.push(Voucher {
            coupon: id.clone(),
            promotion: promotion.id.clone(),
            merchant: promotion.merchant.clone(),
            least_minor: *least_minor,
            off: *off,
            scope: scope.clone(),
            subsidy_bps: promotion.subsidy_bps,
        });
    }
    Ok(vouchers)
}

/// What the shops take for bringing things.
pub(super) fn freights<'a>(offers: impl Iterator<Item = &'a Offer>) -> Vec<Freight> {
    let mut freights: Vec<Freight> = Vec::new();
    for offer in offers {
        if !freights
            .iter()
            .any(|known| known.merchant == offer.merchant)
        {
            freights.push(Freight {
                merchant: offer.merchant.clone(),
                minor: offer.freight_minor,
                free_from_minor: offer.free_from_minor,
            });
        }
    }
    freights
}
