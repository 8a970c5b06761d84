//! What a placed bid pays, and who set that. All rules round once, up, in [`price`].

use crate::check::Entry;
use crate::{Part, Placed, Rule, Setter, Terms};

/// The first of the contenders on the slots, with their prices.
pub(crate) fn placed(rule: Rule, terms: &Terms, contenders: &[Entry<'_>]) -> Vec<Placed> {
    let slots = (1..).zip(&terms.weights).zip(contenders).enumerate();
    let placed = slots.map(|(index, ((slot, weight), own))| {
        // Those after it: of other advertisers, all of them.
        let rivals = contenders.get(index + 1..).unwrap_or_default();
        let parts = match rule {
            Rule::FirstPrice => vec![itself(own, *weight)],
            Rule::Gsp => vec![against(own, rivals.first(), *weight)],
            Rule::SecondPrice => {
                vec![with_increment(
                    own,
                    rivals.first(),
                    terms.increment,
                    *weight,
                )]
            }
            Rule::Vcg => {
                let weights = terms.weights.get(index..).unwrap_or_default();
                externality(own, rivals, weights)
            }
        };
        Placed {
            slot,
            bid: own.bid.id.clone(),
            score: own.score,
            price: price(own, *weight, &parts),
            parts,
        }
    });
    placed.collect()
}

/// The one rounding: up, to a whole unit of the bids, and at most the bid.
fn price(own: &Entry<'_>, weight: u32, parts: &[Part]) -> i64 {
    let sum: u128 = parts
        .iter()
        .map(|part| u128::from(part.counted) * u128::from(part.weight))
        .sum();
    let clicks = u128::from(own.bid.quality_bps) * u128::from(weight);
    i64::try_from(sum.div_ceil(clicks)).map_or(own.bid.amount, |price| price.min(own.bid.amount))
}

fn itself(own: &Entry<'_>, weight: u32) -> Part {
    Part {
        by: Setter::Itself,
        counted: own.score,
        weight,
    }
}

/// The score to beat for so much weight: the rival's or the reserve's.
fn against(own: &Entry<'_>, rival: Option<&Entry<'_>>, weight: u32) -> Part {
    let (by, counted) = match rival {
        Some(rival) if rival.score >= own.reserve => {
            (Setter::Bid(rival.bid.id.clone()), rival.score)
        }
        _ if own.reserve > 0 => (Setter::Reserve, own.reserve),
        _ => (Setter::Nobody, 0),
    };
    Part {
        by,
        counted,
        weight,
    }
}

/// The increment comes on top of a rival's bid, not of the reserve.
fn with_increment(own: &Entry<'_>, rival: Option<&Entry<'_>>, increment: i64, weight: u32) -> Part {
    let Some(rival) = rival else {
        return against(own, None, weight);
    };
    let quality = u64::from(own.bid.quality_bps);
    let raised = (rival.score.div_ceil(quality) + increment.unsigned_abs()) * quality;
    if raised > own.score {
        return itself(own, weight);
    }
    let raised = Entry {
        score: raised,
        ..*rival
    };
    against(own, Some(&raised), weight)
}

/// What each rival would win if the bid were not there: it moves up by one slot. The weights are those from the bid's
/// own slot on; below the last slot there is nothing.
fn externality(own: &Entry<'_>, rivals: &[Entry<'_>], weights: &[u32]) -> Vec<Part> {
    let below = weights.iter().skip(1).copied().chain([0]);
    let mut parts: Vec<Part> = Vec::with_capacity(weights.len());
    for (index, (weight, next)) in weights.iter().zip(below).enumerate() {
        let part = against(own, rivals.get(index), weight - next);
        match parts.last_mut() {
            // Once the rivals end, what is left is one part.
            Some(last) if last.by == part.by => last.weight += part.weight,
            _ => parts.push(part),
        }
    }
    parts.retain(|part| part.weight > 0);
    parts
}
