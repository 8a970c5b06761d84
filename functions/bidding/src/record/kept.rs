//! Rounds as they are kept: the bids that many of them have in common stand once, in lineups, and a round says which of
//! them it was not held on. Nothing is left out: what is shown is put together again.

use std::collections::BTreeMap;

use auction::{Ranked, Reason, Round};
use serde::{Deserialize, Serialize};

use super::{Came, Got, Inputs, Least, Missed, Offered, got, hex, least, word};

/// The lineups that rounds refer to, by their digests.
pub(crate) type Known = BTreeMap<String, Vec<Offered>>;

/// From which bids those of a round were drawn.
pub(crate) struct Drawn {
    /// The digests of the lineups, in their order.
    pub(crate) lineups: Vec<String>,
    /// How many bids they have.
    pub(crate) count: usize,
    /// Which of them are those of the round, in their order.
    pub(crate) positions: Vec<usize>,
}

/// The inputs of a round.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptInputs {
    weights: Vec<u32>,
    reserve: Option<Least>,
    increment: i64,
    seed: String,
    /// Of a round that refers to no lineups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bids: Vec<Offered>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lineups: Vec<String>,
    /// Which bids of the lineups it was not held on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<usize>,
}

/// What came of a round.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct KeptOutcome {
    placed: Vec<Got>,
    /// Of a round that refers to no lineups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unplaced: Vec<Missed>,
    /// The others from the best on: why they have no slot, and which of its bids they are; as `o3 o1 r2`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    missed: String,
}

impl KeptInputs {
    /// What is kept of a round whose bids were drawn from lineups.
    pub(crate) fn of(round: &Round, drawn: Drawn) -> Self {
        let mut taken = drawn.positions.iter().copied().peekable();
        let left_out = (0..drawn.count).filter(|position| taken.next_if_eq(position).is_none());
        Self {
            weights: round.terms.weights.clone(),
            reserve: least(round.terms.reserve),
            increment: round.terms.increment,
            seed: hex(&round.seed),
            bids: Vec::new(),
            left_out: left_out.collect(),
            lineups: drawn.lineups,
        }
    }

    /// All that the round was decided by; nothing where a lineup is not known.
    pub(crate) fn whole(self, known: &Known) -> Option<Inputs> {
        let mut bids = self.bids;
        let mut left_out = self.left_out.into_iter().peekable();
        let mut position = 0;
        for lineup in &self.lineups {
            for bid in known.get(lineup)? {
                if left_out.next_if_eq(&position).is_none() {
                    bids.push(bid.clone());
                }
                position += 1;
            }
        }
        Some(Inputs {
            weights: self.weights,
            reserve: self.reserve,
            increment: self.increment,
            seed: self.seed,
            bids,
        })
    }
}

const REASONS: [(char, Reason); 3] = [
    ('r', Reason::BelowReserve),
    ('b', Reason::OwnBetterBid),
    ('o', Reason::Outbid),
];

impl KeptOutcome {
    /// What is kept of what came of a round.
    pub(crate) fn of(round: &Round, ranked: &Ranked) -> Self {
        let bids = round.bids.iter().enumerate();
        let positions: BTreeMap<&str, usize> = bids
            .map(|(position, bid)| (bid.id.as_str(), position))
            .collect();
        let mut missed = String::with_capacity(ranked.unplaced.len() * 4);
        for unplaced in &ranked.unplaced {
            let letter = REASONS
                .iter()
                .find(|(_, reason)| *reason == unplaced.reason);
            let position = positions.get(unplaced.bid.as_str());
            if let (Some((letter, _)), Some(position)) = (letter, position) {
                if !missed.is_empty() {
                    missed.push(' ');
                }
                missed.push(*letter);
                missed.push_str(&position.to_string());
            }
        }
        Self {
            placed: ranked.placed.iter().map(got).collect(),
            unplaced: Vec::new(),
            missed,
        }
    }

    /// What came of a round with these inputs; nothing where they are not its own.
    pub(crate) fn whole(self, inputs: &Inputs) -> Option<Came> {
        let mut unplaced = self.unplaced;
        for word_of in self.missed.split(' ').filter(|word| !word.is_empty()) {
            unplaced.push(missed(word_of, inputs)?);
        }
        Some(Came {
            placed: self.placed,
            unplaced,
        })
    }
}

fn missed(text: &str, inputs: &Inputs) -> Option<Missed> {
    let mut rest = text.chars();
    let letter = rest.next()?;
    let (_, reason) = REASONS.iter().find(|(known, _)| *known == letter)?;
    let position: usize = rest.as_str().parse().ok()?;
    Some(Missed {
        bid: inputs.bids.get(position)?.id.clone(),
        reason: word(*reason).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use auction::{Bid, Reserve, Rule, Terms};

    fn bid(number: i64) -> Bid {
        Bid {
            id: format!("c{number}"),
            advertiser: format!("m{}", number % 4),
            amount: 100 + number * 37 % 11,
            quality_bps: 10_000,
            version: number,
        }
    }

    /// Ten bids in two lineups, of which a round was held on seven.
    #[test]
    fn what_is_kept_compactly_is_put_together_again() {
        let all: Vec<Bid> = (0..10).map(bid).collect();
        let lineup = |bids: &[Bid]| bids.iter().map(super::super::offered).collect::<Vec<_>>();
        let known = Known::from([
            ("a".to_owned(), lineup(&all[..6])),
            ("b".to_owned(), lineup(&all[6..])),
        ]);
        let positions = vec![1, 2, 4, 5, 6, 8, 9];
        let round = Round {
            terms: Terms {
                weights: vec![100, 50],
                reserve: Reserve::Unweighted(102),
                increment: 0,
            },
            seed: (0..32).collect(),
            bids: positions
                .iter()
                .map(|position| all[*position].clone())
                .collect(),
        };
        let ranked = auction::rank(Rule::Gsp, std::slice::from_ref(&round)).unwrap();
        let ranked = ranked.into_iter().next().unwrap().unwrap();
        let drawn = Drawn {
            lineups: vec!["a".to_owned(), "b".to_owned()],
            count: 10,
            positions,
        };
        let inputs = serde_json::to_string(&KeptInputs::of(&round, drawn)).unwrap();
        let outcome = serde_json::to_string(&KeptOutcome::of(&round, &ranked)).unwrap();
        let inputs: KeptInputs = serde_json::from_str(&inputs).unwrap();
        let inputs = inputs.whole(&known).unwrap();
        assert_eq!(inputs, Inputs::of(&round));
        assert_eq!(inputs.round().unwrap(), round);
        let outcome: KeptOutcome = serde_json::from_str(&outcome).unwrap();
        assert_eq!(outcome.whole(&inputs).unwrap(), Came::from(&ranked));
    }

    #[test]
    fn what_was_kept_whole_is_read_as_it_is() {
        let inputs = r#"{"weights":[1],"reserve":{"mode":"weighted","least":9},"increment":0,"seed":"00ff",
            "bids":[{"id":"c1","advertiser":"m1","amount":5,"quality_bps":10000,"version":1}]}"#;
        let inputs: KeptInputs = serde_json::from_str(inputs).unwrap();
        let inputs = inputs.whole(&Known::new()).unwrap();
        assert_eq!((inputs.bids.len(), inputs.seed.as_str()), (1, "00ff"));
        let outcome = r#"{"placed":[],"unplaced":[{"bid":"c1","reason":"below_reserve"}]}"#;
        let outcome: KeptOutcome = serde_json::from_str(outcome).unwrap();
        assert_eq!(outcome.whole(&inputs).unwrap().unplaced[0].bid, "c1");
    }
}
