//! What a bid, a round and its result are.

use crate::Problem;

/// What a placed bid pays for a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The least with which it would have kept its slot (广义第二价格).
    Gsp,
    /// What its presence costs the others: bidding what a click is worth is best.
    Vcg,
    /// What it bids.
    FirstPrice,
    /// As [`Rule::Gsp`], and the increment of the terms on top of the next bid.
    SecondPrice,
}

/// What an advertiser offers for a click.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bid {
    /// Its id, once in a round.
    pub id: String,
    /// Who bids; on one page everybody is shown once.
    pub advertiser: String,
    /// The most for one click: fen, or a ratio of the sale; all bids of a round are in one unit. 0 is a house ad.
    pub amount: i64,
    /// How good what is shown is, in 1/10,000.
    pub quality_bps: u32,
    /// Grows with every change of any bid; of equals the earlier is first.
    pub version: i64,
}

/// Below what nobody is shown, and nobody pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// There is none.
    None,
    /// The least amount of a bid.
    Unweighted(i64),
    /// The least score of a bid.
    Weighted(i64),
}

/// What holds in every round of one placement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How often each slot is clicked, relative to the others; from the first on, never rising.
    pub weights: Vec<u32>,
    /// Below what nobody is shown.
    pub reserve: Reserve,
    /// What [`Rule::SecondPrice`] adds to the next bid; 0 where the rule is another.
    pub increment: i64,
}

/// All that a round is decided by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The placement's terms.
    pub terms: Terms,
    /// What breaks the last ties: HMAC-SHA256 of the bid's id under this key.
    pub seed: Vec<u8>,
    /// The bids, in any order.
    pub bids: Vec<Bid>,
}

/// Who set a price, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setter {
    /// The bid with that id, of another advertiser.
    Bid(String),
    /// The reserve of the terms.
    Reserve,
    /// The bid that pays.
    Itself,
    /// There is neither a further bid nor a reserve.
    Nobody,
}

/// Why a price is what it is: it is the sum of `counted` x `weight` over all parts, divided by quality x weight of the
/// slot, rounded up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Who set it.
    pub by: Setter,
    /// The score that was counted; with the increment, where there is one.
    pub counted: u64,
    /// For how much of the slot's weight.
    pub weight: u32,
}

/// A bid that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Where, from 1.
    pub slot: u32,
    /// The id of the bid.
    pub bid: String,
    /// Amount x quality.
    pub score: u64,
    /// For one click, in the unit of the bids, never above the bid.
    pub price: i64,
    /// How the price came to be; one part, except under [`Rule::Vcg`].
    pub parts: Vec<Part>,
}

/// Why a bid is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its amount or its score is below the reserve.
    BelowReserve,
    /// Its advertiser has a better one in the round.
    OwnBetterBid,
    /// All slots went to better ones.
    Outbid,
}

/// A bid that is not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unplaced {
    /// The id of the bid.
    pub bid: String,
    /// Why.
    pub reason: Reason,
}

/// The result of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// In the order of the slots.
    pub placed: Vec<Placed>,
    /// From the best on.
    pub unplaced: Vec<Unplaced>,
}

/// What becomes of one round.
pub type Outcome = Result<Ranked, Problem>;
