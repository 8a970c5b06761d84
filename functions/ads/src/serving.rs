//! Deciding what is shown, and offering it: few statements, whatever there is to choose from. Where nothing is promised
//! and nothing has changed, one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use advertising::{Cap, OFFER_MS, Promise};
use kernel::{
    Actor, ActorKind, AdLineId, CommunityId, MerchantId, OfferId, PlacementId, Timestamp,
};
use store::bulk;

use crate::catalogue::AsOf;
use crate::context::Context;
use crate::domain::day::ZONE;
use crate::domain::may_write;
use crate::domain::serving::{Candidate, Moment, Purse, choose};
use crate::domain::wish::Viewer;
use crate::store::known;
use crate::store::offers::{self, NewOffer, Shown, Standing};

/// What is offered in a placement.
pub(crate) struct Served {
    /// Where.
    pub placement: PlacementId,
    /// What the viewer sends back.
    pub token: String,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
    /// What is shown.
    pub shown: Arc<Shown>,
}

/// A placement that is asked for, with what stands there.
struct Place<'a> {
    id: &'a PlacementId,
    as_of: AsOf,
    standing: Arc<Standing>,
}

/// What was chosen for a placement.
struct Chosen<'a> {
    place: &'a Place<'a>,
    id: OfferId,
    candidate: &'a Candidate,
}

/// Decides what that caller is shown in these placements, and offers it.
pub(crate) async fn decide(
    context: &Context,
    actor: &Actor,
    placements: &[PlacementId],
    communities: &[CommunityId],
) -> anyhow::Result<Vec<Served>> {
    let now = offers::now(&context.db, &actor.tenant, placements, context.today()).await?;
    let mut places = Vec::new();
    for id in placements {
        if let Some(version) = now.versions.get(id) {
            places.extend(place(context, actor, (id, *version), communities).await?);
        }
    }
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let viewer = context.offers.viewer(&actor.tenant, actor.id.as_str())?;
    let chosen = choose_all(
        context,
        actor,
        (&places, &now.purses),
        (&viewer, communities),
    )
    .await?;
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    offer(context, actor, &viewer, &chosen).await
}

/// A placement of one of these communities or of all, with what stands there, remembered or read; none without any.
async fn place<'a>(
    context: &Context,
    actor: &Actor,
    (id, version): (&'a PlacementId, i64),
    communities: &[CommunityId],
) -> anyhow::Result<Option<Place<'a>>> {
    let (whose, as_of) = ((&actor.tenant, id), (version, context.today()));
    let standing = match context.catalogue.standing(whose, as_of) {
        Some(standing) => standing,
        None => {
            let read = offers::standing(&context.db, &actor.tenant, id, context.today()).await?;
            let standing = Arc::new(read);
            context.catalogue.keep(whose, as_of, &standing);
            standing
        }
    };
    let community = standing.community.as_ref();
    let is_there = community.is_none_or(|community| communities.contains(community));
    Ok(
        (is_there && !standing.candidates.is_empty()).then_some(Place {
            id,
            as_of,
            standing,
        }),
    )
}

/// What is chosen for each placement: nobody is twice on the page.
async fn choose_all<'a>(
    context: &Context,
    actor: &Actor,
    (places, purses): (&'a [Place<'a>], &BTreeMap<AdLineId, Purse>),
    (viewer, communities): (&str, &[CommunityId]),
) -> anyhow::Result<Vec<Chosen<'a>>> {
    let mut candidates = places.iter().flat_map(|place| &place.standing.candidates);
    let seen = if candidates.any(|candidate| !candidate.caps.is_empty()) {
        offers::seen(&context.db, &actor.tenant, viewer, context.now).await?
    } else {
        BTreeMap::new()
    };
    let count = |subject: &str, cap: &Cap| {
        let bucket = cap.window.bucket(ZONE, context.now);
        let seen = seen.get(&(subject.to_owned(), bucket));
        seen.copied().unwrap_or(0)
    };
    let viewer = Viewer {
        kind: actor.kind,
        communities,
        minute: ZONE.local(context.now).minute,
    };
    let mut shown: Vec<MerchantId> = Vec::new();
    let mut chosen = Vec::new();
    for place in places {
        let moment = Moment {
            placement: place.id,
            viewer,
            today: context.today(),
            purses,
        };
        let id: OfferId = context.new_id()?;
        let draw = context.offers.draw(id.as_str())?;
        let standing = &place.standing.candidates;
        if let Some(candidate) = choose(standing, moment, (&shown, count), draw) {
            shown.push(candidate.merchant.clone());
            chosen.push(Chosen {
                place,
                id,
                candidate,
            });
        }
    }
    Ok(chosen)
}

