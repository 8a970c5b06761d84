//! Whether a schedule can rate anything: no gap, no overlap, no price that is none.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::problem::problem;
use crate::{Cycle, Kinds, PricePeriod, Prices, Problem, Schedule, Tier};

/// The most price periods, tiers or bands.
const ENTRIES_MAX: usize = 200;
/// The highest price, in 1/10,000 yuan: a million yuan for a unit.
const PRICE_MAX: i64 = 10_000_000_000;

pub(crate) fn schedule(kinds: Kinds, schedule: &Schedule) -> Result<(), Problem> {
    if schedule.periods.is_empty() || schedule.periods.len() > ENTRIES_MAX {
        return Err(problem(
            "prices_missing",
            format!("A tariff has 1 to {ENTRIES_MAX} price periods."),
            format!("价目应有 1 到 {ENTRIES_MAX} 个价格时段。"),
        ));
    }
    cycle(schedule.cycle)?;
    if schedule
        .uplift
        .is_some_and(|uplift| uplift.per_person_milli < 0)
    {
        return Err(problem(
            "uplift_negative",
            "What a further person adds to the bounds is not below zero.",
            "每增一人增加的用量不能为负。",
        ));
    }
    for period in &schedule.periods {
        if !kinds.has(&period.prices) {
            return Err(problem(
                "kind_not_rated",
                "The plugged tariff does not rate prices of this kind.",
                "当前计价插件不支持这种价格。",
            ));
        }
        prices(&period.prices)?;
    }
    one_kind(&schedule.periods)?;
    no_overlap(&schedule.periods)
}

fn cycle(cycle: Cycle) -> Result<(), Problem> {
    let fits = match cycle {
        Cycle::Month(day) => (1..=28).contains(&day),
        // A date of every year: not 29 February.
        Cycle::Year(month, day) => {
            NaiveDate::from_ymd_opt(2001, u32::from(month), u32::from(day)).is_some()
        }
    };
    if fits {
        return Ok(());
    }
    Err(problem(
        "cycle_invalid",
        "Tiers begin anew on a day of every month (1 to 28), or on a date of every year.",
        "阶梯须在每月 1 到 28 日或每年都有的日期重新起算。",
    ))
}

fn prices(prices: &Prices) -> Result<(), Problem> {
    match prices {
        Prices::Flat(price) => known_price(*price),
        Prices::Tiered(tiers) => self::tiers(tiers),
        Prices::TimeOfUse(bands) => {
            let names: BTreeSet<&str> = bands.iter().map(|band| band.name.as_str()).collect();
            if bands.is_empty() || bands.len() > ENTRIES_MAX || names.len() != bands.len() {
                return Err(problem(
                    "bands_invalid",
                    "Prices by the time of day name each band once, and at least one.",
                    "分时价格应至少有一个时段，且每个时段只出现一次。",
                ));
            }
            bands.iter().try_for_each(|band| known_price(band.price))
        }
    }
}

fn known_price(price: i64) -> Result<(), Problem> {
    if (0..=PRICE_MAX).contains(&price) {
        return Ok(());
    }
    Err(problem(
        "price_invalid",
        format!("A price is from 0 to {PRICE_MAX} ten-thousandths of a yuan."),
        format!("单价应为 0 到 {PRICE_MAX}（万分之一元）。"),
    ))
}

fn tiers(tiers: &[Tier]) -> Result<(), Problem> {
    let mut above = Some(0);
    for (index, tier) in tiers.iter().enumerate() {
        known_price(tier.price)?;
        let number = index + 1;
        let expected = above.ok_or_else(|| tier_overlap(number))?;
        if tier.above_milli > expected {
            return Err(problem(
                "tier_gap",
                format!(
                    "There is a gap before tier {number}: it begins at {}, the one before ends at {expected}.",
                    tier.above_milli
                ),
                format!(
                    "第 {number} 档之前有空档：该档从 {} 开始，而上一档到 {expected} 为止。",
                    tier.above_milli
                ),
            ));
        }
        let is_empty = tier.up_to_milli.is_some_and(|end| end <= tier.above_milli);
        if tier.above_milli < expected || is_empty {
            return Err(tier_overlap(number));
        }
        above = tier.up_to_milli;
    }
    if tiers.is_empty() || tiers.len() > ENTRIES_MAX || above.is_some() {
        return Err(problem(
            "tier_gap",
            "The last tier has no upper bound, or what is above it has no price.",
            "最后一档不能有上限，否则超出部分没有价格。",
        ));
    }
    Ok(())
}

fn tier_overlap(number: usize) -> Problem {
    problem(
        "tier_overlap",
        format!("Tier {number} overlaps the one before it, or is empty."),
        format!("第 {number} 档与上一档重叠，或为空档。"),
    )
}

fn one_kind(periods: &[PricePeriod]) -> Result<(), Problem> {
    let kind = |period: &PricePeriod| std::mem::discriminant(&period.prices);
    let first = periods.first().map(kind);
    if periods.iter().all(|period| Some(kind(period)) == first) {
        return Ok(());
    }
    Err(problem(
        "kinds_mixed",
        "All price periods of a tariff are of one kind: flat, tiered or time of use.",
        "同一价目的各时段应为同一种计价方式。",
    ))
}

fn no_overlap(periods: &[PricePeriod]) -> Result<(), Problem> {
    let mut spans: Vec<(i32, Option<i32>)> = periods
        .iter()
        .map(|period| (period.first, period.until))
        .collect();
    spans.sort_unstable();
    let follows = |pair: &[(i32, Option<i32>)]| match pair {
        [(_, Some(end)), (next, _)] => end <= next,
        [(_, None), _] => false,
        _ => true,
    };
    let is_empty = |(first, until): &(i32, Option<i32>)| until.is_some_and(|end| end <= *first);
    if spans.iter().any(is_empty) || !spans.windows(2).all(follows) {
        return Err(problem(
            "price_period_overlap",
            "Two price periods overlap, or one ends before it begins. Give each its own days.",
            "价格时段有重叠，或结束早于开始，请分别设置日期。",
        ));
    }
    Ok(())
}
