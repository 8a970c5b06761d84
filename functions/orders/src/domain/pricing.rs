//! What lines cost: special prices first, then one full reduction (满减) and one coupon for each merchant, then freight.
//!
//! Every amount is whole fen. A discount is split over its lines by largest remainder, and each line's part of it
//! between platform and merchant likewise, so that all sums close exactly.

use kernel::{CouponId, Currency, MerchantId, Money, MoneyError, ProductId, PromotionId};

/// The share of 1, in 1/10,000.
pub const WHOLE_BPS: u32 = 10_000;

/// One thing that is to be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Who sells it.
    pub merchant: MerchantId,
    /// What it is one of.
    pub product: ProductId,
    /// How many.
    pub quantity: u32,
    /// What one costs today, in fen.
    pub unit_minor: i64,
    /// Whether it is brought, so that it bears a part of the freight.
    pub brought: bool,
    /// What one costs in a flash sale or a group, if it is bought so.
    pub special: Option<Special>,
}

/// A price of a flash sale or of a group; nothing else is taken off such a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Special {
    /// The promotion.
    pub promotion: PromotionId,
    /// What one costs in it, in fen.
    pub unit_minor: i64,
    /// The platform's share of the discount.
    pub subsidy_bps: u32,
}

/// Which of a merchant's products a promotion is about; none named means all.
pub type Scope = Vec<ProductId>;

/// So much off from so much on (满减).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduction {
    /// The promotion.
    pub promotion: PromotionId,
    /// Whose.
    pub merchant: MerchantId,
    /// From what sum on, and how much is off, in fen.
    pub tiers: Vec<(i64, i64)>,
    /// Of what.
    pub scope: Scope,
    /// The platform's share of the discount.
    pub subsidy_bps: u32,
}

/// How much a coupon takes off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Off {
    /// That many fen.
    Minor(i64),
    /// A share, and at most that many fen.
    Share {
        /// In 1/10,000.
        bps: u32,
        /// In fen.
        minor_max: i64,
    },
}

/// A coupon (优惠券) that the buyer uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voucher {
    /// The coupon.
    pub coupon: CouponId,
    /// The promotion that it is of.
    pub promotion: PromotionId,
    /// Whose.
    pub merchant: MerchantId,
    /// From what sum on, after reductions, in fen.
    pub least_minor: i64,
    /// How much.
    pub off: Off,
    /// Of what.
    pub scope: Scope,
    /// The platform's share of the discount.
    pub subsidy_bps: u32,
}

/// What a merchant takes for bringing things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freight {
    /// Whose.
    pub merchant: MerchantId,
    /// In fen.
    pub minor: i64,
    /// From what sum of payable amounts on it is free, in fen.
    pub free_from_minor: Option<i64>,
}

/// A part of a discount that one line got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discount {
    /// Of which promotion.
    pub promotion: PromotionId,
    /// By which coupon.
    pub coupon: Option<CouponId>,
    /// How much, in fen.
    pub minor: i64,
    /// How much of it the platform bears; the merchant bears the rest.
    pub subsidy_minor: i64,
}

/// What a line costs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Priced {
    /// Without discounts.
    pub list_minor: i64,
    /// What was taken off, and by what.
    pub discounts: Vec<Discount>,
    /// All that was taken off.
    pub discount_minor: i64,
    /// What the platform bears of it.
    pub subsidy_minor: i64,
    /// What the buyer pays, without freight.
    pub payable_minor: i64,
    /// The line's part of the freight.
    pub freight_minor: i64,
}

/// Why lines have no price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceError {
    /// The coupon does not hold for what is bought, or the sum is too small.
    CouponUnfit(CouponId),
    /// Two coupons for one merchant.
    CouponsMany(MerchantId),
    /// Amounts beyond what a sum can hold.
    Money(MoneyError),
}

impl From<MoneyError> for PriceError {
    fn from(error: MoneyError) -> Self {
        Self::Money(error)
    }
}