/// For which advertisers the viewer acts: what they are shown of these does not count.
async fn own_merchants(context: &Context, actor: &Actor) -> anyhow::Result<Vec<MerchantId>> {
    if actor.kind != ActorKind::Merchant {
        return Ok(Vec::new());
    }
    known::merchants_of(&context.db, &actor.tenant, &actor.id).await
}

/// Promises what has to be promised, and signs the offers: what a budget does not bear is not offered.
async fn offer(
    context: &Context,
    actor: &Actor,
    viewer: &str,
    chosen: &[Chosen<'_>],
) -> anyhow::Result<Vec<Served>> {
    let own = own_merchants(context, actor).await?;
    let is_platforms = may_write(actor);
    let mut made = Vec::new();
    for (one, shown) in chosen.iter().zip(shown(context, actor, chosen).await?) {
        let candidate = one.candidate;
        let offer = NewOffer {
            promise: Promise {
                offer: one.id.clone(),
                line: candidate.line.clone(),
                creative: candidate.creative.clone(),
                viewer: viewer.to_owned(),
                at: context.now,
                is_internal: is_platforms || own.contains(&candidate.merchant),
            },
            placement: one.place.id,
            candidate,
        };
        made.extend(shown.map(|shown| (offer, shown)));
    }
    let priced = made.iter().map(|(offer, _)| offer);
    let priced: Vec<_> = priced
        .filter(|offer| offer.candidate.bid.is_some())
        .collect();
    let borne = hold(context, actor, &priced).await?;
    let mut served = Vec::new();
    for (offer, shown) in &made {
        if offer.candidate.bid.is_none() || borne.contains(&offer.candidate.line) {
            served.push(Served {
                placement: offer.placement.clone(),
                token: context.offers.seal(&actor.tenant, &offer.promise)?,
                expires_at: context.now.plus_millis(OFFER_MS),
                shown: Arc::clone(shown),
            });
        }
    }
    Ok(served)
}

/// Promises the bids and stores their offers, in one transaction; of which lines the budgets bore it.
async fn hold(
    context: &Context,
    actor: &Actor,
    priced: &[&NewOffer<'_>],
) -> anyhow::Result<BTreeSet<AdLineId>> {
    if priced.is_empty() {
        return Ok(BTreeSet::new());
    }
    let lines = priced.iter().map(|offer| &offer.candidate.line);
    let lines: Vec<&AdLineId> = lines.collect();
    bulk(&context.db, async |batch| {
        let borne = offers::reserve(batch, &actor.tenant, &lines, context.today()).await?;
        let of_borne = priced.iter().copied();
        let of_borne: Vec<_> = of_borne
            .filter(|offer| borne.contains(&offer.candidate.line))
            .collect();
        offers::insert_offers(batch, &actor.tenant, &of_borne).await?;
        Ok(borne)
    })
    .await
}

/// What people see of each that was chosen, remembered or read; none of a creative that has gone meanwhile.
async fn shown(
    context: &Context,
    actor: &Actor,
    chosen: &[Chosen<'_>],
) -> anyhow::Result<Vec<Option<Arc<Shown>>>> {
    let known = chosen.iter().map(|one| {
        let (tenant, place) = (&actor.tenant, one.place.id);
        let creative = &one.candidate.creative;
        context
            .catalogue
            .shown((tenant, place), one.place.as_of, creative)
    });
    let mut known: Vec<_> = known.collect();
    let missing = chosen.iter().zip(&known);
    let missing: Vec<_> = missing
        .filter(|(_, shown)| shown.is_none())
        .map(|(one, _)| &one.candidate.creative)
        .collect();
    if missing.is_empty() {
        return Ok(known);
    }
    let read = offers::shown(&context.db, &actor.tenant, &missing).await?;
    for (one, place) in chosen.iter().zip(&mut known) {
        if place.is_some() {
            continue;
        }
        if let Some(shown) = read.get(&one.candidate.creative) {
            let whose = (&actor.tenant, one.place.id);
            context.catalogue.keep_shown(whose, one.place.as_of, shown);
            *place = Some(Arc::clone(shown));
        }
    }
    Ok(known)
}
