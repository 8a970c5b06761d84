//! `/api/door-groups`: which doors belong together, and whom they admit.

use kernel::{
    Actor, ActorId, CommunityId, DeviceId, DoorGroupId, Message, Refusal, ScheduleId, Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize};
use store::{Tx, tx};
use web::{Query, Reply, Request};
use wire::event::{DoorGroupChanged, DoorGroupMemberChanged};
use wire::pass::Target;

use super::doors::Text;
use super::grants::wrong_end;
use super::{answer, caller, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    Group, GroupChange, Name, Validity, change_group, known_group, make_group, oversee_it, run_it,
    unknown_group,
};
use crate::store::groups::Member;
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewGroup {
    id: DoorGroupId,
    community: CommunityId,
    name: Text<Name>,
    #[serde(default)]
    admits: Vec<Target>,
    visitors: Option<bool>,
    schedule: Option<ScheduleId>,
    #[serde(default)]
    doors: Vec<DeviceId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedChange {
    name: Option<Text<Name>>,
    admits: Option<Vec<Target>>,
    visitors: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    schedule: Option<Option<ScheduleId>>,
    doors: Option<Vec<DeviceId>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct NewMember {
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

#[derive(Serialize)]
struct Shown {
    id: DoorGroupId,
    community: CommunityId,
    name: String,
    admits: Vec<Target>,
    visitors: bool,
    schedule: Option<ScheduleId>,
    doors: Vec<DeviceId>,
    version: i64,
}

#[derive(Serialize)]
struct ShownMember {
    person: ActorId,
    valid_from: Timestamp,
    valid_until: Option<Timestamp>,
}

pub(super) async fn make(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewGroup = web::body(request)?;
    let wanted = Group {
        id: new.id,
        community: new.community,
        name: new.name.0,
        admits: new.admits,
        visitors: new.visitors.unwrap_or(true),
        schedule: new.schedule,
        doors: new.doors,
        version: 1,
    };
    let made = write(context, request, &actor, async |tx| {
        let existing = sql::groups::group(tx, &actor.tenant, &wanted.id).await?;
        let known = sql::groups::doors_named(tx, &wanted.community, &wanted.doors).await?;
        let group = make_group(&actor, wanted.clone(), &known, existing.as_ref())?;
        keep(context, tx, &actor, &group).await?;
        answer(201, &Shown::from(group))
    })
    .await?;
    stored(&made, "/api/door-groups")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(DoorGroupId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    let found = sql::groups::groups(&context.db, &actor, community.as_ref(), &page).await?;
    let cursor = |group: &Group| group.id.to_string();
    Ok(Reply::ok(&page.listing(found, cursor, Shown::from)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    group: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(group, unknown_group)?;
    let found = sql::groups::group(&context.db, &actor.tenant, &id).await?;
    let group = known_group(&actor, found)?;
    let version = group.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&Shown::from(group)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    group: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(group, unknown_group)?;
    let expected = web::required_if_match(request)?;
    let asked: AskedChange = web::body(request)?;
    let change = GroupChange {
        name: asked.name.map(|name| name.0),
        admits: asked.admits,
        visitors: asked.visitors,
        schedule: asked.schedule,
        doors: asked.doors,
    };
    let after = tx(&context.db, &actor.tenant, async |tx| {
        let before = known_group(&actor, sql::groups::group(tx, &actor.tenant, &id).await?)?;
        let named = change.doors.as_ref().unwrap_or(&before.doors);
        let known = sql::groups::doors_named(tx, &before.community, named).await?;
        let after = change_group(&actor, &before, change.clone(), &known)?;
        expected.check(before.version)?;
        keep(context, tx, &actor, &after).await?;
        Ok(after)
    })
    .await?;
    let version = after.version;
    Ok(Reply::ok(&Shown::from(after)).with_etag(version))
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    group: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(group, unknown_group)?;
    let expected = web::if_match(request);
    tx(&context.db, &actor.tenant, async |tx| {
        let group = known_group(&actor, sql::groups::group(tx, &actor.tenant, &id).await?)?;
        run_it(&actor, &group.community)?;
        if let Some(expected) = &expected {
            expected.check(group.version)?;
        }
        sql::gateways::mark_community(tx, &group.community).await?;
        sql::groups::delete_group(tx, &id).await?;
        facts::append(context, tx, &changed(&group, &actor, true)).await
    })
    .await?;
    Ok(Reply::no_content())
}

pub(super) async fn members(
    context: &Context,
    request: &Request,
    group: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(group, unknown_group)?;
    let mut query = Query::of(request)?;
    let page = query.page(ActorId::parse)?;
    query.finish()?;
    let found = sql::groups::group(&context.db, &actor.tenant, &id).await?;
    oversee_it(&actor, &known_group(&actor, found)?.community)?;
    let found = sql::groups::members(&context.db, &actor.tenant, &id, &page).await?;
    let cursor = |member: &Member| member.person.to_string();
    Ok(Reply::ok(&page.listing(found, cursor, ShownMember::from)))
}

pub(super) async fn add_member(
    context: &Context,
    request: &Request,
    group: &str,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(group, unknown_group)?;
    let person = path_id(person, unknown_member)?;
    let new: NewMember = if request.body().is_empty() {
        NewMember::default()
    } else {
        web::body(request)?
    };
    let validity = Validity::new(new.valid_from.unwrap_or(context.now), new.valid_until)
        .map_err(|_| wrong_end())?;
    let member = Member {
        person,
        from: validity.from(),
        until: validity.until(),
    };
    tx(&context.db, &actor.tenant, async |tx| {
        let group = run(tx, &actor, &id).await?;
        sql::groups::set_member(tx, &id, &member).await?;
        sql::gateways::mark_community(tx, &group.community).await?;
        let fact = member_changed(&id, &member.person, &actor, true);
        facts::append(context, tx, &fact).await
    })
    .await?;
    Ok(Reply::ok(&ShownMember::from(member)))
}

pub(super) async fn remove_member(
    context: &Context,
    request: &Request,
    group: &str,
    person: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(group, unknown_group)?;
    let person: ActorId = path_id(person, unknown_member)?;
    tx(&context.db, &actor.tenant, async |tx| {
        let group = run(tx, &actor, &id).await?;
        if !sql::groups::remove_member(tx, &id, &person).await? {
            return Ok(());
        }
        sql::gateways::mark_community(tx, &group.community).await?;
        let fact = member_changed(&id, &person, &actor, false);
        facts::append(context, tx, &fact).await
    })
    .await?;
    Ok(Reply::no_content())
}

/// The group, for those who run its community.
async fn run(tx: &Tx, actor: &Actor, id: &DoorGroupId) -> anyhow::Result<Group> {
    let group = known_group(actor, sql::groups::group(tx, &actor.tenant, id).await?)?;
    run_it(actor, &group.community)?;
    Ok(group)
}

async fn keep(context: &Context, tx: &Tx, actor: &Actor, group: &Group) -> anyhow::Result<()> {
    if let Some(schedule) = &group.schedule {
        let found = sql::groups::schedule(tx, &actor.tenant, schedule).await?;
        if found.is_none_or(|schedule| schedule.community != group.community) {
            return Err(foreign_schedule().into());
        }
    }
    sql::groups::put_group(tx, group).await?;
    sql::gateways::mark_community(tx, &group.community).await?;
    facts::append(context, tx, &changed(group, actor, false)).await
}

fn changed(group: &Group, actor: &Actor, deleted: bool) -> DoorGroupChanged {
    DoorGroupChanged {
        group: group.id.clone(),
        community: group.community.clone(),
        deleted,
        version: group.version,
        actor: actor.id.clone(),
    }
}

fn member_changed(
    group: &DoorGroupId,
    person: &ActorId,
    actor: &Actor,
    member: bool,
) -> DoorGroupMemberChanged {
    DoorGroupMemberChanged {
        group: group.clone(),
        person: person.clone(),
        member,
        actor: actor.id.clone(),
    }
}

fn unknown_member() -> Refusal {
    Refusal::not_found(
        "member_unknown",
        Message::new(
            "There is no such person that you can see.",
            "没有您可见的这个人。",
        ),
    )
}

fn foreign_schedule() -> Refusal {
    Refusal::invalid(
        "group_schedule_unknown",
        Message::new(
            "The community has no such schedule. Make it first.",
            "本小区没有这个时段，请先创建。",
        ),
    )
}

/// Tells a field that is `null` from one that is absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<ScheduleId>>, D::Error> {
    Option::deserialize(from).map(Some)
}

impl From<Group> for Shown {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            community: group.community,
            name: group.name.as_str().to_owned(),
            admits: group.admits,
            visitors: group.visitors,
            schedule: group.schedule,
            doors: group.doors,
            version: group.version,
        }
    }
}

impl From<Member> for ShownMember {
    fn from(member: Member) -> Self {
        Self {
            person: member.person,
            valid_from: member.from,
            valid_until: member.until,
        }
    }
}
