//! Holds a round for one place: who can bid, how good they are, what they pay; and offers what won. Ranks that are let
//! come first.

use std::collections::BTreeSet;

use auction::{Ranked, Reserve, Round, Terms};
use kernel::{AuctionRoundId, BidCampaignId, MerchantId, PlacementId};
use store::Tx;
use wire::advertising::ReserveMode;

use crate::context::Context;
use crate::domain::{Kind, Target};
use crate::field::{Field, Runner};
use crate::offering;
use crate::record::{Drawn, KeptInputs, KeptOutcome, Offered};
use crate::store::candidates::Candidate;
use crate::store::offers::Offer;
use crate::store::placements::Placement;
use crate::store::rounds;
use crate::store::sealed_bids::{self, Let};

/// How often slots are clicked, relative to the others, where no placement says it.
const WEIGHTS: [u32; 5] = [100, 70, 50, 40, 30];

/// What is wanted.
pub(crate) struct Wanted<'a> {
    /// Where.
    pub(crate) target: &'a Target,
    /// What is sold there.
    pub(crate) sold: Kind,
    /// The placement, if it is one's.
    pub(crate) placement: Option<&'a Placement>,
    /// At most so many.
    pub(crate) slots: usize,
    /// The least price that is asked besides the reserve, in the unit of the bids.
    pub(crate) floor_minor: i64,
    /// Who is on the page already.
    pub(crate) besides: &'a BTreeSet<MerchantId>,
    /// What can be shown.
    pub(crate) fits: &'a dyn Fn(&Candidate) -> bool,
    /// For whom, for how long, and how many views one is.
    pub(crate) terms: offering::Terms<'a>,
}

/// What is shown on a slot.
pub(crate) struct Shown {
    pub(crate) offer: Offer,
    pub(crate) what: What,
}

/// What people see.
#[derive(Debug, Clone)]
pub(crate) struct What {
    pub(crate) advertiser: String,
    pub(crate) advertiser_domain: String,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) image: Option<String>,
    pub(crate) landing: String,
    pub(crate) width: i64,
    pub(crate) height: i64,
    /// What it costs: a click, or a thousand views, in fen.
    pub(crate) price_minor: i64,
}

/// What came of it: nothing was held where there is nothing to show.
#[derive(Default)]
pub(crate) struct Page {
    pub(crate) round: Option<AuctionRoundId>,
    pub(crate) shown: Vec<Shown>,
    /// Who won what no budget bore.
    pub(crate) not_borne: Vec<BidCampaignId>,
}

