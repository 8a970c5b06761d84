//! Rules: what a community charges its rooms for, and what a room owes by a rule for a month.
//!
//! An error in a formula is a reason to skip the room, and never an amount of nothing.

use chrono::NaiveDate;
use kernel::{Commodity, CommunityId, FeeRuleId, Message, Refusal, RoomId, TariffId};
use serde_json::Value;
use tariff::{Prices, Rounding, Schedule, day_of};

use super::{Billing, Escalation, Month, ShareBy, Stretch};

/// The most that a month may cost by a rule, in fen: ten million yuan.
const AMOUNT_MINOR_MAX: i64 = 1_000_000_000;
/// The highest price, in 1/10,000 yuan.
const PRICE_MAX: i64 = 10_000_000_000;

/// What is charged for, and how.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Charge {
    /// A price for each m2 and month.
    Area {
        /// In 1/10,000 yuan.
        price: i64,
        /// What a vacant room bears, in 1/100; all of it unless it says otherwise.
        vacancy_percent: Option<u32>,
    },
    /// An amount for each month.
    Fixed {
        /// In fen.
        amount_minor: i64,
        /// What a vacant room bears, in 1/100; all of it unless it says otherwise.
        vacancy_percent: Option<u32>,
    },
    /// A price for each unit used.
    PerUsage {
        /// Of what.
        commodity: Commodity,
        /// In 1/10,000 yuan.
        price: i64,
    },
    /// By how much was used (阶梯).
    Tiered {
        /// Of what.
        commodity: Commodity,
        /// The tariff with the tiers.
        tariff: TariffId,
    },
    /// By when it was used (峰谷).
    TimeOfUse {
        /// Of what.
        commodity: Commodity,
        /// The tariff with the bands.
        tariff: TariffId,
    },
    /// A cost that the rooms bear together (公摊).
    Shared {
        /// The cost of a month.
        cost: Cost,
        /// By what it is shared.
        by: ShareBy,
        /// What a vacant room weighs, in 1/100; all of it unless it says otherwise.
        vacancy_percent: Option<u32>,
    },
    /// Rent of the rooms that the scope names.
    Rent {
        /// For a month, in fen.
        amount_minor: i64,
        /// How it rises.
        escalation: Option<Escalation>,
    },
}

/// What a shared cost is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cost {
    /// An amount for each month, in fen.
    AmountMinor(i64),
    /// What the meters of common areas counted, at a price.
    Metered {
        /// Of what.
        commodity: Commodity,
        /// In 1/10,000 yuan.
        price: i64,
        /// Of these areas; of all when empty.
        #[serde(default)]
        areas: Vec<String>,
    },
}

/// Which rooms a rule is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Rooms that are for this: `residential`, `commercial` ...; of every use when empty.
    #[serde(default)]
    pub usages: Vec<String>,
    /// These rooms; all when empty.
    #[serde(default)]
    pub rooms: Vec<RoomTerm>,
}

/// A room, and the days on which the rule holds for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoomTerm {
    /// The room.
    pub room: RoomId,
    /// The first day; the rule's unless it says otherwise.
    pub first_day: Option<NaiveDate>,
    /// The first day on which it no longer holds.
    pub until_day: Option<NaiveDate>,
}

/// A rule of a community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub id: FeeRuleId,
    /// Its community.
    pub community: CommunityId,
    /// What people read on the bill.
    pub name: String,
    /// What is charged for.
    pub charge: Charge,
    /// Of which rooms.
    pub scope: Scope,
    /// Every how many months it bills.
    pub billing: Billing,
    /// The one rounding of a line.
    pub rounding: Rounding,
    /// The first day on which it holds.
    pub first_day: NaiveDate,
    /// The first day on which it no longer holds.
    pub until_day: Option<NaiveDate>,
    /// From 1.
    pub version: i64,
}

/// A room and who lives there, as a bill of a month sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Household {
    /// The room.
    pub room: RoomId,
    /// In 1/100 m2.
    pub area_dm2: i64,
    /// What it is for.
    pub usage: String,
    /// How many people are bound to it in the month.
    pub persons: u32,
    /// When the first of them came.
    pub moved_in: Option<NaiveDate>,
}

/// What a room owes by a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// Rounded once, in fen.
    pub amount_fen: i64,
    /// What it was computed of; kept on the bill.
    pub basis: Value,
    /// The usages with their revisions; empty without usage.
    pub mark: String,
}

/// Why a room has no bill by a rule: a stable code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skip(pub String);

/// A skip for that reason.
pub fn skip(code: &str) -> Skip {
    Skip(code.to_owned())
}

impl Household {
    /// Whether nobody is bound to the room.
    #[must_use]
    pub fn is_vacant(&self) -> bool {
        self.persons == 0
    }
}

