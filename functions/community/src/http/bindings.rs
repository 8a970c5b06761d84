//! `/api/residents/{resident}/bindings` and `/api/bindings`: what binds people to rooms, and to communities as staff.

use ::http::StatusCode;
use kernel::{Actor, ActorId, BindingId, CommunityId, Message, RoomId, Timestamp};
use serde::Deserialize;
use store::{Tx, tx};
use web::{Problem, Query, Reply, Request};
use wire::event::BindingRole;

use super::rooms::Place;
use super::{answer, caller, only_own, path_id, shown, stored, versioned, write};
use crate::context::Context;
use crate::domain::{
    self, Binding, Note, Term, know_binding, know_resident, managers_only, managing_kinds_only,
    people_only, unknown_community,
};
use crate::{facts, store as sql};

const BINDING: (&str, &str, &str) = ("binding_unknown", "binding", "绑定");
const RESIDENT: (&str, &str, &str) = ("resident_unknown", "person", "人员");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBinding {
    role: BindingRole,
    room: Option<RoomId>,
    community: Option<CommunityId>,
    place: Option<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// The owners before stay owners.
    #[serde(default)]
    co_owner: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct End {
    at: Option<Timestamp>,
    reason: Option<Note>,
}

pub(super) async fn add(
    context: &Context,
    request: &Request,
    resident: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let person: ActorId = path_id(resident, RESIDENT)?;
    let new: NewBinding = web::body(request)?;
    let term = Term::new(new.from.unwrap_or(context.now), new.until)?;
    let id: BindingId = context.new_id()?;
    let added = write(context, request, &actor, async |tx| {
        let communities = sql::communities_of_person(tx, &actor.tenant, &person).await?;
        let found = sql::resident(tx, &actor.tenant, &person).await?;
        let resident = know_resident(&actor, found, &communities, false)?;
        resident.check_present()?;
        let (community, home) = place(tx, &actor, &new).await?;
        managers_only(&actor, &community)?;
        let binding = Binding {
            id: id.clone(),
            person: resident.id,
            role: new.role,
            community,
            home,
            term,
            started_by: actor.id.clone(),
            ended_by: None,
            end_reason: None,
            version: 1,
        };
        bind(context, tx, &binding, new.co_owner).await?;
        answer(201, &shown::binding(&binding, context.now))
    })
    .await?;
    stored(&added, "/api/bindings")
}

type Home = Option<(kernel::BuildingId, kernel::UnitId, RoomId)>;

/// Where the binding is: a room, or for staff a community.
async fn place(tx: &Tx, actor: &Actor, new: &NewBinding) -> anyhow::Result<(CommunityId, Home)> {
    if new.role != BindingRole::Staff {
        let place = Place {
            room: new.room.clone(),
            community: new.community.clone(),
            place: new.place.clone(),
        };
        let room = place.find(tx, actor).await?;
        return Ok((room.community, Some((room.building, room.unit, room.id))));
    }
    match (&new.community, &new.room, &new.place) {
        (Some(community), None, None) => {
            let found = sql::community(tx, &actor.tenant, community).await?;
            Ok((found.ok_or_else(unknown_community)?.id, None))
        }
        _ => {
            let message = Message::new(
                "Staff are bound to a community: name `community`, and no room.",
                "物业员工绑定到小区：请填写 community，不要填写房屋。",
            );
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Err(Problem::new(status, "community_required", message)
                .at_field("community")
                .into())
        }
    }
}

/// Starts a binding, and ends those that end with it.
pub(super) async fn bind(
    context: &Context,
    tx: &Tx,
    binding: &Binding,
    is_co_owner: bool,
) -> anyhow::Result<()> {
    let place = (&binding.community, binding.room());
    let held = sql::held(tx, tx.tenant(), place, binding.term.from).await?;
    for ended in domain::start(binding, &held, is_co_owner)? {
        sql::end_binding(tx, &ended).await?;
        facts::binding_ended(context, tx, &binding.started_by, &ended).await?;
    }
    sql::insert_bindings(tx, std::slice::from_ref(binding)).await?;
    facts::binding_started(context, tx, binding).await
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    people_only(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(BindingId::parse)?;
    let is_current = query.take("current", str::parse::<bool>)?.unwrap_or(false);
    let filter = sql::BindingFilter {
        community: query.take("community", CommunityId::parse)?,
        room: query.take("room", RoomId::parse)?,
        person: query.take("person", ActorId::parse)?,
        at: is_current.then_some(context.now),
        household_of: only_own(context, &actor),
    };
    query.finish()?;
    let bindings = sql::bindings(&context.db, &actor, &filter, &page).await?;
    Ok(Reply::ok(&page.listing(
        bindings,
        |binding| binding.id.to_string(),
        |binding| shown::binding(&binding, context.now),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    binding: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(binding, BINDING)?;
    let found = sql::binding(&context.db, &actor.tenant, &id).await?;
    let holds = |binding: &Binding| binding.term.until.is_none_or(|until| until > context.now);
    let is_household = match found
        .as_ref()
        .filter(|binding| holds(binding))
        .and_then(Binding::room)
    {
        Some(room) => sql::is_in_household(&context.db, &actor, room, context.now).await?,
        None => false,
    };
    let binding = know_binding(&actor, found, is_household)?;
    Ok(versioned(
        request,
        binding.version,
        &shown::binding(&binding, context.now),
    ))
}

pub(super) async fn end(
    context: &Context,
    request: &Request,
    binding: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds_only(&actor)?;
    let id: BindingId = path_id(binding, BINDING)?;
    let expected = web::if_match(request);
    let End { at, reason } = match request.body().is_empty() {
        true => End::default(),
        false => web::body(request)?,
    };
    let at = at.unwrap_or(context.now);
    let ended = tx(&context.db, &actor.tenant, async |tx| {
        let found = sql::binding(tx, &actor.tenant, &id).await?;
        let before = know_binding(&actor, found, false)?;
        let after = domain::end(&actor, &before, (at, context.now), reason.clone())?;
        let Some(after) = after else {
            return Ok(before);
        };
        if let Some(expected) = &expected {
            expected.check(before.version)?;
        }
        sql::end_binding(tx, &after).await?;
        facts::binding_ended(context, tx, &actor.id, &after).await?;
        Ok(after)
    })
    .await?;
    Ok(Reply::ok(&shown::binding(&ended, context.now)).with_etag(ended.version))
}
