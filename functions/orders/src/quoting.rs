//! What a basket costs now, and what it would set aside: the one way from what somebody wants to priced lines, for
//! carts and for checkouts.

mod promoted;

use chrono::NaiveDate;
use kernel::{
    ActorId, CategoryId, CommunityId, CouponId, MerchantId, Message, ProductId, PromotionId,
    Refusal, SlotId, TenantId, Timestamp, VariantId, Zone,
};
use store::{Read, Tx};
use wire::mall::{Collection, SaleKind};

use crate::domain::offer::Offer;
use crate::domain::pricing::{Line, PriceError, Priced, Reduction, Voucher, price};
use crate::domain::product::Slot;
use crate::domain::promotion::Promotion;
use crate::domain::stock::Item;
use crate::domain::unknown_product;
use crate::store::offers::Wanted;
use crate::store::{known, offers, promotions, slots};
use promoted::{draft, freights, vouchers};

/// The most lines of a basket.
pub const LINES_MAX: usize = 50;
/// The most units of one line.
pub const QUANTITY_MAX: u32 = 9_999;
/// Where shops are whose community nobody has told of.
const ZONE_DEFAULT: &str = "Asia/Shanghai";

/// One thing that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The variant.
    pub variant: VariantId,
    /// The time, of a service.
    pub slot: Option<SlotId>,
    /// How many.
    pub quantity: u32,
    /// The group-buy (拼团) in which it is wanted.
    pub group: Option<PromotionId>,
}

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// Who.
    pub buyer: ActorId,
    /// Where.
    pub community: CommunityId,
    /// What.
    pub asks: Vec<Ask>,
    /// With which coupons; at most one for each merchant.
    pub coupons: Vec<CouponId>,
    /// Whether goods are brought, so that there is freight; services bear none.
    pub brought: bool,
}

/// A line of a basket with its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedLine {
    /// The variant.
    pub variant: VariantId,
    /// Of which product.
    pub product: ProductId,
    /// Of what.
    pub category: CategoryId,
    /// Goods or service.
    pub kind: SaleKind,
    /// What the product is called.
    pub title: String,
    /// What the variant is called.
    pub variant_name: String,
    /// The time, of a service.
    pub slot: Option<Slot>,
    /// Until when a booked time can be given up.
    pub cancel_until: Option<Timestamp>,
    /// How many.
    pub quantity: u32,
    /// What one costs today without promotions, in fen.
    pub unit_minor: i64,
    /// What the line costs.
    pub priced: Priced,
    /// What is to be set aside for it, `quantity` of each.
    pub items: Vec<Item>,
    /// The group-buy that it is part of: size and hours of a new group.
    pub group: Option<QuotedGroup>,
}

/// The group-buy of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedGroup {
    /// The promotion.
    pub promotion: PromotionId,
    /// How many buyers make a group.
    pub size: u32,
    /// How long a new group has, in hours.
    pub hours: u32,
}

/// The lines of one merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedShop {
    /// Whose.
    pub merchant: MerchantId,
    /// What the shop is called.
    pub name: String,
    /// The lines, in the order of the basket.
    pub lines: Vec<QuotedLine>,
    /// The coupon that was used.
    pub coupon: Option<CouponId>,
    /// Who receives its money.
    pub collection: Collection,
}

impl QuotedShop {
    /// What the buyer pays for it, freight included.
    #[must_use]
    pub fn total_minor(&self) -> i64 {
        let of = |line: &QuotedLine| line.priced.payable_minor + line.priced.freight_minor;
        self.lines.iter().map(of).sum()
    }
}

/// What a basket costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// By merchant, in the order of their first lines.
    pub shops: Vec<QuotedShop>,
    /// Whether some of it was put into the buyer's cart.
    pub is_in_cart: bool,
}

impl Quote {
    /// What the buyer pays for all of it.
    #[must_use]
    pub fn total_minor(&self) -> i64 {
        self.shops.iter().map(QuotedShop::total_minor).sum()
    }
}

/// A line on its way to a price.
struct Draft {
    ask: Ask,
    offer: Offer,
    slot: Option<Slot>,
    line: Line,
    items: Vec<Item>,
    group: Option<QuotedGroup>,
}

/// Prices a basket in the caller's transaction; nothing is set aside yet.
///
/// # Errors
/// What of it cannot be bought and why; a coupon that does not fit.
pub async fn quote(tx: &Tx, now: Timestamp, basket: &Basket) -> anyhow::Result<Quote> {
    check_size(basket)?;
    let found = offers::wanted(tx, tx.tenant(), basket, now).await?;
    let zone = match found.iter().find_map(|wanted| wanted.zone) {
        Some(zone) => zone,
        None => Zone::parse(ZONE_DEFAULT)?,
    };
    let today = zone.local(now).date;
    let freights = freights(found.iter().map(|wanted| &wanted.offer));
    let shops: Vec<&MerchantId> = freights.iter().map(|freight| &freight.merchant).collect();
    let running = match found.iter().any(|wanted| wanted.is_promoted) {
        true => promotions::running(tx, tx.tenant(), &shops, now).await?,
        false => Vec::new(),
    };
    let mut drafts = Vec::with_capacity(basket.asks.len());
    for ask in &basket.asks {
        let (offer, slot) = offered(tx, &found, ask, (today, now)).await?;
        drafts.push(draft(tx, basket, (ask, offer, slot), (&running, today)).await?);
    }
    let reductions: Vec<Reduction> = running.iter().filter_map(Promotion::reduction).collect();
    let vouchers = vouchers(tx, basket, &running).await?;
    let lines: Vec<Line> = drafts.iter().map(|draft| draft.line.clone()).collect();
    let priced = price(&lines, &reductions, &vouchers, &freights).map_err(refused)?;
    let lines = drafts.into_iter().zip(priced);
    Ok(gathered((today, now), &found, lines.collect(), &vouchers))
}