/// Prices the lines, in their order.
///
/// # Errors
/// A coupon that does not fit, two of one merchant, amounts that are too large.
pub fn price(
    lines: &[Line],
    reductions: &[Reduction],
    coupons: &[Voucher],
    freights: &[Freight],
) -> Result<Vec<Priced>, PriceError> {
    let mut priced = Vec::with_capacity(lines.len());
    for line in lines {
        priced.push(listed(line)?);
    }
    for merchant in merchants(lines) {
        if let Some((reduction, off)) = best(lines, &priced, reductions, merchant) {
            let eligible = eligible(lines, merchant, &reduction.scope);
            let cut = Cut {
                promotion: &reduction.promotion,
                coupon: None,
                minor: off,
                subsidy_bps: reduction.subsidy_bps,
            };
            take_off(&mut priced, &eligible, &cut)?;
        }
        let mut own = coupons.iter().filter(|coupon| &coupon.merchant == merchant);
        if let Some(coupon) = own.next() {
            redeem(lines, &mut priced, coupon)?;
        }
        if own.next().is_some() {
            return Err(PriceError::CouponsMany(merchant.clone()));
        }
    }
    if let Some(lost) = coupons
        .iter()
        .find(|coupon| !lines.iter().any(|line| line.merchant == coupon.merchant))
    {
        return Err(PriceError::CouponUnfit(lost.coupon.clone()));
    }
    for freight in freights {
        carry(lines, &mut priced, freight)?;
    }
    Ok(priced)
}

/// The merchants of the lines, each once, in the order of their first line.
fn merchants(lines: &[Line]) -> Vec<&MerchantId> {
    let mut found: Vec<&MerchantId> = Vec::new();
    for line in lines {
        if !found.contains(&&line.merchant) {
            found.push(&line.merchant);
        }
    }
    found
}

fn listed(line: &Line) -> Result<Priced, PriceError> {
    let times = |unit: i64| {
        unit.checked_mul(i64::from(line.quantity))
            .ok_or(MoneyError::Overflow)
    };
    let list_minor = times(line.unit_minor)?;
    let mut priced = Priced {
        list_minor,
        payable_minor: list_minor,
        ..Priced::default()
    };
    if let Some(special) = &line.special {
        // A special price above the present one is no discount, and nobody pays more for it.
        let off = list_minor - times(special.unit_minor)?.clamp(0, list_minor);
        let cut = Cut {
            promotion: &special.promotion,
            coupon: None,
            minor: off,
            subsidy_bps: special.subsidy_bps,
        };
        cut.apply(&mut priced, off, share(off, special.subsidy_bps)?);
    }
    Ok(priced)
}

/// The lines of the merchant from which something can be taken off.
fn eligible(lines: &[Line], merchant: &MerchantId, scope: &Scope) -> Vec<usize> {
    let holds = |line: &Line| {
        &line.merchant == merchant
            && line.special.is_none()
            && (scope.is_empty() || scope.contains(&line.product))
    };
    let numbered = lines.iter().enumerate();
    numbered
        .filter(|(_, line)| holds(line))
        .map(|(index, _)| index)
        .collect()
}

fn sum(priced: &[Priced], indexes: &[usize]) -> i64 {
    let found = indexes.iter().filter_map(|index| priced.get(*index));
    found.map(|line| line.payable_minor).sum()
}

/// The merchant's reduction that takes the most off; of equals the first by id.
fn best<'a>(
    lines: &[Line],
    priced: &[Priced],
    reductions: &'a [Reduction],
    merchant: &MerchantId,
) -> Option<(&'a Reduction, i64)> {
    let off_of = |reduction: &Reduction| {
        let total = sum(priced, &eligible(lines, merchant, &reduction.scope));
        let reached = reduction.tiers.iter().filter(|(from, _)| *from <= total);
        reached
            .map(|(_, off)| (*off).min(total))
            .max()
            .filter(|off| *off > 0)
    };
    reductions
        .iter()
        .filter(|reduction| &reduction.merchant == merchant)
        .filter_map(|reduction| Some((reduction, off_of(reduction)?)))
        .max_by(|(left, left_off), (right, right_off)| {
            (left_off, &right.promotion).cmp(&(right_off, &left.promotion))
        })
}

