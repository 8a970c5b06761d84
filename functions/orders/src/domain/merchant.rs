//! A merchant, as far as selling goes: what others have told of it.

use kernel::{ActorId, CategoryId, CommunityId, MerchantId, Message, Refusal};
use wire::mall::MerchantMode;

/// A merchant and its shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The merchant.
    pub id: MerchantId,
    /// What buyers read.
    pub name: String,
    /// Who keeps the shop.
    pub mode: MerchantMode,
    /// Whether it may trade: open, audited, and in good standing.
    pub trades: bool,
    /// The communities that it serves; none means all of the tenant's.
    pub communities: Vec<CommunityId>,
    /// The categories in which it may sell.
    pub categories: Vec<CategoryId>,
    /// Whose accounts act for it.
    pub members: Vec<ActorId>,
}

impl Merchant {
    /// Whether this account acts for it.
    #[must_use]
    pub fn has_member(&self, person: &ActorId) -> bool {
        self.members.contains(person)
    }

    /// Whether it serves that community.
    #[must_use]
    pub fn serves(&self, community: &CommunityId) -> bool {
        self.communities.is_empty() || self.communities.contains(community)
    }

    /// Whether it may sell in that category.
    #[must_use]
    pub fn sells(&self, category: &CategoryId) -> bool {
        self.categories.contains(category)
    }
}

/// How a shop brings things, and what it takes for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// For one order, in fen.
    pub freight_minor: i64,
    /// From what sum on it is free, in fen.
    pub free_from_minor: Option<i64>,
    /// Whether the shop brings things itself.
    pub own: bool,
    /// Whether a carrier does.
    pub carrier: bool,
    /// Whether things can be picked up.
    pub pickup: bool,
    /// Counts up with each change; 0 until the shop has said anything.
    pub version: i64,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            freight_minor: 0,
            free_from_minor: None,
            own: true,
            carrier: true,
            pickup: true,
            version: 0,
        }
    }
}

/// The shop is closed or frozen.
#[must_use]
pub fn not_trading() -> Refusal {
    Refusal::conflict(
        "shop_not_trading",
        Message::new(
            "This shop is closed or frozen at present: nothing can be listed or bought in it.",
            "该店铺目前已停业或被冻结，暂不能上架或购买。",
        ),
    )
}
