//! Rates one line: cut where prices change or a cycle begins, a share of the quantity for each day, and each share
//! through its tiers or bands.
//!
//! A quantity is shared out by days in whole thousandths, by largest remainder (ties to the earlier part), so that
//! the shares sum to it and nothing is rounded before the end. Bounds that move with the days of a move-in are whole
//! thousandths too, rounded down.

use crate::problem::{problem, too_large};
use crate::round::to_fen;
use crate::{
    Band, BandPrice, Charge, Day, Line, Part, PricePeriod, Prices, Problem, Schedule, Tier,
};

/// How many of the exact unit (1/100,000 fen) a fen has.
const EXACT_PER_FEN: i128 = 100_000;
/// The longest line, in days: ten years.
const DAYS_MAX: i32 = 3_653;

pub(crate) fn line(schedule: &Schedule, line: &Line) -> Result<Charge, Problem> {
    check(line)?;
    let pieces = cut(schedule, line)?;
    let days: Vec<u64> = pieces.iter().map(Piece::days).collect();
    let shares = shares(line.quantity_milli, &days);
    let bands: Vec<(&Band, Vec<i64>)> = line
        .bands
        .iter()
        .map(|band| (band, self::shares(band.quantity_milli, &days)))
        .collect();
    let mut parts = Vec::new();
    let mut used = line.used_milli;
    let mut cycle = pieces.first().map(|piece| piece.cycle.0);
    for (index, (piece, share)) in pieces.iter().zip(shares).enumerate() {
        if cycle != Some(piece.cycle.0) {
            (cycle, used) = (Some(piece.cycle.0), 0);
        }
        match &piece.prices.prices {
            Prices::Flat(price) => parts.push(part(0, "", *price, share)),
            Prices::Tiered(tiers) => {
                let bounds = Bounds::of(schedule, line, piece);
                through_tiers(tiers, &bounds, (used, share), &mut parts);
            }
            Prices::TimeOfUse(_) if line.quantity_milli == 0 => {}
            Prices::TimeOfUse(prices) => in_bands(prices, &bands, index, &mut parts)?,
        }
        used = used.checked_add(share).ok_or_else(too_large)?;
    }
    parts.retain(|part| part.quantity_milli != 0);
    charge(schedule, parts)
}

fn part(tier: u32, band: &str, price: i64, quantity_milli: i64) -> Part {
    Part {
        tier,
        band: band.to_owned(),
        price,
        quantity_milli,
    }
}

fn charge(schedule: &Schedule, parts: Vec<Part>) -> Result<Charge, Problem> {
    let exact: i128 = parts
        .iter()
        .map(|part| i128::from(part.price) * i128::from(part.quantity_milli))
        .sum();
    // 1/10,000 yuan x 1/1,000 of a unit is 1/10,000,000 yuan: 1/100,000 fen.
    Ok(Charge {
        amount_fen: to_fen(exact, EXACT_PER_FEN, schedule.rounding)?,
        exact: i64::try_from(exact).map_err(|_| too_large())?,
        parts,
    })
}

fn check(line: &Line) -> Result<(), Problem> {
    if line.quantity_milli < 0
        || line.used_milli < 0
        || line.bands.iter().any(|band| band.quantity_milli < 0)
    {
        return Err(problem(
            "usage_negative",
            "Usage is not below zero. A correction is rated anew and billed by its difference.",
            "用量不能为负；更正应重新计算并按差额开单。",
        ));
    }
    let days = line.until.checked_sub(line.first);
    if !days.is_some_and(|days| (1..=DAYS_MAX).contains(&days)) {
        return Err(problem(
            "line_period_invalid",
            "A line ends after it begins, within ten years.",
            "计费区间的结束须晚于开始，且不超过十年。",
        ));
    }
    let mut in_bands = 0_i64;
    for band in &line.bands {
        in_bands = in_bands
            .checked_add(band.quantity_milli)
            .ok_or_else(too_large)?;
    }
    if !line.bands.is_empty() && in_bands != line.quantity_milli {
        return Err(problem(
            "bands_do_not_sum",
            "The bands of a line sum to its usage.",
            "各时段用量之和应等于总用量。",
        ));
    }
    Ok(())
}

/// A stretch of days with one set of prices, in one cycle.
struct Piece<'a> {
    first: Day,
    until: Day,
    cycle: (Day, Day),
    prices: &'a PricePeriod,
}

impl Piece<'_> {
    fn days(&self) -> u64 {
        u64::try_from(self.until - self.first).unwrap_or(0)
    }
}

