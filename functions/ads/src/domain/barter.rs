//! Exchanges (广告置换): advertising on one side, goods on the other, and money for the rest.
//!
//! `advertising = goods + boot`, exactly: the boot is what the merchant pays besides, or, below zero, what it gets.

use chrono::NaiveDate;
use kernel::{ActorId, BarterId, MerchantId, Message, PlacementId, ProductId, Refusal};

use super::placement::PRICE_MAX;
use super::text::{Name, Note};

mod state;

pub use state::{BarterState, BarterVerb, Side};

/// The most placements of an exchange.
pub const SLOTS_MAX: usize = 20;
/// The most kinds of goods of an exchange.
pub const ITEMS_MAX: usize = 20;
/// For how long deals in money say what advertising is worth, in days.
pub const DEALS_DAYS: u64 = 90;
/// For how long sales say what goods are worth, in days.
pub const SALES_DAYS: u64 = 30;

/// A placement for some days, with what a day of it is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Where.
    pub placement: PlacementId,
    /// The first day.
    pub starts_on: NaiveDate,
    /// The first day after.
    pub ends_on: NaiveDate,
    /// What a day is worth, in fen.
    pub day_minor: i64,
}

/// Goods, with what one of them is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goods {
    /// What people read.
    pub name: Name,
    /// What it is in the mall.
    pub product: Option<ProductId>,
    /// How many.
    pub units: i64,
    /// What one costs by the list, in fen.
    pub list_minor: i64,
    /// What one costs elsewhere by the evidence, in fen, and the evidence; where the mall knows no price.
    pub evidence: Option<(i64, Note)>,
    /// What one is worth, in fen.
    pub unit_minor: i64,
}

/// What both sides give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The advertising.
    pub slots: Vec<Slot>,
    /// The goods.
    pub goods: Vec<Goods>,
    /// What the merchant pays besides, in fen; below zero what it gets.
    pub boot_minor: i64,
    /// How far one side may be ahead, in fen.
    pub limit_minor: i64,
}

impl Terms {
    /// What the advertising is worth.
    #[must_use]
    pub fn advertising_minor(&self) -> i64 {
        let slot = |slot: &Slot| {
            slot.day_minor
                .saturating_mul(super::day::count(slot.starts_on, slot.ends_on))
        };
        self.slots.iter().map(slot).fold(0, i64::saturating_add)
    }

    /// What the goods are worth.
    #[must_use]
    pub fn goods_minor(&self) -> i64 {
        let goods = |goods: &Goods| goods.unit_minor.saturating_mul(goods.units);
        self.goods.iter().map(goods).fold(0, i64::saturating_add)
    }

    /// Lets terms pass that can be: something on both sides, and even to the fen.
    ///
    /// # Errors
    /// 422 naming what cannot be, with the boot that would make them even.
    pub fn check(&self, today: NaiveDate) -> Result<(), Refusal> {
        let is_price = |minor: &i64| (0..=PRICE_MAX).contains(minor);
        let is_slot = |slot: &Slot| {
            today <= slot.starts_on
                && (1..=366).contains(&super::day::count(slot.starts_on, slot.ends_on))
        };
        let is_goods = |goods: &Goods| {
            (1..=1_000_000).contains(&goods.units)
                && is_price(&goods.list_minor)
                && goods
                    .evidence
                    .as_ref()
                    .is_none_or(|(minor, _)| is_price(minor))
        };
        let is_fine = (1..=SLOTS_MAX).contains(&self.slots.len())
            && (1..=ITEMS_MAX).contains(&self.goods.len())
            && self.slots.iter().all(is_slot)
            && self.goods.iter().all(is_goods)
            && is_price(&self.limit_minor);
        if !is_fine {
            return Err(Refusal::invalid(
                "barter_invalid",
                Message::new(
                    "An exchange has 1 to 20 placements of 1 to 366 days from today on, and 1 to 20 goods of 1 to 1000000 units; amounts are 0 to 100000000.",
                    "置换合同包含 1 至 20 个广告位（自今日起 1 至 366 天）和 1 至 20 种货品（1 至 1000000 件），金额为 0 至 100000000 分。",
                ),
            ));
        }
        let even = self.advertising_minor().saturating_sub(self.goods_minor());
        if self.boot_minor == even {
            return Ok(());
        }
        let (advertising, goods) = (self.advertising_minor(), self.goods_minor());
        Err(Refusal::invalid(
            "barter_uneven",
            Message::new(
                format!(
                    "The advertising is worth {advertising} fen and the goods {goods}: the boot has to be {even}."
                ),
                format!("广告价值 {advertising} 分，货品价值 {goods} 分，补价须为 {even} 分。"),
            ),
        ))
    }
}

/// What a day of a placement is worth: the middle one of the deals in money with others, the lower of two middle ones.
/// `deals` are sorted.
///
/// # Errors
/// 409 when there is no such deal: advertising that nobody has bought has no price.
pub fn worth_of_day(deals: &[i64]) -> Result<i64, Refusal> {
    middle(deals).ok_or_else(|| {
        Refusal::conflict(
            "barter_no_deals",
            Message::new(
                "Nobody else has booked such a placement with money in the last 90 days: it cannot be valued. Choose another one.",
                "近 90 天内没有其他客户以现金预订同类广告位，无法估值，请选择其他广告位。",
            ),
        )
    })
}

