//! `/api/bidding/sealed-rounds/{round}/bids/{bid}/forfeiture`, and `.../restitution`: the deposit of a winner who does not
//! keep what was won is kept, and given back where that was wrong.

use serde::Deserialize;
use store::Tx;
use web::{Reply, Request};

use super::{answer, caller, replied, sealed, write_once};
use crate::context::Context;
use crate::domain::{Name, managers_only};
use crate::inbox;
use crate::sealing::forfeits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    reason: Name,
}

pub(super) async fn forfeit(
    context: &Context,
    request: &Request,
    (round, bid): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let why: Why = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let kept = write_once(context, request, &actor, async |tx: &mut Tx| {
        let round = sealed::found(&*tx, &actor, round).await?;
        managers_only(&actor)?;
        let mut bid = sealed::bid_of(&*tx, (&actor, &round), bid).await?;
        forfeits::forfeit(context, tx, &actor, (&round, &mut bid, &why.reason)).await?;
        answer(200, &sealed::shown_bid(bid))
    })
    .await?;
    replied(&kept)
}

pub(super) async fn restore(
    context: &Context,
    request: &Request,
    (round, bid): (&str, &str),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let why: Why = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let restored = write_once(context, request, &actor, async |tx: &mut Tx| {
        let round = sealed::found(&*tx, &actor, round).await?;
        managers_only(&actor)?;
        let mut bid = sealed::bid_of(&*tx, (&actor, &round), bid).await?;
        forfeits::restore(context, tx, &actor, (&mut bid, &why.reason)).await?;
        answer(200, &sealed::shown_bid(bid))
    })
    .await?;
    replied(&restored)
}
