//! Goods and services, their variants, and when they can be bought.

use chrono::NaiveDate;
use kernel::{
    Actor, ActorKind, CategoryId, MerchantId, Message, ProductId, Refusal, SlotId, Timestamp,
    VariantId,
};
use wire::mall::SaleKind;

use super::text::{Code, Description, Name, Reason, Summary};
use super::{Merchant, goods_keeper, not_trading};

/// The most variants of a product.
pub const VARIANTS_MAX: usize = 30;
/// The highest price of one unit, in fen.
pub const PRICE_MINOR_MAX: i64 = 1_000_000_000;
/// The longest time before a slot at which something about it is settled, in minutes.
pub const MINUTES_MAX: u32 = 60 * 24 * 30;
/// The most days before the last one at which something counts as near its expiry.
pub const NEAR_DAYS_MAX: u32 = 365;

const MINUTE_MS: i64 = 60_000;

/// Where a product stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductState {
    /// Never shown to buyers yet.
    Draft,
    /// Can be seen and bought, since.
    Listed(Timestamp),
    /// Taken off, perhaps with a reason.
    Delisted(Option<Reason>),
}

impl ProductState {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Listed(_) => "listed",
            Self::Delisted(_) => "delisted",
        }
    }
}

/// Goods or a life service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Whose.
    pub merchant: MerchantId,
    /// Of what.
    pub category: CategoryId,
    /// Goods or service, as its category says.
    pub kind: SaleKind,
    /// What buyers read.
    pub content: Content,
    /// Where it stands.
    pub state: ProductState,
    /// Counts up with each change.
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub changed_at: Timestamp,
}

/// What a merchant says of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Its name.
    pub name: Name,
    /// A sentence about it.
    pub summary: Option<Summary>,
    /// All about it.
    pub description: Description,
    /// Of services: until how many minutes before a slot it can be booked.
    pub lead_minutes: u32,
    /// Of services: until how many minutes before a slot it can be given up.
    pub cancel_minutes: u32,
}

/// What of a product is bought: its size, its colour (规格).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// What buyers read.
    pub name: Name,
    /// What one costs, in fen.
    pub price_minor: i64,
    /// The merchant's own code; unique among its variants.
    pub code: Option<Code>,
    /// What is printed on it.
    pub barcode: Option<Code>,
    /// What is known of the batch on the shelf.
    pub shelf: Option<Shelf>,
    /// Whether it is no longer offered.
    pub gone: bool,
}

/// The batch that is on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The last day on which it may be sold.
    pub expires_on: NaiveDate,
    /// By which the batch is traced.
    pub trace_code: Option<Code>,
    /// How many days before the last one it counts as near its expiry.
    pub near_days: u32,
    /// What is off its price by then, in 1/10,000.
    pub markdown_bps: u32,
}

/// A time in which a service can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its id.
    pub id: SlotId,
    /// Of which service.
    pub product: ProductId,
    /// Its beginning.
    pub starts_at: Timestamp,
    /// Its end, excluded.
    pub ends_at: Timestamp,
    /// Whether it is no longer offered.
    pub gone: bool,
}

/// How the batch on the shelf stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Far from its last day, or without one.
    Fresh,
    /// Its last days; the price is marked down.
    Near,
    /// Not to be sold any more.
    Expired,
}

impl Variant {
    /// How it stands on that day.
    #[must_use]
    pub fn freshness(&self, today: NaiveDate) -> Freshness {
        match &self.shelf {
            Some(shelf) => shelf.freshness(today),
            None => Freshness::Fresh,
        }
    }

    /// What one costs on that day, in fen: marked down near its expiry, rounded half up.
    #[must_use]
    pub fn price_on(&self, today: NaiveDate) -> i64 {
        match &self.shelf {
            Some(shelf) if shelf.freshness(today) == Freshness::Near => {
                let kept = 10_000 - i128::from(shelf.markdown_bps.min(10_000));
                let exact = i128::from(self.price_minor) * kept;
                i64::try_from((exact + 5_000).div_euclid(10_000)).unwrap_or(self.price_minor)
            }
            _ => self.price_minor,
        }
    }
}

impl Shelf {
    fn freshness(&self, today: NaiveDate) -> Freshness {
        let left = self.expires_on.signed_duration_since(today).num_days();
        if left < 0 {
            Freshness::Expired
        } else if left <= i64::from(self.near_days) {
            Freshness::Near
        } else {
            Freshness::Fresh
        }
    }
}

impl Slot {
    /// Whether it can be booked at that moment.
    #[must_use]
    pub fn is_bookable(&self, content: &Content, now: Timestamp) -> bool {
        let latest = self
            .starts_at
            .plus_millis(-i64::from(content.lead_minutes) * MINUTE_MS);
        !self.gone && now <= latest && now < self.starts_at
    }

    /// Until when a booking can be given up.
    #[must_use]
    pub fn cancel_until(&self, content: &Content) -> Timestamp {
        self.starts_at
            .plus_millis(-i64::from(content.cancel_minutes) * MINUTE_MS)
    }
}

