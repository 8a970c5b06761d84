//! Who comes before whom: score, then quality, then the earlier version, then the round's seed.

use std::{cmp::Reverse, collections::BTreeSet};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::check::Entry;
use crate::{Problem, Reason, Round, Unplaced, check, problem};

/// All bids of a round, each from the best on.
pub(crate) struct Ranking<'a> {
    /// The best bid of each advertiser that meets the reserve.
    pub(crate) contenders: Vec<Entry<'a>>,
    /// Every bid of the round; a contender has no reason yet.
    all: Vec<(Entry<'a>, Option<Reason>)>,
}

/// Ranks the bids of a round.
pub(crate) fn ranking(round: &Round) -> Result<Ranking<'_>, Problem> {
    let mut ranking = Ranking {
        contenders: Vec::with_capacity(round.bids.len()),
        all: Vec::with_capacity(round.bids.len()),
    };
    let mut seen = BTreeSet::new();
    for entry in in_order(round)? {
        let reason = if entry.score < entry.reserve {
            Some(Reason::BelowReserve)
        } else if !seen.insert(entry.bid.advertiser.as_str()) {
            Some(Reason::OwnBetterBid)
        } else {
            ranking.contenders.push(entry);
            None
        };
        ranking.all.push((entry, reason));
    }
    Ok(ranking)
}

impl Ranking<'_> {
    /// The bids that have none of so many slots.
    pub(crate) fn unplaced(&self, slots: usize) -> Vec<Unplaced> {
        let mut contenders = 0;
        let mut unplaced = Vec::with_capacity(self.all.len());
        for (entry, reason) in &self.all {
            contenders += usize::from(reason.is_none());
            if reason.is_some() || contenders > slots {
                unplaced.push(Unplaced {
                    bid: entry.bid.id.clone(),
                    reason: reason.unwrap_or(Reason::Outbid),
                });
            }
        }
        unplaced
    }
}

fn in_order(round: &Round) -> Result<Vec<Entry<'_>>, Problem> {
    let entries = round
        .bids
        .iter()
        .map(|bid| check::entry(bid, round.terms.reserve));
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_unstable_by_key(key);
    for equals in entries.chunk_by_mut(|one, other| key(one) == key(other)) {
        if equals.len() > 1 {
            break_tie(&round.seed, equals)?;
        }
    }
    Ok(entries)
}

fn key(entry: &Entry<'_>) -> (Reverse<u64>, Reverse<u32>, i64) {
    (
        Reverse(entry.score),
        Reverse(entry.bid.quality_bps),
        entry.bid.version,
    )
}

/// Nobody who bids knows the seed, so nobody can choose an id that wins ties.
fn break_tie(seed: &[u8], equals: &mut [Entry<'_>]) -> Result<(), Problem> {
    let keyed = Hmac::<Sha256>::new_from_slice(seed).map_err(|_| problem::seed_out_of_range())?;
    equals.sort_by_cached_key(|entry| {
        let mut mac = keyed.clone();
        mac.update(entry.bid.id.as_bytes());
        <[u8; 32]>::from(mac.finalize().into_bytes())
    });
    Ok(())
}
