//! What the event log hears of a change: the audit trail, and what other capabilities consume.

use kernel::{ActorId, Currency};
use store::{Tx, events};
use wire::event::{AdLineChanged, BarterChanged, CreativeChanged, Event, PlacementChanged};

use crate::context::Context;
use crate::domain::barter::Barter;
use crate::domain::text::Body;
use crate::domain::{Creative, Line, Placement};

/// Appends a fact.
pub(crate) async fn append<Fact: Event>(
    context: &Context,
    tx: &Tx,
    fact: &Fact,
) -> anyhow::Result<()> {
    events::append(tx, &context.new_id()?, context.now, fact).await?;
    Ok(())
}

/// A placement is new or otherwise than before.
pub(crate) async fn placement_changed(
    context: &Context,
    tx: &Tx,
    placement: &Placement,
) -> anyhow::Result<()> {
    let fact = PlacementChanged {
        placement: placement.id.clone(),
        name: placement.name.as_str().to_owned(),
        surface: placement.surface.as_str().to_owned(),
        format: placement.format.as_str().to_owned(),
        width: placement.width,
        height: placement.height,
        board: placement
            .board
            .as_ref()
            .map(|board| board.as_str().to_owned()),
        ownership: placement.ownership,
        community: placement.community.clone(),
        capacity: placement.capacity,
        floor_minor: placement.floor_minor,
        reserve_mode: placement.reserve_mode,
        reserve: placement.reserve,
        slot_weights: placement.slot_weights.clone(),
        auction: placement.auction.clone(),
        active: placement.active,
        currency: Currency::Cny,
        version: placement.version,
    };
    append(context, tx, &fact).await
}

/// A creative is new, changed, reviewed, or may no longer be shown.
pub(crate) async fn creative_changed(
    context: &Context,
    tx: &Tx,
    creative: &Creative,
) -> anyhow::Result<()> {
    let content = &creative.content;
    let fact = CreativeChanged {
        creative: creative.id.clone(),
        merchant: creative.merchant.clone(),
        format: content.format.as_str().to_owned(),
        width: content.width,
        height: content.height,
        landing: content.landing.as_str().to_owned(),
        title: content.title.as_str().to_owned(),
        body: content.body.as_ref().map_or("", Body::as_str).to_owned(),
        image: content
            .image
            .as_ref()
            .map(|image| image.as_str().to_owned()),
        video: content
            .video
            .as_ref()
            .map(|video| video.url.as_str().to_owned()),
        video_ms: content.video.as_ref().map_or(0, |video| video.millis),
        advertiser_domain: content.domain.as_str().to_owned(),
        state: creative.state,
        content_hash: content.hash(),
        version: creative.version,
    };
    append(context, tx, &fact).await
}

/// A line took another state; by nobody when it happened by itself.
pub(crate) async fn line_changed(
    context: &Context,
    tx: &Tx,
    line: &Line,
    actor: Option<&ActorId>,
) -> anyhow::Result<()> {
    let fact = AdLineChanged {
        line: line.id.clone(),
        merchant: line.merchant.clone(),
        placement: line.placement.clone(),
        state: line.state.as_str().to_owned(),
        actor: actor.cloned(),
        at: context.now,
    };
    append(context, tx, &fact).await
}

/// An exchange is new or took another state.
pub(crate) async fn barter_changed(
    context: &Context,
    tx: &Tx,
    barter: &Barter,
    actor: Option<&ActorId>,
) -> anyhow::Result<()> {
    let fact = BarterChanged {
        contract: barter.id.clone(),
        merchant: barter.merchant.clone(),
        state: barter.state.as_str().to_owned(),
        advertising_minor: barter.terms.advertising_minor(),
        goods_minor: barter.terms.goods_minor(),
        boot_minor: barter.terms.boot_minor,
        currency: Currency::Cny,
        actor: actor.cloned(),
        at: context.now,
        version: barter.version,
    };
    append(context, tx, &fact).await
}