fn cut<'a>(schedule: &'a Schedule, line: &Line) -> Result<Vec<Piece<'a>>, Problem> {
    let mut pieces = Vec::new();
    let mut first = line.first;
    while first < line.until {
        let holds = |period: &&PricePeriod| {
            period.first <= first && period.until.is_none_or(|until| first < until)
        };
        let prices = schedule.periods.iter().find(holds);
        let prices = prices.ok_or_else(|| price_missing(first))?;
        let cycle = schedule.cycle.around(first);
        let cycle = cycle.ok_or_else(|| price_missing(first))?;
        let until = line
            .until
            .min(prices.until.unwrap_or(Day::MAX))
            .min(cycle.1);
        pieces.push(Piece {
            first,
            until,
            cycle,
            prices,
        });
        first = until;
    }
    Ok(pieces)
}

fn price_missing(day: Day) -> Problem {
    let date = crate::date_of(day).map_or_else(|| day.to_string(), |date| date.to_string());
    problem(
        "price_missing",
        format!("There is no price for {date}. Add a price period that holds it."),
        format!("{date} 没有价格，请补充价格时段。"),
    )
}

/// A quantity shared out by days: largest remainder, ties to the earlier.
fn shares(quantity: i64, days: &[u64]) -> Vec<i64> {
    let total: i128 = days.iter().map(|days| i128::from(*days)).sum();
    if let [_] = days {
        return vec![quantity];
    }
    let total = total.max(1);
    let products: Vec<i128> = days
        .iter()
        .map(|days| i128::from(quantity) * i128::from(*days))
        .collect();
    let mut shares: Vec<i128> = products.iter().map(|product| product / total).collect();
    let mut left = i128::from(quantity) - shares.iter().sum::<i128>();
    let mut order: Vec<(i128, usize)> = products
        .iter()
        .enumerate()
        .map(|(index, product)| (-(product % total), index))
        .collect();
    order.sort_unstable();
    for (_, index) in order {
        if let Some(share) = shares.get_mut(index).filter(|_| left > 0) {
            *share += 1;
            left -= 1;
        }
    }
    // A share is at most the quantity.
    shares
        .into_iter()
        .map(|share| i64::try_from(share).unwrap_or(quantity))
        .collect()
}

/// How the bounds of a schedule move for a household.
struct Bounds {
    lift: i128,
    days: i128,
    of_days: i128,
}

impl Bounds {
    fn of(schedule: &Schedule, line: &Line, piece: &Piece<'_>) -> Self {
        let lift = schedule.uplift.map_or(0, |uplift| {
            let further = line.persons.saturating_sub(uplift.above_persons);
            i128::from(further) * i128::from(uplift.per_person_milli)
        });
        let (start, end) = piece.cycle;
        let begins = line
            .moved_in
            .filter(|_| schedule.prorate_move_in)
            .map_or(start, |day| day.max(start).min(piece.first));
        Self {
            lift,
            days: i128::from(end - begins),
            of_days: i128::from(end - start).max(1),
        }
    }

    /// Where a tier ends for this household.
    fn end(&self, tier: &Tier) -> i128 {
        tier.up_to_milli.map_or(i128::MAX, |end| {
            (i128::from(end) + self.lift) * self.days / self.of_days
        })
    }
}

fn through_tiers(
    tiers: &[Tier],
    bounds: &Bounds,
    (used, share): (i64, i64),
    parts: &mut Vec<Part>,
) {
    let (mut at, end) = (i128::from(used), i128::from(used) + i128::from(share));
    for (number, tier) in (1_u32..).zip(tiers) {
        let filled = bounds.end(tier).min(end) - at;
        if filled > 0 {
            // At most the share.
            let quantity = i64::try_from(filled).unwrap_or(share);
            parts.push(part(number, "", tier.price, quantity));
            at += filled;
        }
    }
}

fn in_bands(
    prices: &[BandPrice],
    bands: &[(&Band, Vec<i64>)],
    piece: usize,
    parts: &mut Vec<Part>,
) -> Result<(), Problem> {
    if bands.is_empty() {
        return Err(problem(
            "bands_missing",
            "This tariff is by the time of day, and the usage has no bands.",
            "该价目为分时计价，但用量没有分时数据。",
        ));
    }
    for (band, shares) in bands {
        let found = prices.iter().find(|price| price.name == band.name);
        let found = found.ok_or_else(|| {
            problem(
                "band_unknown",
                format!("The tariff has no price for the band {:?}.", band.name),
                format!("该价目没有时段“{}”的价格。", band.name),
            )
        })?;
        let share = shares.get(piece).copied().unwrap_or(0);
        parts.push(part(0, &band.name, found.price, share));
    }
    Ok(())
}
