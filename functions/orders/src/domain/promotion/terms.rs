//! What promotions promise.

use kernel::{Message, ProductId, Refusal, VariantId};

use crate::domain::pricing::{Off, Scope, WHOLE_BPS};
use crate::domain::product::PRICE_MINOR_MAX;

/// The most coupons of one promotion.
pub const COUPONS_MAX: i64 = 1_000_000;
/// The most tiers of a full reduction.
pub const TIERS_MAX: usize = 10;
/// The most products that a promotion names.
pub const SCOPE_MAX: usize = 200;
/// The fewest and the most members of a group.
pub const GROUP_SIZES: std::ops::RangeInclusive<u32> = 2..=100;
/// The longest time in which a group has to be full, in hours.
pub const GROUP_HOURS_MAX: u32 = 168;
/// What is promised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terms {
    /// Coupons (优惠券): people claim one each, and use it on one order.
    Coupon {
        /// How much is off.
        off: Off,
        /// From what sum on, in fen.
        least_minor: i64,
        /// How many there are.
        issue_max: i64,
        /// Of what.
        scope: Scope,
    },
    /// So much off from so much on (满减).
    FullReduction {
        /// From what sum on, and how much is off, in fen.
        tiers: Vec<(i64, i64)>,
        /// Of what.
        scope: Scope,
    },
    /// A better price for so many buyers together (拼团).
    GroupBuy {
        /// What.
        variant: VariantId,
        /// What one costs, in fen.
        price_minor: i64,
        /// How many buyers make a group.
        size: u32,
        /// In how many hours a group has to be full.
        hours: u32,
    },
    /// Few units at a low price for a short time (秒杀).
    FlashSale {
        /// What.
        variant: VariantId,
        /// What one costs, in fen.
        price_minor: i64,
        /// How many units there are.
        units: i64,
        /// How many of them one person can have.
        person_max: i64,
    },
}

impl Terms {
    /// The name on the wire and in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Coupon { .. } => "coupon",
            Self::FullReduction { .. } => "full_reduction",
            Self::GroupBuy { .. } => "group_buy",
            Self::FlashSale { .. } => "flash_sale",
        }
    }

    /// How many coupons there are.
    #[must_use]
    pub fn issue_max(&self) -> i64 {
        match self {
            Self::Coupon { issue_max, .. } => *issue_max,
            _ => 0,
        }
    }

    /// The one variant that it is about, if it is about one.
    #[must_use]
    pub fn variant(&self) -> Option<&VariantId> {
        match self {
            Self::GroupBuy { variant, .. } | Self::FlashSale { variant, .. } => Some(variant),
            Self::Coupon { .. } | Self::FullReduction { .. } => None,
        }
    }

    /// The products that it names.
    #[must_use]
    pub fn scope(&self) -> &[ProductId] {
        match self {
            Self::Coupon { scope, .. } | Self::FullReduction { scope, .. } => scope,
            Self::GroupBuy { .. } | Self::FlashSale { .. } => &[],
        }
    }

    /// Refuses what cannot be promised.
    ///
    /// # Errors
    /// 422 that names what is wrong.
    pub fn check(&self) -> Result<(), Refusal> {
        let price = |minor: i64| (1..=PRICE_MINOR_MAX).contains(&minor);
        let is_fine = match self {
            Self::Coupon {
                off,
                least_minor,
                issue_max,
                scope,
            } => {
                let off_fits = match off {
                    Off::Minor(minor) => price(*minor),
                    Off::Share { bps, minor_max } => {
                        (1..=WHOLE_BPS).contains(bps) && price(*minor_max)
                    }
                };
                off_fits
                    && (0..=PRICE_MINOR_MAX).contains(least_minor)
                    && (1..=COUPONS_MAX).contains(issue_max)
                    && scope.len() <= SCOPE_MAX
            }
            Self::FullReduction { tiers, scope } => {
                (1..=TIERS_MAX).contains(&tiers.len())
                    && scope.len() <= SCOPE_MAX
                    && tiers
                        .iter()
                        .all(|(from, off)| price(*from) && price(*off) && off <= from)
            }
            Self::GroupBuy {
                price_minor,
                size,
                hours,
                ..
            } => {
                price(*price_minor)
                    && GROUP_SIZES.contains(size)
                    && (1..=GROUP_HOURS_MAX).contains(hours)
            }
            Self::FlashSale {
                price_minor,
                units,
                person_max,
                ..
            } => {
                price(*price_minor)
                    && (1..=COUPONS_MAX).contains(units)
                    && (1..=*units).contains(person_max)
            }
        };
        if is_fine {
            Ok(())
        } else {
            Err(terms_invalid())
        }
    }
}

/// What cannot be promised.
#[must_use]
pub fn terms_invalid() -> Refusal {
    Refusal::invalid(
        "terms_invalid",
        Message::new(
            "These terms cannot be promised: amounts and numbers are above zero, a reduction is not above its sum, a person's limit not above the units, a group has 2 to 100 buyers.",
            "活动条款不正确：金额与数量须大于零，减免不得高于门槛，限购不得多于总量，拼团人数为 2 至 100。",
        ),
    )
}