/// Holds a round and offers what won.
///
/// # Errors
/// A failure of the database; 422 for terms that no round can be held on.
pub(crate) async fn rank(
    context: &Context,
    tx: &Tx,
    (field, wanted): (&Field, &Wanted<'_>),
) -> anyhow::Result<Page> {
    let lets = match wanted.sold {
        Kind::Rank => sealed_bids::let_now(tx, (tx.tenant(), wanted.target), context.now).await?,
        Kind::Display => Vec::new(),
    };
    let lets: Vec<Let> = lets.into_iter().filter(|let_| wanted.takes(let_)).collect();
    let bidding: Vec<Runner<'_>> = field
        .runners(context)
        .into_iter()
        .filter(|one| wanted.admits(one.candidate))
        .filter(|one| {
            lets.iter()
                .all(|let_| let_.merchant != one.candidate.merchant)
        })
        .collect();
    if lets.is_empty() && bidding.is_empty() {
        return Ok(Page::default());
    }
    let weights = wanted.weights();
    let taken: BTreeSet<usize> = lets
        .iter()
        .filter_map(|let_| usize::try_from(let_.slot).ok())
        .collect();
    let free = weights
        .iter()
        .enumerate()
        .filter(|(index, _)| !taken.contains(&(index + 1)));
    let (places, weights): (Vec<usize>, Vec<u32>) =
        free.map(|(index, weight)| (index + 1, *weight)).unzip();
    let id: AuctionRoundId = context.new_id()?;
    let mut page = Page {
        round: Some(id.clone()),
        ..Page::default()
    };
    let ranked = hold(context, tx, (field, wanted), (&id, weights, &bidding)).await?;
    for let_ in lets {
        let slot = let_.slot;
        page.shown
            .push(offering::of_let(context, tx, wanted, (&id, let_, slot)).await?);
    }
    for placed in &ranked.placed {
        let won = bidding
            .iter()
            .find(|one| one.candidate.campaign.as_str() == placed.bid);
        let slot = usize::try_from(placed.slot)?
            .checked_sub(1)
            .and_then(|index| places.get(index));
        if let (Some(won), Some(slot)) = (won, slot) {
            let price = placed.price.max(wanted.floor_minor);
            let place = (i64::try_from(*slot)?, price);
            let Some(content) = field.content(context, (tx, tx.tenant()), *won).await? else {
                continue;
            };
            let won = (won.candidate, &*content);
            match offering::of_bid(context, tx, wanted, (&id, won, place)).await? {
                Some(shown) => page.shown.push(shown),
                None => page.not_borne.extend([won.0.campaign.clone()]),
            }
        }
    }
    page.shown.sort_by_key(|shown| shown.offer.slot);
    Ok(page)
}

impl Wanted<'_> {
    fn takes(&self, let_: &Let) -> bool {
        let has_slot =
            usize::try_from(let_.slot).is_ok_and(|slot| (1..=self.slots).contains(&slot));
        has_slot && !self.besides.contains(&let_.merchant)
    }

    /// Whether somebody may be shown there.
    pub(crate) fn admits(&self, candidate: &Candidate) -> bool {
        candidate.bid_minor >= self.floor_minor
            && !self.besides.contains(&candidate.merchant)
            && (self.fits)(candidate)
    }

    /// How often the slots are clicked; one at least.
    fn weights(&self) -> Vec<u32> {
        let weights = match self.placement {
            Some(placement) if !placement.slot_weights.is_empty() => &placement.slot_weights[..],
            _ => &WEIGHTS[..],
        };
        weights.iter().copied().take(self.slots.max(1)).collect()
    }

    /// The reserve: the placement's, or what is asked besides, if that is more. A score cannot be held against a price:
    /// there the lower bids are left out before.
    fn reserve(&self) -> Reserve {
        let own = self
            .placement
            .map(|placement| (placement.reserve_mode, placement.reserve));
        match own {
            Some((ReserveMode::Weighted, least)) if least > 0 => Reserve::Weighted(least),
            Some((ReserveMode::Unweighted, least)) if least.max(self.floor_minor) > 0 => {
                Reserve::Unweighted(least.max(self.floor_minor))
            }
            _ if self.floor_minor > 0 => Reserve::Unweighted(self.floor_minor),
            _ => Reserve::None,
        }
    }

    /// The placement's id.
    pub(crate) fn place(&self) -> Option<&PlacementId> {
        self.placement.map(|placement| &placement.id)
    }
}

/// Holds the round, and keeps it with what decided it.
async fn hold(
    context: &Context,
    tx: &Tx,
    (field, wanted): (&Field, &Wanted<'_>),
    (id, weights, bidding): (&AuctionRoundId, Vec<u32>, &[Runner<'_>]),
) -> anyhow::Result<Ranked> {
    let bids = bidding.iter().map(|one| Offered::by(one.candidate).bid());
    let round = Round {
        terms: Terms {
            weights,
            reserve: wanted.reserve(),
            increment: context.increment,
        },
        seed: context.signer.seed(id)?,
        bids: bids.collect(),
    };
    // All slots are let.
    let ranked = if round.terms.weights.is_empty() {
        Ranked {
            placed: Vec::new(),
            unplaced: Vec::new(),
        }
    } else {
        context.auctioneer.hold(&round)?
    };
    let (lineups, count) = field.lineups();
    let drawn = Drawn {
        lineups,
        count,
        positions: bidding.iter().map(|one| one.position).collect(),
    };
    let kept = rounds::Round {
        id: id.clone(),
        kind: wanted.sold.as_str().to_owned(),
        placement: wanted.place().cloned(),
        target_kind: wanted.target.kind.as_str().to_owned(),
        target: wanted.target.value.clone(),
        inputs: serde_json::to_string(&KeptInputs::of(&round, drawn))?,
        outcome: serde_json::to_string(&KeptOutcome::of(&round, &ranked))?,
        held_at: context.now,
    };
    rounds::insert(tx, &kept).await?;
    Ok(ranked)
}

/// Whether what somebody has to show fits where it would be shown.
pub(crate) fn fits_placement(one: &Candidate, placement: &Placement) -> bool {
    let is_size = |own: i64, asked: i64| asked == 0 || own == asked;
    one.format == placement.format
        && is_size(one.width, placement.width)
        && is_size(one.height, placement.height)
}
