//! What is offered in the mall, and what is promised about it: the audit trail of shops.

use kernel::{
    ActorId, AddressId, CategoryId, CouponId, GroupId, MerchantId, ProductId, PromotionId, SlotId,
    VariantId,
};

events! {
    /// Goods or a service were added, changed, listed or delisted.
    ProductChanged = "product.changed" {
        /// The product.
        product: ProductId,
        /// Whose.
        merchant: MerchantId,
        /// Of what.
        category: CategoryId,
        /// `draft`, `listed` or `delisted`.
        state: String,
        /// What a unit of each variant costs from now on, in fen.
        prices: Vec<(VariantId, i64)>,
        /// Its version after the change, from 1.
        version: i64,
        /// Who did it.
        actor: ActorId,
        /// Whether an operator did it for the merchant.
        on_behalf: bool,
        /// Why, where somebody said so.
        reason: Option<String>,
    }
    /// A time for a service was offered, or taken away.
    SlotChanged = "slot.changed" {
        /// The time.
        slot: SlotId,
        /// Of which service.
        product: ProductId,
        /// Whether it is no longer offered.
        gone: bool,
        /// Who did it.
        actor: ActorId,
    }
    /// Somebody received, issued or counted units.
    StockAdjusted = "stock.adjusted" {
        /// The variant or slot.
        item: String,
        /// Whose.
        merchant: MerchantId,
        /// `received`, `issued` or `counted`.
        kind: String,
        /// By how much what can be bought changed.
        change: i64,
        /// What can be bought since.
        available: i64,
        /// Who did it.
        actor: ActorId,
        /// Why.
        reason: Option<String>,
    }
    /// A shop brings things otherwise than before, or takes something else for it.
    ShopDeliveryChanged = "shop_delivery.changed" {
        /// Whose.
        merchant: MerchantId,
        /// In fen.
        freight_minor: i64,
        /// From what sum on it is free, in fen.
        free_from_minor: Option<i64>,
        /// Who changed it.
        actor: ActorId,
    }
    /// A promotion was applied for, approved, rejected or withdrawn.
    PromotionChanged = "promotion.changed" {
        /// The promotion.
        promotion: PromotionId,
        /// Whose.
        merchant: MerchantId,
        /// `coupon`, `full_reduction`, `group_buy` or `flash_sale`.
        kind: String,
        /// `applied`, `approved`, `rejected` or `withdrawn`.
        state: String,
        /// The platform's share of the discount.
        subsidy_bps: u32,
        /// Who did it.
        actor: ActorId,
        /// Why.
        reason: Option<String>,
    }
    /// Somebody has a coupon.
    CouponClaimed = "coupon.claimed" {
        /// The coupon.
        coupon: CouponId,
        /// Of which promotion.
        promotion: PromotionId,
        /// Who.
        person: ActorId,
    }
    /// A group of buyers has all its members, or its time was over before.
    GroupBuyEnded = "group_buy.ended" {
        /// The group.
        group: GroupId,
        /// The promotion.
        promotion: PromotionId,
        /// Whether it is full.
        full: bool,
    }
    /// A person added, changed or deleted an address; the address itself is kept by its owner.
    AddressChanged = "address.changed" {
        /// The address.
        address: AddressId,
        /// Whose.
        person: ActorId,
        /// Whether it was deleted.
        gone: bool,
    }
}
