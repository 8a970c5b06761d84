//! Whether a round can be held: no slot without a weight, no number beyond its limit, no bid twice.

use std::collections::BTreeSet;

use crate::{
    AMOUNT_MAX, BIDS_MAX, Bid, ID_BYTES_MAX, Problem, QUALITY_BPS_MAX, Reserve, Round, Rule,
    SCORE_MAX, SEED_BYTES_MAX, SEED_BYTES_MIN, SLOTS_MAX, Terms, WEIGHT_MAX, problem,
};

/// A bid that was checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) bid: &'a Bid,
    /// Amount x quality.
    pub(crate) score: u64,
    /// The least score with which it is shown: the reserve in either mode.
    pub(crate) reserve: u64,
}

pub(crate) fn terms(rule: Rule, terms: &Terms) -> Result<(), Problem> {
    if terms.weights.is_empty() || terms.weights.len() > SLOTS_MAX {
        return Err(problem::slots_out_of_range());
    }
    let mut before = WEIGHT_MAX;
    for (index, weight) in terms.weights.iter().enumerate() {
        if !(1..=WEIGHT_MAX).contains(weight) {
            return Err(problem::weight_out_of_range(index + 1));
        }
        if *weight > before {
            return Err(problem::weights_rise(index + 1));
        }
        before = *weight;
    }
    let reserve_fits = match terms.reserve {
        Reserve::None => true,
        Reserve::Unweighted(least) => (0..=AMOUNT_MAX).contains(&least),
        Reserve::Weighted(least) => (0..=SCORE_MAX).contains(&least),
    };
    if !reserve_fits {
        return Err(problem::reserve_out_of_range());
    }
    if !(0..=AMOUNT_MAX).contains(&terms.increment) {
        return Err(problem::increment_out_of_range());
    }
    if rule != Rule::SecondPrice && terms.increment != 0 {
        return Err(problem::increment_not_taken());
    }
    Ok(())
}

pub(crate) fn round(rule: Rule, round: &Round) -> Result<(), Problem> {
    terms(rule, &round.terms)?;
    if !(SEED_BYTES_MIN..=SEED_BYTES_MAX).contains(&round.seed.len()) {
        return Err(problem::seed_out_of_range());
    }
    if round.bids.len() > BIDS_MAX {
        return Err(problem::too_many_bids());
    }
    let mut seen = BTreeSet::new();
    for bid in &round.bids {
        let names = [&bid.id, &bid.advertiser];
        if !names
            .iter()
            .all(|name| (1..=ID_BYTES_MAX).contains(&name.len()))
        {
            return Err(problem::id_out_of_range());
        }
        if !seen.insert(bid.id.as_str()) {
            return Err(problem::bid_repeated(&bid.id));
        }
    }
    Ok(())
}

pub(crate) fn entry(bid: &Bid, reserve: Reserve) -> Result<Entry<'_>, Problem> {
    let quality = u64::from(bid.quality_bps);
    if !(1..=QUALITY_BPS_MAX).contains(&bid.quality_bps) {
        return Err(problem::quality_out_of_range(&bid.id));
    }
    let amount = within(bid.amount, AMOUNT_MAX);
    let amount = amount.ok_or_else(|| problem::bid_out_of_range(&bid.id))?;
    let reserve = match reserve {
        Reserve::None => Some(0),
        // The reserve's score for this bid: who meets one meets the other.
        Reserve::Unweighted(least) => within(least, AMOUNT_MAX).map(|least| least * quality),
        Reserve::Weighted(least) => within(least, SCORE_MAX),
    };
    Ok(Entry {
        bid,
        score: amount * quality,
        reserve: reserve.ok_or_else(problem::reserve_out_of_range)?,
    })
}

fn within(value: i64, most: i64) -> Option<u64> {
    u64::try_from(value).ok().filter(|_| value <= most)
}