/// Lets a product be listed.
///
/// # Errors
/// 409 while the shop may not trade; 422 when the merchant may not sell in the category, or nothing can be bought.
pub fn list(
    merchant: &Merchant,
    product: &Product,
    variants: &[Variant],
    now: Timestamp,
) -> Result<ProductState, Refusal> {
    if !merchant.trades {
        return Err(not_trading());
    }
    check_category(merchant, &product.category)?;
    if !variants.iter().any(|variant| !variant.gone) {
        return Err(Refusal::invalid(
            "variants_missing",
            Message::new(
                "Add at least one variant with a price first.",
                "请先添加至少一个带价格的规格。",
            ),
        ));
    }
    match product.state {
        ProductState::Listed(since) => Ok(ProductState::Listed(since)),
        ProductState::Draft | ProductState::Delisted(_) => Ok(ProductState::Listed(now)),
    }
}

/// Refuses a category in which the merchant may not sell.
///
/// # Errors
/// 422.
pub fn check_category(merchant: &Merchant, category: &CategoryId) -> Result<(), Refusal> {
    if merchant.sells(category) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "category_not_allowed",
        Message::new(
            "The merchant may not sell in this category. Choose one of its own, or ask the platform to add it.",
            "该商家未获准经营此品类，请选择已获准的品类或联系平台添加。",
        ),
    ))
}

/// Lets a product be taken off: by those who keep it, and by the platform's operators with a reason, whoever keeps it.
///
/// # Errors
/// 404 for those who may not know of it, 403 for those who only read, 422 for an operator without a reason.
pub fn check_delisting(
    actor: &Actor,
    merchant: &Merchant,
    reason: Option<&Reason>,
) -> Result<(), Refusal> {
    if actor.kind != ActorKind::Operator {
        return goods_keeper(actor, merchant, unknown_product);
    }
    if reason.is_some() {
        return Ok(());
    }
    Err(Refusal::invalid(
        "reason_required",
        Message::new(
            "You act for the merchant: say why, in `reason`.",
            "您在代商家操作，请填写原因（reason）。",
        ),
    ))
}

/// Goods stay goods, services stay services.
#[must_use]
pub fn kind_fixed() -> Refusal {
    Refusal::invalid(
        "kind_fixed",
        Message::new(
            "Goods cannot become a service, nor a service goods: add a new one.",
            "商品与服务不能互换，请另行添加。",
        ),
    )
}

/// No such product, or none that the caller may know.
#[must_use]
pub fn unknown_product() -> Refusal {
    Refusal::not_found(
        "product_unknown",
        Message::new("There is no such product on offer.", "未找到该商品或服务。"),
    )
}

/// No such time of that service.
#[must_use]
pub fn unknown_slot() -> Refusal {
    Refusal::not_found(
        "slot_unknown",
        Message::new(
            "There is no such time for this service. Choose another one.",
            "未找到该服务时段，请选择其他时段。",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(expires_on: &str, near_days: u32, markdown_bps: u32) -> Variant {
        Variant {
            id: VariantId::parse("v1").unwrap(),
            name: Name::parse("盒").unwrap(),
            price_minor: 1_005,
            code: None,
            barcode: None,
            shelf: Some(Shelf {
                expires_on: expires_on.parse().unwrap(),
                trace_code: None,
                near_days,
                markdown_bps,
            }),
            gone: false,
        }
    }

    fn check(today: &str, freshness: Freshness, price: i64) {
        let found = variant("2026-11-10", 3, 3_000);
        let today = today.parse().unwrap();
        assert_eq!(found.freshness(today), freshness, "{today}");
        assert_eq!(found.price_on(today), price, "{today}");
    }

    #[test]
    fn the_last_days_are_marked_down_and_after_the_last_nothing_is_sold() {
        check("2026-11-06", Freshness::Fresh, 1_005);
        check("2026-11-07", Freshness::Near, 704);
        check("2026-11-10", Freshness::Near, 704);
        check("2026-11-11", Freshness::Expired, 1_005);
    }

    #[test]
    fn a_slot_can_be_booked_until_its_lead_and_not_after_it_began() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let slot = Slot {
            id: SlotId::parse("s1").unwrap(),
            product: ProductId::parse("p1").unwrap(),
            starts_at: at("2026-11-03T02:00:00Z"),
            ends_at: at("2026-11-03T03:00:00Z"),
            gone: false,
        };
        let content = |lead_minutes| Content {
            name: Name::parse("洗衣").unwrap(),
            summary: None,
            description: Description::default(),
            lead_minutes,
            cancel_minutes: 120,
        };
        assert!(slot.is_bookable(&content(60), at("2026-11-03T01:00:00Z")));
        assert!(!slot.is_bookable(&content(60), at("2026-11-03T01:00:01Z")));
        assert!(!slot.is_bookable(&content(0), at("2026-11-03T02:00:00Z")));
        assert_eq!(slot.cancel_until(&content(60)), at("2026-11-03T00:00:00Z"));
    }
}
