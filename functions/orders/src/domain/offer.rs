//! What a buyer can have of a variant at a moment, and why not.

use chrono::NaiveDate;
use kernel::{MerchantId, Message, ProductId, Refusal, Timestamp};
use wire::mall::SaleKind;

use super::product::{Content, Freshness, Slot, Variant};
use super::stock::out_of_stock;

/// A variant with all that decides whether it can be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The variant.
    pub variant: Variant,
    /// Of which product.
    pub product: ProductId,
    /// Of what.
    pub category: kernel::CategoryId,
    /// Goods or service.
    pub kind: SaleKind,
    /// What the merchant says of it.
    pub content: Content,
    /// Whether it is listed.
    pub listed: bool,
    /// Whose.
    pub merchant: MerchantId,
    /// What the shop is called.
    pub shop: String,
    /// Whether the shop may trade.
    pub trades: bool,
    /// Whether the shop serves the buyer's community.
    pub serves: bool,
    /// How many there are, of goods.
    pub available: i64,
    /// What the shop takes for bringing things, in fen.
    pub freight_minor: i64,
    /// From what sum on it takes nothing for that, in fen.
    pub free_from_minor: Option<i64>,
}

/// Why something cannot be bought now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The shop is closed or frozen.
    ShopNotTrading,
    /// The shop does not serve the community.
    NotServed,
    /// It was taken off, or this variant of it.
    NotOnOffer,
    /// Its last day is over.
    Expired,
    /// A service without a time.
    SlotMissing,
    /// The time is over, too near, or taken away.
    SlotClosed,
    /// There is less than that.
    OutOfStock,
}

impl Why {
    /// The stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ShopNotTrading => "shop_not_trading",
            Self::NotServed => "community_not_served",
            Self::NotOnOffer => "product_not_on_offer",
            Self::Expired => "product_expired",
            Self::SlotMissing => "slot_required",
            Self::SlotClosed => "slot_closed",
            Self::OutOfStock => "out_of_stock",
        }
    }

    /// As a refusal that names what cannot be bought.
    #[must_use]
    pub fn refusal(self, title: &str) -> Refusal {
        let (english, chinese) = match self {
            Self::ShopNotTrading => return super::not_trading(),
            Self::OutOfStock => return out_of_stock(title),
            Self::NotServed => (
                "the shop does not serve this community. Choose another shop",
                "该店铺不服务于本小区，请选择其他店铺",
            ),
            Self::NotOnOffer => (
                "it is no longer on offer. Take it out of the cart",
                "已下架，请从购物车移除",
            ),
            Self::Expired => (
                "its last day of sale is over. Take it out of the cart",
                "已过期，请从购物车移除",
            ),
            Self::SlotMissing => (
                "choose a time for this service, and none for goods",
                "请为服务选择时段，商品无需时段",
            ),
            Self::SlotClosed => (
                "this time can no longer be booked. Choose another one",
                "该时段已不可预约，请选择其他时段",
            ),
        };
        let message = Message::new(
            format!("{title}: {english}."),
            format!("{title}：{chinese}。"),
        );
        match self {
            Self::SlotMissing => Refusal::invalid(self.code(), message),
            _ => Refusal::conflict(self.code(), message),
        }
    }
}

impl Offer {
    /// Whether that many can be bought, in that slot (with its places left) if it is a service.
    ///
    /// # Errors
    /// Why not.
    pub fn check(
        &self,
        quantity: u32,
        slot: Option<&(Slot, i64)>,
        (today, now): (NaiveDate, Timestamp),
    ) -> Result<(), Why> {
        if !self.trades {
            return Err(Why::ShopNotTrading);
        }
        if !self.serves {
            return Err(Why::NotServed);
        }
        if !self.listed || self.variant.gone {
            return Err(Why::NotOnOffer);
        }
        if self.variant.freshness(today) == Freshness::Expired {
            return Err(Why::Expired);
        }
        let left = match (self.kind, slot) {
            (SaleKind::Goods, None) => self.available,
            (SaleKind::Service, Some((slot, left))) => {
                if slot.product != self.product || !slot.is_bookable(&self.content, now) {
                    return Err(Why::SlotClosed);
                }
                *left
            }
            (SaleKind::Goods, Some(_)) | (SaleKind::Service, None) => {
                return Err(Why::SlotMissing);
            }
        };
        if left < i64::from(quantity) {
            return Err(Why::OutOfStock);
        }
        Ok(())
    }

    /// What buyers read of it.
    #[must_use]
    pub fn title(&self) -> String {
        format!(
            "{} {}",
            self.content.name.as_str(),
            self.variant.name.as_str()
        )
    }
}
