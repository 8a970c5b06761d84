//! `/api/access-log`: who went through which door. A resident sees the own household and its visitors only.

use ::http::StatusCode;
use kernel::{ActorId, CommunityId, DeviceId, EventId, Message, OpeningId, PassId, Timestamp};
use serde::Serialize;
use web::{Problem, Query, Reply, Request};

use super::caller;
use crate::context::Context;
use crate::domain::{is_people, oversees, unknown_community};
use crate::store as sql;
use crate::store::log::{Access, AccessFilter};

#[derive(Serialize)]
struct Shown {
    id: EventId,
    community: CommunityId,
    door: DeviceId,
    person: Option<ActorId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<PassId>,
    credential: String,
    allowed: bool,
    reason: String,
    passback: bool,
    direction: &'static str,
    offline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    opening: Option<OpeningId>,
    decided_at: Timestamp,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(EventId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    let door = query.take("door", DeviceId::parse)?;
    let person = query.take("person", ActorId::parse)?;
    let from = query.take("from", Timestamp::parse)?;
    let to = query.take("to", Timestamp::parse)?;
    query.finish()?;
    let community = community.ok_or_else(community_missing)?;
    if !actor.reaches(&community) {
        return Err(unknown_community().into());
    }
    let sees_all = oversees(&actor, &community);
    if !sees_all && !is_people(actor.kind) {
        return Err(crate::domain::own_unless_overseer(&actor, None)
            .err()
            .unwrap_or_else(unknown_community)
            .into());
    }
    let filter = AccessFilter {
        community,
        seen_by: (!sees_all).then(|| actor.id.clone()),
        door,
        person,
        from,
        to,
    };
    let found = sql::log::list(&context.db, &actor.tenant, &filter, &page).await?;
    let cursor = |access: &Access| access.id.to_string();
    Ok(Reply::ok(&page.listing(found, cursor, Shown::from)))
}

fn community_missing() -> Problem {
    let message = Message::new("Say which `community`.", "请用 community 参数指明小区。");
    Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", message).at_field("community")
}

impl From<Access> for Shown {
    fn from(access: Access) -> Self {
        Self {
            id: access.id,
            community: access.community,
            door: access.door,
            person: access.person,
            pass: access.pass,
            credential: access.credential,
            allowed: access.allowed,
            reason: access.reason,
            passback: access.passback,
            direction: access.direction.as_str(),
            offline: access.offline,
            opening: access.opening,
            decided_at: access.decided_at,
        }
    }
}
