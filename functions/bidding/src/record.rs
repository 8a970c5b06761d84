//! Rounds as they are shown: all that decided them, and what came of it. How they are kept stands in `kept`.

mod kept;

use auction::{Bid, Part, Placed, Ranked, Reason, Reserve, Round, Setter, Terms};
use serde::{Deserialize, Serialize};

use crate::store::candidates::Candidate;

pub(crate) use kept::{Drawn, KeptInputs, KeptOutcome, Known};

/// All that a round was decided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Inputs {
    pub(crate) weights: Vec<u32>,
    pub(crate) reserve: Option<Least>,
    pub(crate) increment: i64,
    /// In hexadecimal.
    pub(crate) seed: String,
    pub(crate) bids: Vec<Offered>,
}

/// Below what nobody is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "mode", content = "least")]
pub(crate) enum Least {
    Unweighted(i64),
    Weighted(i64),
}

/// A bid of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offered {
    pub(crate) id: String,
    pub(crate) advertiser: String,
    pub(crate) amount: i64,
    pub(crate) quality_bps: u32,
    pub(crate) version: i64,
}

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Came {
    pub(crate) placed: Vec<Got>,
    pub(crate) unplaced: Vec<Missed>,
}

/// A bid that has a slot, and why it pays what it pays: the sum of counted x weight over the parts, divided by quality x
/// weight of the slot, rounded up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Got {
    pub(crate) slot: u32,
    pub(crate) bid: String,
    pub(crate) score: u64,
    pub(crate) price: i64,
    pub(crate) parts: Vec<Because>,
}

/// A part of a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Because {
    /// `bid`, `reserve`, `itself` or `nobody`.
    pub(crate) by: String,
    /// Whose, of `bid`.
    pub(crate) bid: Option<String>,
    pub(crate) counted: u64,
    pub(crate) weight: u32,
}

/// A bid without a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Missed {
    pub(crate) bid: String,
    pub(crate) reason: String,
}

impl Inputs {
    /// What is kept of a round.
    pub(crate) fn of(round: &Round) -> Self {
        Self {
            weights: round.terms.weights.clone(),
            reserve: least(round.terms.reserve),
            increment: round.terms.increment,
            seed: hex(&round.seed),
            bids: round.bids.iter().map(offered).collect(),
        }
    }

    /// The round again; nothing for a seed that is not hexadecimal.
    pub(crate) fn round(&self) -> Option<Round> {
        Some(Round {
            terms: Terms {
                weights: self.weights.clone(),
                reserve: reserve(self.reserve),
                increment: self.increment,
            },
            seed: unhex(&self.seed)?,
            bids: self.bids.iter().map(Offered::bid).collect(),
        })
    }
}

fn least(reserve: Reserve) -> Option<Least> {
    match reserve {
        Reserve::None => None,
        Reserve::Unweighted(least) => Some(Least::Unweighted(least)),
        Reserve::Weighted(least) => Some(Least::Weighted(least)),
    }
}

/// The reserve of an auction.
pub(crate) fn reserve(least: Option<Least>) -> Reserve {
    match least {
        None => Reserve::None,
        Some(Least::Unweighted(least)) => Reserve::Unweighted(least),
        Some(Least::Weighted(least)) => Reserve::Weighted(least),
    }
}

fn offered(bid: &Bid) -> Offered {
    Offered {
        id: bid.id.clone(),
        advertiser: bid.advertiser.clone(),
        amount: bid.amount,
        quality_bps: bid.quality_bps,
        version: bid.version,
    }
}

impl Offered {
    /// What somebody bids.
    pub(crate) fn by(one: &Candidate) -> Self {
        Self {
            id: one.campaign.to_string(),
            advertiser: one.merchant.to_string(),
            amount: one.amount,
            quality_bps: one.quality_bps,
            version: one.bid_version,
        }
    }

    /// As the auction takes it.
    pub(crate) fn bid(&self) -> Bid {
        Bid {
            id: self.id.clone(),
            advertiser: self.advertiser.clone(),
            amount: self.amount,
            quality_bps: self.quality_bps,
            version: self.version,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let read = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(read).collect()
}

impl From<&Ranked> for Came {
    fn from(ranked: &Ranked) -> Self {
        let missed = ranked.unplaced.iter().map(|unplaced| Missed {
            bid: unplaced.bid.clone(),
            reason: word(unplaced.reason).to_owned(),
        });
        Self {
            placed: ranked.placed.iter().map(got).collect(),
            unplaced: missed.collect(),
        }
    }
}

/// Why a bid has no slot, as it is shown.
fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::BelowReserve => "below_reserve",
        Reason::OwnBetterBid => "own_better_bid",
        Reason::Outbid => "outbid",
    }
}

fn got(placed: &Placed) -> Got {
    Got {
        slot: placed.slot,
        bid: placed.bid.clone(),
        score: placed.score,
        price: placed.price,
        parts: placed.parts.iter().map(because).collect(),
    }
}

fn because(part: &Part) -> Because {
    let (by, bid) = match &part.by {
        Setter::Bid(id) => ("bid", Some(id.clone())),
        Setter::Reserve => ("reserve", None),
        Setter::Itself => ("itself", None),
        Setter::Nobody => ("nobody", None),
    };
    Because {
        by: by.to_owned(),
        bid,
        counted: part.counted,
        weight: part.weight,
    }
}
