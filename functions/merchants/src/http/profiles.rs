//! `/api/merchants/{merchant}`: the shop's profile, by its own people or on their behalf, and whether it is open.

use kernel::Actor;
use serde::Deserialize;
use store::Tx;
use web::{IfMatch, Reply, Request};

use super::merchants::seen_inside;
use super::{answer, caller, private, replied, shown, write};
use crate::context::Context;
use crate::domain::{
    Merchant, Month, Profile, Reason, Relation, check_edit, check_opening, unknown_community,
};
use crate::inbox;
use crate::keeping::{self, Changed};
use crate::store::{contracts, people};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentProfile {
    profile: Profile,
    /// Why, when it is done on the merchant's behalf.
    reason: Option<Reason>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentOpening {
    open: bool,
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    seen_inside(&context.db, &actor, merchant).await?;
    let if_match: IfMatch = web::required_if_match(request)?;
    let sent: SentProfile = web::body(request)?;
    let profile = sent.profile.checked()?;
    let changed = write(context, request, &actor, async |tx| {
        let (before, relation) = seen_inside(tx, &actor, merchant).await?;
        let on_behalf = check_edit(&before, relation, sent.reason.as_ref())?;
        if_match.check(before.version)?;
        check_communities(tx, &profile).await?;
        let fields = before.profile.different(&profile);
        let after = Merchant {
            profile: profile.clone(),
            version: before.version + 1,
            ..before
        };
        let changed = Changed {
            actor: &actor,
            fields: &fields,
            on_behalf,
            reason: sent.reason.as_ref(),
        };
        keeping::save(context, tx, &after, &changed).await?;
        answer(200, &shown::merchant(context, &after))
    })
    .await?;
    Ok(private(replied(&changed)?))
}

async fn check_communities(tx: &Tx, profile: &Profile) -> anyhow::Result<()> {
    for community in &profile.communities {
        if !people::is_community(tx, tx.tenant(), community).await? {
            return Err(unknown_community().into());
        }
    }
    Ok(())
}

pub(super) async fn open(
    context: &Context,
    request: &Request,
    merchant: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    seen_inside(&context.db, &actor, merchant).await?;
    let sent: SentOpening = web::body(request)?;
    let changed = write(context, request, &actor, async |tx| {
        let (before, relation) = seen_inside(tx, &actor, merchant).await?;
        let after = opened(context, tx, &actor, (before, relation, sent.open)).await?;
        answer(200, &shown::merchant(context, &after))
    })
    .await?;
    Ok(private(replied(&changed)?))
}

/// The shop as its owner wants it; asked for what it is already, nothing changes.
async fn opened(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    (before, relation, wants_open): (Merchant, Relation, bool),
) -> anyhow::Result<Merchant> {
    let whose = (tx.tenant(), &before.id);
    let contract = contracts::counting(tx, whose, Month::of(context.now)).await?;
    let asked = (wants_open, contract.is_some());
    check_opening(&before, relation, asked, context.now)?;
    if before.wants_open == wants_open {
        return Ok(before);
    }
    let after = Merchant {
        wants_open,
        version: before.version + 1,
        ..before
    };
    let changed = Changed {
        actor,
        fields: &["open"],
        on_behalf: relation == Relation::Platform,
        reason: None,
    };
    keeping::save(context, tx, &after, &changed).await?;
    Ok(after)
}