/// What one unit of goods is worth: the lower of its list price and what it is sold for, by the mall's sales or, where
/// there are none, by the evidence.
///
/// # Errors
/// 422 when neither says.
pub fn worth_of_unit(
    list_minor: i64,
    sold_minor: Option<i64>,
    evidence_minor: Option<i64>,
) -> Result<i64, Refusal> {
    match sold_minor.or(evidence_minor) {
        Some(price) => Ok(list_minor.min(price)),
        None => Err(Refusal::invalid(
            "barter_evidence_missing",
            Message::new(
                "The mall has not sold these goods in the last 30 days: send evidence_minor and evidence of their price.",
                "商城近 30 天没有该货品的成交记录，请提供价格凭证（evidence_minor 与 evidence）。",
            ),
        )),
    }
}

/// The middle of a sorted list, the lower one of two.
#[must_use]
pub fn middle(sorted: &[i64]) -> Option<i64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get(last / 2).copied()
}

/// What of both legs has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Legs {
    /// What of the advertising was shown, in fen.
    pub delivered_minor: i64,
    /// What of the goods came, in fen.
    pub received_minor: i64,
    /// What the merchant paid besides; below zero what it got.
    pub settled_minor: i64,
}

impl Legs {
    /// By how much the platform is ahead; below zero the merchant is.
    #[must_use]
    pub fn imbalance(self) -> i64 {
        self.delivered_minor
            .saturating_sub(self.received_minor)
            .saturating_sub(self.settled_minor)
    }

    /// Whether the platform has shown more than the limit allows before goods came: then it shows no more. That goods
    /// came first holds nothing back.
    #[must_use]
    pub fn is_too_far(self, limit_minor: i64) -> bool {
        self.imbalance() > limit_minor
    }
}

/// An exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barter {
    /// Its id.
    pub id: BarterId,
    /// With whom.
    pub merchant: MerchantId,
    /// How it stands.
    pub state: BarterState,
    /// What both sides give.
    pub terms: Terms,
    /// Whose word was the last.
    pub said_by: Side,
    /// Who signed for the platform.
    pub platform_signed_by: Option<ActorId>,
    /// Who signed for the merchant.
    pub merchant_signed_by: Option<ActorId>,
    /// What has happened of it.
    pub legs: Legs,
    /// Who made it.
    pub created_by: ActorId,
    /// Counts up with each change.
    pub version: i64,
}

impl Barter {
    /// The exchange with other terms: said by the one whose turn it is.
    ///
    /// # Errors
    /// 409 out of turn, or when it is no longer a matter of terms.
    pub fn countered(self, side: Side, terms: Terms) -> Result<Self, Refusal> {
        self.state.check(BarterVerb::Counter)?;
        self.check_turn(side)?;
        Ok(Self {
            state: BarterState::Countered,
            terms,
            said_by: side,
            ..self.next()
        })
    }

    /// The draft as a proposal of the one who wrote it.
    ///
    /// # Errors
    /// 409 when it is no draft, or the other side's.
    pub fn proposed(self, side: Side) -> Result<Self, Refusal> {
        self.state.check(BarterVerb::Propose)?;
        if side != self.said_by {
            return Err(other_turn());
        }
        Ok(Self {
            state: BarterState::Proposed,
            ..self.next()
        })
    }

    /// The exchange that both want.
    ///
    /// # Errors
    /// 409 out of turn: nobody agrees with themselves.
    pub fn agreed(self, side: Side) -> Result<Self, Refusal> {
        self.state.check(BarterVerb::Agree)?;
        self.check_turn(side)?;
        Ok(Self {
            state: BarterState::Agreed,
            ..self.next()
        })
    }

    /// The exchange with one signature more; with both it is signed.
    ///
    /// # Errors
    /// 409 when it is not agreed, or that side has signed.
    pub fn signed(self, side: Side, by: ActorId) -> Result<Self, Refusal> {
        self.state.check(BarterVerb::Sign)?;
        let mut after = self.next();
        let place = match side {
            Side::Platform => &mut after.platform_signed_by,
            Side::Merchant => &mut after.merchant_signed_by,
        };
        if place.is_some() {
            return Err(other_turn());
        }
        *place = Some(by);
        if after.platform_signed_by.is_some() && after.merchant_signed_by.is_some() {
            after.state = BarterState::Signed;
        }
        Ok(after)
    }

    /// The exchange in that state, when the verb leads there.
    ///
    /// # Errors
    /// 409 when it does not.
    pub fn moved(self, verb: BarterVerb, state: BarterState) -> Result<Self, Refusal> {
        self.state.check(verb)?;
        Ok(Self {
            state,
            ..self.next()
        })
    }

    /// The exchange, held back or running again, by how far its legs are apart.
    #[must_use]
    pub fn balanced(self) -> Self {
        let is_too_far = self.legs.is_too_far(self.terms.limit_minor);
        let state = match (self.state, is_too_far) {
            (BarterState::Active, true) => BarterState::Suspended,
            (BarterState::Suspended, false) => BarterState::Active,
            _ => return self,
        };
        Self {
            state,
            ..self.next()
        }
    }

    fn next(self) -> Self {
        Self {
            version: self.version + 1,
            ..self
        }
    }

    fn check_turn(&self, side: Side) -> Result<(), Refusal> {
        if side != self.said_by {
            return Ok(());
        }
        Err(other_turn())
    }
}

fn other_turn() -> Refusal {
    Refusal::conflict(
        "barter_turn",
        Message::new(
            "It is the other side's turn: wait for its answer.",
            "请等待对方回复或签署。",
        ),
    )
}

#[cfg(test)]
#[path = "barter_tests.rs"]
mod tests;
