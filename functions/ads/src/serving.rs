//! Deciding what is shown, and offering it: few statements, whatever there is to choose from.

use advertising::{Cap, OFFER_MS};
use kernel::{Actor, ActorKind, CommunityId, MerchantId, OfferId, PlacementId, Timestamp};
use store::bulk;

use crate::context::Context;
use crate::domain::day::ZONE;
use crate::domain::may_write;
use crate::domain::serving::{Candidate, Moment, choose};
use crate::domain::wish::Viewer;
use crate::store::known;
use crate::store::offers::{self, Found, NewOffer, Shown};

/// What is offered in a placement.
pub(crate) struct Served {
    /// Where.
    pub placement: PlacementId,
    /// What the viewer sends back.
    pub token: String,
    /// The first moment at which it no longer holds.
    pub expires_at: Timestamp,
    /// What is shown.
    pub shown: Shown,
}

/// Decides what that caller is shown in these placements, and offers it.
pub(crate) async fn decide(
    context: &Context,
    actor: &Actor,
    placements: &[PlacementId],
    communities: &[CommunityId],
) -> anyhow::Result<Vec<Served>> {
    let tenant = &actor.tenant;
    let today = context.today();
    let found = offers::candidates(&context.db, tenant, placements, today).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let viewer = context.offers.viewer(tenant, actor.id.as_str())?;
    let has_caps = found.iter().any(|one| !one.candidate.caps.is_empty());
    let seen = if has_caps {
        offers::seen(&context.db, tenant, &viewer, context.now).await?
    } else {
        Default::default()
    };
    let count = |subject: &str, cap: &Cap| {
        let bucket = cap.window.bucket(ZONE, context.now);
        seen.get(&(subject.to_owned(), bucket))
            .copied()
            .unwrap_or(0)
    };
    let moment = Moment {
        viewer: Viewer {
            kind: actor.kind,
            communities,
            minute: ZONE.local(context.now).minute,
        },
        today,
    };
    let mut chosen: Vec<(OfferId, &Found)> = Vec::new();
    for placement in placements {
        let id: OfferId = context.new_id()?;
        let draw = context.offers.draw(id.as_str())?;
        let shown: Vec<MerchantId> = chosen
            .iter()
            .map(|(_, found)| found.candidate.merchant.clone())
            .collect();
        let there = standing(&found, placement, communities);
        if let Some(one) = choose(there, moment, (&shown, count), draw) {
            chosen.extend(
                found
                    .iter()
                    .find(|found| std::ptr::eq(&found.candidate, one))
                    .map(|found| (id, found)),
            );
        }
    }
    let own = own_merchants(context, actor).await?;
    if chosen.is_empty() {
        return Ok(Vec::new());
    }
    offer(context, actor, (&viewer, &own), &chosen).await
}

/// The creatives that stand in a placement, where it is one that the viewer's communities have.
fn standing<'a>(
    found: &'a [Found],
    placement: &'a PlacementId,
    communities: &'a [CommunityId],
) -> impl Iterator<Item = &'a Candidate> {
    let is_there = move |found: &&Found| {
        let community = found.community.as_ref();
        found.candidate.placement == *placement
            && community.is_none_or(|community| communities.contains(community))
    };
    found.iter().filter(is_there).map(|found| &found.candidate)
}

/// For which advertisers the viewer acts: what they are shown of these does not count.
async fn own_merchants(context: &Context, actor: &Actor) -> anyhow::Result<Vec<MerchantId>> {
    if actor.kind != ActorKind::Merchant {
        return Ok(Vec::new());
    }
    known::merchants_of(&context.db, &actor.tenant, &actor.id).await
}

/// Promises the bids and stores the offers, in one transaction: what a budget does not bear is not offered.
async fn offer(
    context: &Context,
    actor: &Actor,
    (viewer, own): (&str, &[MerchantId]),
    chosen: &[(OfferId, &Found)],
) -> anyhow::Result<Vec<Served>> {
    let metered = chosen
        .iter()
        .filter(|(_, found)| found.candidate.purse.is_some());
    let metered: Vec<_> = metered.map(|(_, found)| &found.candidate.line).collect();
    let creatives = chosen.iter().map(|(_, found)| &found.candidate.creative);
    let creatives: Vec<_> = creatives.collect();
    let is_platforms = may_write(actor);
    bulk(&context.db, async |batch| {
        let reserved = if metered.is_empty() {
            Vec::new()
        } else {
            offers::reserve(batch, &actor.tenant, &metered, context.today()).await?
        };
        let shown = offers::shown(batch, &actor.tenant, &creatives).await?;
        let mut served = Vec::new();
        for (id, found) in chosen {
            let candidate = &found.candidate;
            let is_borne = candidate.purse.is_none() || reserved.contains(&candidate.line);
            let Some(shown) = shown.get(&candidate.creative).filter(|_| is_borne) else {
                continue;
            };
            let new = NewOffer {
                id: id.clone(),
                found,
                viewer,
                is_internal: is_platforms || own.contains(&candidate.merchant),
            };
            offers::insert_offer(batch, &actor.tenant, &new, context.now).await?;
            served.push(Served {
                placement: candidate.placement.clone(),
                token: context.offers.seal(&actor.tenant, id)?,
                expires_at: context.now.plus_millis(OFFER_MS),
                shown: shown.clone(),
            });
        }
        Ok(served)
    })
    .await
}
