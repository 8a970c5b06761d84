//! `/api/suspensions`: people whom no door of a community opens for. Never for arrears: the way home stays open.

use kernel::{ActorId, CommunityId, Message, Refusal, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Query, Reply, Request};
use wire::event::DoorPersonSuspended;

use super::doors::Text;
use super::{caller, path_community, path_id};
use crate::context::Context;
use crate::domain::{Reason, Suspension, oversee_it, run_it, suspend_person};
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSuspension {
    reason: Text<Reason>,
}

#[derive(Serialize)]
struct Shown {
    community: CommunityId,
    person: ActorId,
    reason: String,
    by: ActorId,
    at: Timestamp,
}

pub(super) async fn list(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let community = path_community(context, &actor, community).await?;
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    query.finish()?;
    oversee_it(&actor, &community)?;
    let found = sql::people::suspensions(&context.db, &actor.tenant, &community, &page).await?;
    let cursor = |suspension: &Suspension| suspension.person.to_string();
    Ok(Reply::ok(&page.listing(found, cursor, Shown::from)))
}

pub(super) async fn suspend(
    context: &Context,
    request: &Request,
    community: &str,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let community = path_community(context, &actor, community).await?;
    let person: ActorId = path_id(person, unknown_person)?;
    let NewSuspension { reason } = web::body(request)?;
    let suspended = tx(&context.db, &actor.tenant, async |tx| {
        let place = (community.clone(), person.clone());
        let wanted = suspend_person(&actor, place, reason.0.clone(), context.now)?;
        let key = (&community, &person);
        let known = sql::people::suspension(tx, &actor.tenant, key).await?;
        if let Some(known) = known.filter(|known| known.reason == wanted.reason) {
            return Ok(known);
        }
        sql::people::suspend(tx, &wanted).await?;
        sql::gateways::mark_community(tx, &community).await?;
        let fact = DoorPersonSuspended {
            community: community.clone(),
            person: person.clone(),
            suspended: true,
            reason: Some(wanted.reason.as_str().to_owned()),
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await?;
        Ok(wanted)
    })
    .await?;
    Ok(Reply::ok(&Shown::from(suspended)))
}

pub(super) async fn resume(
    context: &Context,
    request: &Request,
    community: &str,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let community = path_community(context, &actor, community).await?;
    let person: ActorId = path_id(person, unknown_person)?;
    run_it(&actor, &community)?;
    tx(&context.db, &actor.tenant, async |tx| {
        if !sql::people::resume(tx, &community, &person).await? {
            return Ok(());
        }
        sql::gateways::mark_community(tx, &community).await?;
        let fact = DoorPersonSuspended {
            community: community.clone(),
            person: person.clone(),
            suspended: false,
            reason: None,
            actor: actor.id.clone(),
        };
        facts::append(context, tx, &fact).await
    })
    .await?;
    Ok(Reply::no_content())
}

fn unknown_person() -> Refusal {
    Refusal::not_found(
        "person_unknown",
        Message::new(
            "There is no such person that you can see.",
            "没有您可见的这个人。",
        ),
    )
}

impl From<Suspension> for Shown {
    fn from(suspension: Suspension) -> Self {
        Self {
            community: suspension.community,
            person: suspension.person,
            reason: suspension.reason.as_str().to_owned(),
            by: suspension.by,
            at: suspension.at,
        }
    }
}