impl Rule {
    /// Whether the rule can charge anything.
    ///
    /// # Errors
    /// 422 with what is wrong.
    pub fn checked(self) -> Result<Self, Refusal> {
        let amount = |amount: i64| (0..=AMOUNT_MINOR_MAX).contains(&amount);
        let price = |price: i64| (0..=PRICE_MAX).contains(&price);
        let percent = |percent: Option<u32>| percent.is_none_or(|percent| percent <= 100);
        let fits = match &self.charge {
            Charge::Area {
                price: per_m2,
                vacancy_percent,
            } => price(*per_m2) && percent(*vacancy_percent),
            Charge::Fixed {
                amount_minor,
                vacancy_percent,
            } => amount(*amount_minor) && percent(*vacancy_percent),
            Charge::PerUsage {
                price: per_unit, ..
            } => price(*per_unit),
            Charge::Tiered { .. } | Charge::TimeOfUse { .. } => true,
            Charge::Shared {
                cost,
                vacancy_percent,
                ..
            } => {
                percent(*vacancy_percent)
                    && match cost {
                        Cost::AmountMinor(cost) => amount(*cost),
                        Cost::Metered {
                            price: per_unit, ..
                        } => price(*per_unit),
                    }
            }
            Charge::Rent {
                amount_minor,
                escalation,
            } => {
                let steps = |steps: Escalation| {
                    steps.every_months > 0 && (-10_000..=100_000).contains(&steps.rate_bps)
                };
                amount(*amount_minor)
                    && escalation.is_none_or(steps)
                    && !self.scope.rooms.is_empty()
            }
        };
        let dated = self.until_day.is_none_or(|until| self.first_day < until);
        let is_plain = matches!(
            self.charge,
            Charge::Area { .. } | Charge::Fixed { .. } | Charge::Rent { .. }
        );
        // Usage is known by months.
        let periodic = self.billing.is_valid() && (is_plain || self.billing == Billing::default());
        if fits && dated && periodic {
            return Ok(self);
        }
        Err(Refusal::invalid(
            "fee_rule_invalid",
            Message::new(
                "The rule cannot charge anything: prices and amounts are not below zero, parts are 0 to 100 percent, it ends after it begins, rent names its rooms, and only areas, fixed amounts and rent are billed by more than a month.",
                "收费规则不正确：单价和金额不能为负，比例为 0 到 100，结束须晚于开始，租金须指定房屋，仅按面积、固定金额和租金可按月以上周期计费。",
            ),
        ))
    }

    /// The days of the month on which the rule holds for the room.
    ///
    /// # Errors
    /// The reason when there are none.
    pub fn stretch(&self, household: &Household, month: Month) -> Result<Stretch, Skip> {
        let mut first = self.first_day;
        let mut until = self.until_day;
        if !self.scope.rooms.is_empty() {
            let term = self
                .scope
                .rooms
                .iter()
                .find(|term| term.room == household.room);
            let term = term.ok_or_else(|| skip("not_in_scope"))?;
            first = term.first_day.map_or(first, |day| day.max(first));
            until = match (until, term.until_day) {
                (Some(rule), Some(room)) => Some(rule.min(room)),
                (rule, room) => rule.or(room),
            };
        }
        let usages = &self.scope.usages;
        if !usages.is_empty() && !usages.contains(&household.usage) {
            return Err(skip("not_in_scope"));
        }
        month
            .part(Some(first), until)
            .ok_or_else(|| skip("not_in_force"))
    }

    /// The commodity whose usage the rule charges for.
    #[must_use]
    pub fn commodity(&self) -> Option<Commodity> {
        match &self.charge {
            Charge::PerUsage { commodity, .. }
            | Charge::Tiered { commodity, .. }
            | Charge::TimeOfUse { commodity, .. }
            | Charge::Shared {
                by: ShareBy::Usage(commodity),
                ..
            } => Some(*commodity),
            _ => None,
        }
    }

    /// The schedule of a rule with one price.
    #[must_use]
    pub fn flat_schedule(&self) -> Option<Schedule> {
        let Charge::PerUsage { price, .. } = &self.charge else {
            return None;
        };
        Some(Schedule {
            rounding: self.rounding,
            cycle: tariff::Cycle::Month(1),
            uplift: None,
            prorate_move_in: false,
            periods: vec![tariff::PricePeriod {
                first: day_of(self.first_day),
                until: None,
                prices: Prices::Flat(*price),
            }],
        })
    }
}

/// Adds the days of a stretch to what a bill was computed of.
pub fn in_days(basis: &mut Value, stretch: Stretch) {
    if let Some(basis) = basis.as_object_mut() {
        basis.insert("days".to_owned(), stretch.days().into());
        basis.insert("days_of_month".to_owned(), stretch.month.days().into());
    }
}

/// No such rule, or none that the caller may know.
#[must_use]
pub fn unknown_rule() -> Refusal {
    Refusal::not_found(
        "fee_rule_unknown",
        Message::new(
            "There is no such rule. Check its id.",
            "未找到该收费规则，请检查编号。",
        ),
    )
}
