//! `/api/bidding/previews`: a clearing on given bids, stored nowhere; operators set reserves by it.

use auction::{Bid, Round, Terms};
use serde::{Deserialize, Serialize};
use web::{Reply, Request};

use super::caller;
use crate::context::Context;
use crate::domain::managers_only;
use crate::record::{Came, Least, Missed, reserve};

/// What breaks ties where nobody says otherwise.
const SEED: &[u8] = b"a preview of one";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    weights: Vec<u32>,
    #[serde(default)]
    reserve: Option<Least>,
    #[serde(default)]
    increment: Option<i64>,
    bids: Vec<NewBid>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBid {
    id: String,
    #[serde(default)]
    advertiser: Option<String>,
    amount: i64,
    #[serde(default = "plain")]
    quality_bps: u32,
    #[serde(default)]
    version: i64,
}

#[derive(Serialize)]
struct Previewed {
    placed: Vec<Total>,
    unplaced: Vec<Missed>,
    /// What all slots come to, when each is clicked as often as its weight says.
    total: i64,
}

#[derive(Serialize)]
struct Total {
    #[serde(flatten)]
    got: crate::record::Got,
    /// The price times the slot's weight.
    total: i64,
}

fn plain() -> u32 {
    10_000
}

// Not a transaction and nothing to wait for: `async` as all routes are.
pub(super) async fn preview(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managers_only(&actor)?;
    let new: Preview = web::body(request)?;
    let terms = Terms {
        weights: new.weights,
        reserve: reserve(new.reserve),
        increment: new.increment.unwrap_or(context.increment),
    };
    context.auctioneer.check(&terms)?;
    let bids = new.bids.into_iter().map(|bid| Bid {
        advertiser: bid.advertiser.unwrap_or_else(|| bid.id.clone()),
        id: bid.id,
        amount: bid.amount,
        quality_bps: bid.quality_bps,
        version: bid.version,
    });
    let round = Round {
        terms,
        seed: SEED.to_vec(),
        bids: bids.collect(),
    };
    let came = Came::from(&context.auctioneer.hold(&round)?);
    let totals = came.placed.into_iter().zip(&round.terms.weights);
    let placed: Vec<Total> = totals
        .map(|(got, weight)| Total {
            total: got.price.saturating_mul(i64::from(*weight)),
            got,
        })
        .collect();
    Ok(Reply::ok(&Previewed {
        total: placed
            .iter()
            .map(|one| one.total)
            .fold(0, i64::saturating_add),
        placed,
        unplaced: came.unplaced,
    }))
}
