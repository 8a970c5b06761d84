//! `/api/releases`: opening all doors of a community for a fire, and shutting them again.

use kernel::{ActorId, CommunityId, DeviceId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Listing, PAGE_ITEMS_DEFAULT, Page, Query, Reply, Request};
use wire::event::DoorsReleased;

use super::doors::Text;
use super::{caller, path_community};
use crate::context::Context;
use crate::domain::{Reason, oversee_it, run_it};
use crate::outbox::tell_releases;
use crate::store::releases::{DoorState, Release};
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRelease {
    reason: Text<Reason>,
}

#[derive(Serialize)]
struct Shown {
    community: CommunityId,
    released: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<ActorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    doors: Listing<ShownDoor>,
}

#[derive(Serialize)]
struct ShownDoor {
    door: DeviceId,
    state: &'static str,
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(DeviceId::parse)?;
    query.finish()?;
    let community = path_community(context, &actor, community).await?;
    oversee_it(&actor, &community)?;
    shown(context, &actor.tenant, community, &page).await
}

pub(super) async fn release(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    set(context, request, community, true).await
}

pub(super) async fn restore(
    context: &Context,
    request: &Request,
    community: &str,
) -> anyhow::Result<Reply> {
    set(context, request, community, false).await
}

/// Stores the word and tells the doors; those that do not say that they obey are told again by the heartbeat.
async fn set(
    context: &Context,
    request: &Request,
    community: &str,
    released: bool,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let reason = if released || !request.body().is_empty() {
        web::body::<NewRelease>(request)?.reason.0
    } else {
        Reason::of_device("restored")
    };
    let community = path_community(context, &actor, community).await?;
    run_it(&actor, &community)?;
    let wanted = Release {
        released,
        reason: reason.as_str().to_owned(),
        by: actor.id.clone(),
        at: context.now,
    };
    tx(&context.db, &actor.tenant, async |tx| {
        let known = sql::releases::release(tx, &actor.tenant, &community).await?;
        if known.is_some_and(|known| known.released == released) {
            return Ok(());
        }
        sql::releases::put_release(tx, &community, &wanted).await?;
        sql::gateways::mark_community(tx, &community).await?;
        let fact = DoorsReleased {
            community: community.clone(),
            released,
            actor: actor.id.clone(),
            reason: wanted.reason.clone(),
        };
        facts::append(context, tx, &fact).await
    })
    .await?;
    tell_releases(context).await?;
    let page = Page {
        limit: PAGE_ITEMS_DEFAULT,
        after: None,
    };
    shown(context, &actor.tenant, community, &page).await
}

async fn shown(
    context: &Context,
    tenant: &TenantId,
    community: CommunityId,
    page: &Page<DeviceId>,
) -> anyhow::Result<Reply> {
    let release = sql::releases::release(&context.db, tenant, &community).await?;
    let doors = sql::releases::states(&context.db, tenant, &community, page).await?;
    Ok(Reply::ok(&Shown {
        community,
        released: release.as_ref().is_some_and(|release| release.released),
        reason: release.as_ref().map(|release| release.reason.clone()),
        by: release.as_ref().map(|release| release.by.clone()),
        at: release.map(|release| release.at),
        doors: page.listing(doors, |door| door.door.to_string(), ShownDoor::from),
    }))
}

impl From<DoorState> for ShownDoor {
    fn from(state: DoorState) -> Self {
        let name = match (state.released, state.said) {
            (true, true) => "released",
            (true, false) => "releasing",
            (false, true) => "restoring",
            (false, false) => "normal",
        };
        Self {
            door: state.door,
            state: name,
        }
    }
}