fn check_size(basket: &Basket) -> Result<(), Refusal> {
    if !(1..=LINES_MAX).contains(&basket.asks.len()) {
        return Err(Refusal::invalid(
            "lines_number",
            Message::new(
                format!("Buy 1 to {LINES_MAX} different things at once."),
                format!("一次可购买 1 至 {LINES_MAX} 种商品。"),
            ),
        ));
    }
    let fits = |ask: &Ask| (1..=QUANTITY_MAX).contains(&ask.quantity);
    let is_twice = |(index, ask): (usize, &Ask)| {
        let before = basket.asks.iter().take(index);
        before
            .into_iter()
            .any(|other| (&other.variant, &other.slot) == (&ask.variant, &ask.slot))
    };
    if basket.asks.iter().all(fits) && !basket.asks.iter().enumerate().any(is_twice) {
        return Ok(());
    }
    Err(quantity_invalid())
}

/// How many units of one line there can be.
pub(crate) fn quantity_invalid() -> Refusal {
    Refusal::invalid(
        "quantity_invalid",
        Message::new(
            format!("Take 1 to {QUANTITY_MAX} of one thing, on one line."),
            format!("每种商品数量应为 1 至 {QUANTITY_MAX}。"),
        ),
    )
}

/// The day in a community, or where shops are when nobody has told of it.
pub(crate) async fn today(
    db: &impl Read,
    tenant: &TenantId,
    community: Option<&CommunityId>,
    now: Timestamp,
) -> anyhow::Result<NaiveDate> {
    let known = match community {
        Some(community) => known::zone(db, tenant, community).await?,
        None => None,
    };
    let zone = match known {
        Some(zone) => zone,
        None => Zone::parse(ZONE_DEFAULT)?,
    };
    Ok(zone.local(now).date)
}

async fn offered(
    tx: &Tx,
    found: &[Wanted],
    ask: &Ask,
    (today, now): (NaiveDate, Timestamp),
) -> anyhow::Result<(Offer, Option<(Slot, i64)>)> {
    let mut offers = found.iter().map(|wanted| &wanted.offer);
    let offer = offers.find(|offer| offer.variant.id == ask.variant);
    let offer = offer.cloned().ok_or_else(unknown_product)?;
    let slot = match &ask.slot {
        Some(id) => slots::slot(tx, tx.tenant(), id).await?,
        None => None,
    };
    offer
        .check(ask.quantity, slot.as_ref(), (today, now))
        .map_err(|why| why.refusal(&offer.title()))?;
    Ok((offer, slot))
}

fn gathered(
    at: (NaiveDate, Timestamp),
    found: &[Wanted],
    lines: Vec<(Draft, Priced)>,
    vouchers: &[Voucher],
) -> Quote {
    let mut quote = Quote {
        shops: Vec::new(),
        is_in_cart: found.iter().any(|wanted| wanted.is_in_cart),
    };
    for (draft, priced) in lines {
        let (merchant, name) = (draft.offer.merchant.clone(), draft.offer.shop.clone());
        let line = quoted(draft, priced);
        match quote
            .shops
            .iter_mut()
            .find(|shop| shop.merchant == merchant)
        {
            Some(shop) => shop.lines.push(line),
            None => {
                let voucher = vouchers.iter().find(|voucher| voucher.merchant == merchant);
                let wanted = found.iter().find(|one| one.offer.merchant == merchant);
                quote.shops.push(QuotedShop {
                    collection: wanted.map_or(Collection::Platform, |one| one.collection(at)),
                    coupon: voucher.map(|voucher| voucher.coupon.clone()),
                    merchant,
                    name,
                    lines: vec![line],
                });
            }
        }
    }
    quote
}

fn quoted(draft: Draft, priced: Priced) -> QuotedLine {
    let Draft {
        ask,
        offer,
        slot,
        line,
        items,
        group,
    } = draft;
    QuotedLine {
        cancel_until: slot.as_ref().map(|slot| slot.cancel_until(&offer.content)),
        variant: ask.variant,
        product: offer.product,
        category: offer.category,
        kind: offer.kind,
        title: offer.content.name.as_str().to_owned(),
        variant_name: offer.variant.name.as_str().to_owned(),
        slot,
        quantity: ask.quantity,
        unit_minor: line.unit_minor,
        priced,
        items,
        group,
    }
}

fn refused(error: PriceError) -> anyhow::Error {
    match error {
        PriceError::CouponUnfit(id) => coupon_unfit(&id).into(),
        PriceError::CouponsMany(_) => Refusal::invalid(
            "coupons_many",
            Message::new(
                "Use at most one coupon in each shop.",
                "每家店铺最多使用一张优惠券。",
            ),
        )
        .into(),
        PriceError::Money(error) => error.into(),
    }
}

fn coupon_unfit(id: &CouponId) -> Refusal {
    Refusal::conflict(
        "coupon_unfit",
        Message::new(
            format!(
                "The coupon {id} cannot be used here: it is used, over, not yours, or the sum is too small. Take it out."
            ),
            format!("优惠券 {id} 不可用：已使用、已过期、非本人所有或未达到使用门槛，请取消使用。"),
        ),
    )
}
