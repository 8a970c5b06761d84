//! Holds a round for one place: who can bid, how good they are, what they pay; and offers what won. Ranks that are let
//! come first.

use std::collections::BTreeSet;

use auction::{Ranked, Reserve, Round, Terms};
use kernel::{AuctionRoundId, BidCampaignId, MerchantId, PlacementId, TenantId};
use store::{Read, Tx};
use wire::advertising::ReserveMode;

use crate::context::Context;
use crate::domain::{Kind, Target};
use crate::field::{Field, Runner};
use crate::offering::{self, Win};
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
    pub(crate) fits: Box<dyn Fn(&Candidate) -> bool + 'a>,
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
    /// MP4, of a video.
    pub(crate) video: Option<String>,
    /// How long that lasts, in milliseconds.
    pub(crate) video_ms: i64,
    pub(crate) landing: String,
    pub(crate) width: i64,
    pub(crate) height: i64,
    /// What it costs: a click, or a thousand views, in fen; a sale, in 1/10,000.
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

/// A round that was held, and is not kept yet.
pub(crate) struct Held<'a> {
    kept: rounds::Round,
    lets: Vec<Let>,
    /// Who won which slot at which price.
    won: Vec<(Runner<'a>, i64, i64)>,
}

/// What is let of a place now.
///
/// # Errors
/// A failure of the database.
pub(crate) async fn lets(
    context: &Context,
    db: &impl Read,
    (tenant, wanted): (&TenantId, &Wanted<'_>),
) -> anyhow::Result<Vec<Let>> {
    let lets = match wanted.sold {
        Kind::Rank | Kind::Sale => {
            sealed_bids::let_now(db, (tenant, wanted.target), context.now).await?
        }
        Kind::Display => Vec::new(),
    };
    Ok(lets.into_iter().filter(|let_| wanted.takes(let_)).collect())
}

/// Holds a round; none where there is nothing to show. Nobody who writes waits for that.
///
/// # Errors
/// 422 for terms that no round can be held on.
pub(crate) fn hold<'a>(
    context: &Context,
    (field, wanted): (&'a Field, &Wanted<'_>),
    lets: Vec<Let>,
) -> anyhow::Result<Option<Held<'a>>> {
    let is_let = |one: &Candidate| lets.iter().any(|let_| let_.merchant == one.merchant);
    let runners = field.runners(context).into_iter();
    let bidding: Vec<Runner<'a>> = runners
        .filter(|one| wanted.admits(one.candidate) && !is_let(one.candidate))
        .collect();
    if lets.is_empty() && bidding.is_empty() {
        return Ok(None);
    }
    let taken: BTreeSet<i64> = lets.iter().map(|let_| let_.slot).collect();
    let free = (1_i64..).zip(wanted.weights());
    let free = free.filter(|(slot, _)| !taken.contains(slot));
    let (slots, weights): (Vec<i64>, Vec<u32>) = free.unzip();
    let id: AuctionRoundId = context.new_id()?;
    let (kept, ranked) = held(context, (field, wanted), (id, weights, &bidding))?;
    let mut won = Vec::with_capacity(ranked.placed.len());
    for placed in &ranked.placed {
        let mut bidding = bidding.iter();
        let winner = bidding.find(|one| one.candidate.campaign.as_str() == placed.bid);
        let index = usize::try_from(placed.slot)?.checked_sub(1);
        let slot = index.and_then(|index| slots.get(index));
        if let (Some(winner), Some(slot)) = (winner, slot) {
            won.push((*winner, *slot, placed.price.max(wanted.floor_minor)));
        }
    }
    Ok(Some(Held { kept, lets, won }))
}

/// Keeps a round that was held, and offers what won.
///
/// # Errors
/// [`crate::field::Changed`] when it was held among others than bid now; a failure of the database.
pub(crate) async fn offer(
    context: &Context,
    tx: &Tx,
    (field, wanted, held): (&Field, &Wanted<'_>, &Held<'_>),
) -> anyhow::Result<Page> {
    let id = &held.kept.id;
    rounds::insert(tx, &held.kept).await?;
    let mut page = Page {
        round: Some(id.clone()),
        ..Page::default()
    };
    for let_ in &held.lets {
        let shown = offering::of_let(context, tx, wanted, (id, let_.clone(), let_.slot)).await?;
        page.shown.push(shown);
    }
    for (won, slot, price) in &held.won {
        let content = field.content(context, (tx, tx.tenant()), *won).await?;
        let Some(content) = content else {
            continue;
        };
        let win = Win {
            round: id,
            version: field.version(),
            candidate: won.candidate,
            content: &content,
            slot: *slot,
            price_minor: *price,
        };
        match offering::of_bid(context, tx, wanted, &win).await? {
            Some(shown) => page.shown.push(shown),
            None => page.not_borne.push(won.candidate.campaign.clone()),
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
        candidate.amount >= self.floor_minor
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

/// The round with what decided it, and what came of it.
fn held(
    context: &Context,
    (field, wanted): (&Field, &Wanted<'_>),
    (id, weights, bidding): (AuctionRoundId, Vec<u32>, &[Runner<'_>]),
) -> anyhow::Result<(rounds::Round, Ranked)> {
    let bids = bidding.iter().map(|one| Offered::by(one.candidate).bid());
    let round = Round {
        terms: Terms {
            weights,
            reserve: wanted.reserve(),
            increment: context.increment,
        },
        seed: context.signer.seed(&id)?,
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
        id,
        kind: wanted.sold.as_str().to_owned(),
        placement: wanted.place().cloned(),
        target_kind: wanted.target.kind.as_str().to_owned(),
        target: wanted.target.value.clone(),
        inputs: serde_json::to_string(&KeptInputs::of(&round, drawn))?,
        outcome: serde_json::to_string(&KeptOutcome::of(&round, &ranked))?,
        held_at: context.now,
    };
    Ok((kept, ranked))
}

/// Whether what somebody has to show fits where it would be shown.
pub(crate) fn fits_placement(one: &Candidate, placement: &Placement) -> bool {
    let is_size = |own: i64, asked: i64| asked == 0 || own == asked;
    one.format == placement.format
        && is_size(one.width, placement.width)
        && is_size(one.height, placement.height)
}
