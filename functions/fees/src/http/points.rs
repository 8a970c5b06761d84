//! `/api/fee-points`: what somebody has in a community, how it came to be, and what the property office gives.

use kernel::{Actor, ActorId, CommunityId, Message, PointsEntryId, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use web::{Listing, Query, Reply, Request};

use super::{answer, caller, community_required, private, replied, write_once};
use crate::context::Context;
use crate::domain::{Reason, check_manager, check_reader, community_unknown, sees};
use crate::store::known;
use crate::store::points::{self as sql, Entry};
use crate::{inbox, rewarding};

/// The most points of one grant.
const POINTS_MAX: i64 = 1_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGrant {
    community: CommunityId,
    person: ActorId,
    /// Below zero to take points back.
    points: i64,
    reason: Reason,
}

#[derive(Serialize)]
struct ShownGrant {
    id: PointsEntryId,
    community: CommunityId,
    person: ActorId,
    points: i64,
    balance: i64,
}

#[derive(Serialize)]
struct ShownPoints {
    community: CommunityId,
    person: ActorId,
    balance: i64,
    /// What one of them is worth there, in fen; 0 where they are not taken.
    point_minor: i64,
    #[serde(flatten)]
    listing: Listing<ShownEntry>,
}

#[derive(Serialize)]
struct ShownEntry {
    id: PointsEntryId,
    kind: String,
    points: i64,
    reference: String,
    note: String,
    actor: Option<ActorId>,
    at: Timestamp,
}

/// Gives points, or takes them back.
pub(super) async fn grant(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewGrant = web::body(request)?;
    check_manager(&actor, &new.community)?;
    inbox::catch_up(context, &actor.tenant).await?;
    if new.points == 0 || new.points.saturating_abs() > POINTS_MAX {
        return Err(wrong_count().into());
    }
    let entry = rewarding::granted(context, (new.points, new.reason.as_str()), &actor.id)?;
    let made = write_once(context, request, &actor, async |tx| {
        let community = known::community(tx, tx.tenant(), &new.community).await?;
        community.ok_or_else(community_unknown)?;
        let whose = (&new.community, &new.person);
        let balance = rewarding::enter(context, tx, whose, &entry).await?;
        let shown = ShownGrant {
            id: entry.id.clone(),
            community: new.community.clone(),
            person: new.person.clone(),
            points: new.points,
            balance,
        };
        answer(201, &shown)
    })
    .await?;
    replied(&made)
}

/// The caller's own points in a community, with the log; who bills or audits it names whose.
pub(super) async fn show(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    sees(&actor)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(PointsEntryId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    let person = query.take("person", ActorId::parse)?;
    query.finish()?;
    let community = community.ok_or_else(community_required)?;
    let person = whose(&actor, &community, person)?;
    let known = known::community(&context.db, &actor.tenant, &community).await?;
    let known = known.ok_or_else(community_unknown)?;
    let place = (&actor.tenant, &community);
    let balance = sql::balance(&context.db, place, &person).await?;
    let entries = sql::entries(&context.db, place, &person, &page).await?;
    Ok(private(Reply::ok(&ShownPoints {
        balance,
        point_minor: known.points.point_minor,
        listing: page.listing(entries, |entry| entry.id.to_string(), shown),
        community,
        person,
    })))
}

fn whose(
    actor: &Actor,
    community: &CommunityId,
    person: Option<ActorId>,
) -> Result<ActorId, Refusal> {
    let Some(person) = person.filter(|person| *person != actor.id) else {
        return Ok(actor.id.clone());
    };
    check_reader(actor, community).map_err(|_| own_only())?;
    Ok(person)
}

fn shown(entry: Entry) -> ShownEntry {
    ShownEntry {
        id: entry.id,
        kind: entry.kind,
        points: entry.points,
        reference: entry.reference,
        note: entry.note,
        actor: entry.actor,
        at: entry.at,
    }
}

fn wrong_count() -> Refusal {
    Refusal::invalid(
        "points_count",
        Message::new(
            format!("Give or take 1 to {POINTS_MAX} points."),
            format!("每次可发放或扣回 1 到 {POINTS_MAX} 积分。"),
        ),
    )
}

fn own_only() -> Refusal {
    Refusal::forbidden(
        "own_points_only",
        Message::new(
            "Only your own points are shown to you.",
            "您只能查看自己的积分。",
        ),
    )
}