fn redeem(lines: &[Line], priced: &mut [Priced], coupon: &Voucher) -> Result<(), PriceError> {
    let eligible = eligible(lines, &coupon.merchant, &coupon.scope);
    let total = sum(priced, &eligible);
    if eligible.is_empty() || total == 0 || total < coupon.least_minor {
        return Err(PriceError::CouponUnfit(coupon.coupon.clone()));
    }
    let off = match coupon.off {
        Off::Minor(minor) => minor,
        Off::Share { bps, minor_max } => share(total, bps)?.min(minor_max),
    };
    let cut = Cut {
        promotion: &coupon.promotion,
        coupon: Some(&coupon.coupon),
        minor: off.clamp(0, total),
        subsidy_bps: coupon.subsidy_bps,
    };
    take_off(priced, &eligible, &cut)
}

/// A share of an amount: the one rounding, half up.
fn share(minor: i64, bps: u32) -> Result<i64, MoneyError> {
    let exact = i128::from(minor) * i128::from(bps.min(WHOLE_BPS));
    let rounded = (exact + i128::from(WHOLE_BPS) / 2).div_euclid(i128::from(WHOLE_BPS));
    i64::try_from(rounded).map_err(|_| MoneyError::Overflow)
}

/// What is taken off some lines together.
struct Cut<'a> {
    promotion: &'a PromotionId,
    coupon: Option<&'a CouponId>,
    minor: i64,
    subsidy_bps: u32,
}

impl Cut<'_> {
    fn apply(&self, priced: &mut Priced, minor: i64, subsidy_minor: i64) {
        if minor == 0 {
            return;
        }
        priced.discount_minor += minor;
        priced.subsidy_minor += subsidy_minor;
        priced.payable_minor -= minor;
        priced.discounts.push(Discount {
            promotion: self.promotion.clone(),
            coupon: self.coupon.cloned(),
            minor,
            subsidy_minor,
        });
    }
}

/// Splits a discount over lines by what they cost, and the platform's share of it by what each got.
fn take_off(priced: &mut [Priced], indexes: &[usize], cut: &Cut<'_>) -> Result<(), PriceError> {
    let weights: Vec<i64> = indexes
        .iter()
        .filter_map(|index| priced.get(*index))
        .map(|line| line.payable_minor)
        .collect();
    let parts = split(cut.minor, &weights)?;
    let subsidies = split(share(cut.minor, cut.subsidy_bps)?, &parts)?;
    for (index, (part, subsidy)) in indexes.iter().zip(parts.into_iter().zip(subsidies)) {
        if let Some(line) = priced.get_mut(*index) {
            cut.apply(line, part, subsidy);
        }
    }
    Ok(())
}

/// Splits by largest remainder; nothing is split into nothings.
fn split(minor: i64, weights: &[i64]) -> Result<Vec<i64>, PriceError> {
    if minor == 0 {
        return Ok(vec![0; weights.len()]);
    }
    let weights: Vec<u64> = weights
        .iter()
        .map(|weight| u64::try_from(*weight).map_err(|_| MoneyError::Weights))
        .collect::<Result<_, _>>()?;
    let parts = Money::new(minor, Currency::Cny).split(&weights)?;
    Ok(parts.into_iter().map(Money::minor).collect())
}

/// Splits a merchant's freight over the lines that are brought by what they cost, evenly when they cost nothing.
fn carry(lines: &[Line], priced: &mut [Priced], freight: &Freight) -> Result<(), PriceError> {
    let own: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.merchant == freight.merchant && line.brought)
        .map(|(index, _)| index)
        .collect();
    let total = sum(priced, &own);
    let is_free = freight.free_from_minor.is_some_and(|from| total >= from);
    if own.is_empty() || is_free {
        return Ok(());
    }
    let weight = |index: &usize| match total {
        0 => 1,
        _ => priced.get(*index).map_or(0, |line| line.payable_minor),
    };
    let weights: Vec<i64> = own.iter().map(weight).collect();
    for (index, part) in own.iter().zip(split(freight.minor, &weights)?) {
        if let Some(line) = priced.get_mut(*index) {
            line.freight_minor = part;
        }
    }
    Ok(())
}
