//! What a schedule, a line and a charge are.

use serde::{Deserialize, Serialize};

use crate::Day;

/// To which side a line is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// To the nearest, halves away from zero.
    HalfUp,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

/// To what a line is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingUnit {
    /// 0.01 yuan.
    Fen,
    /// 0.1 yuan.
    Jiao,
    /// Whole yuan.
    Yuan,
}

/// The one rounding of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// To which side.
    pub mode: RoundingMode,
    /// To what.
    pub to: RoundingUnit,
}

impl Default for Rounding {
    /// Half up, to the fen.
    fn default() -> Self {
        Self {
            mode: RoundingMode::HalfUp,
            to: RoundingUnit::Fen,
        }
    }
}

/// One tier of a cycle's usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Usage above this, in 1/1,000 of the unit.
    pub above_milli: i64,
    /// Up to this, included; absent for the last.
    pub up_to_milli: Option<i64>,
    /// The price, in 1/10,000 yuan for a unit.
    pub price: i64,
}

/// The price of a band of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandPrice {
    /// `sharp`, `peak`, `flat`, `valley`, or what else the meter calls it.
    pub name: String,
    /// The price, in 1/10,000 yuan for a unit.
    pub price: i64,
}

/// The prices of a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// One price, in 1/10,000 yuan for a unit.
    Flat(i64),
    /// By how much was used in the cycle.
    Tiered(Vec<Tier>),
    /// By the time of day.
    TimeOfUse(Vec<BandPrice>),
}

/// Prices from a day until another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricePeriod {
    /// The first day.
    pub first: Day,
    /// The first day after; absent while it is open.
    pub until: Option<Day>,
    /// The prices.
    pub prices: Prices,
}

/// After what tiers begin anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Each month, on that day (1 to 28).
    Month(u8),
    /// Each year, on that day of that month.
    Year(u8, u8),
}

/// Every bound rises for each person above a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uplift {
    /// The number of persons for whom the bounds are made.
    pub above_persons: u32,
    /// By how much each further person lifts every bound of a cycle, in 1/1,000 of the unit.
    pub per_person_milli: i64,
}

/// How usage is rated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The one rounding of a line.
    pub rounding: Rounding,
    /// After what tiers begin anew.
    pub cycle: Cycle,
    /// What large households get.
    pub uplift: Option<Uplift>,
    /// Whether the bounds of the cycle of a move-in shrink to the days that are left of it.
    pub prorate_move_in: bool,
    /// The prices by days, in any order.
    pub periods: Vec<PricePeriod>,
}

/// Usage in a band of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// The band.
    pub name: String,
    /// What was used in it, in 1/1,000 of the unit.
    pub quantity_milli: i64,
}

/// Usage of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The first day.
    pub first: Day,
    /// The first day after.
    pub until: Day,
    /// What was used, in 1/1,000 of the unit.
    pub quantity_milli: i64,
    /// Empty, or bands that sum to the quantity.
    pub bands: Vec<Band>,
    /// What was used before, in the cycle in which the line begins.
    pub used_milli: i64,
    /// The persons of the household.
    pub persons: u32,
    /// When the household moved in, if that matters.
    pub moved_in: Option<Day>,
}

/// How a part of the quantity was rated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The tier from 1; 0 without tiers.
    pub tier: u32,
    /// The band; empty without bands.
    pub band: String,
    /// The price, in 1/10,000 yuan for a unit.
    pub price: i64,
    /// How much of the quantity, in 1/1,000 of the unit.
    pub quantity_milli: i64,
}

/// What a line costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Rounded, in fen.
    pub amount_fen: i64,
    /// Before the one rounding, in 1/100,000 fen.
    pub exact: i64,
    /// How it came to be; the quantities sum to the line's.
    pub parts: Vec<Part>,
}
