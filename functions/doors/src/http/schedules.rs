//! `/api/door-schedules`: when door groups are open to their people.

use kernel::{CommunityId, Message, Refusal, ScheduleId};
use serde::{Deserialize, Serialize};
use store::tx;
use web::{Query, Reply, Request};
use wire::event::DoorScheduleChanged;

use super::doors::Text;
use super::{answer, caller, path_id, stored, write};
use crate::context::Context;
use crate::domain::{
    Name, Schedule, ScheduleChange, change_schedule, known_schedule, make_schedule, run_it,
    unknown_schedule,
};
use crate::hours::{Exception, WeeklyHours};
use crate::{facts, store as sql};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSchedule {
    id: ScheduleId,
    community: CommunityId,
    name: Text<Name>,
    weekly: Vec<WeeklyHours>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedChange {
    name: Option<Text<Name>>,
    weekly: Option<Vec<WeeklyHours>>,
    exceptions: Option<Vec<Exception>>,
}

#[derive(Serialize)]
struct Shown {
    id: ScheduleId,
    community: CommunityId,
    name: String,
    weekly: Vec<WeeklyHours>,
    exceptions: Vec<Exception>,
    version: i64,
}

pub(super) async fn make(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewSchedule = web::body(request)?;
    let wanted = Schedule {
        id: new.id,
        community: new.community,
        name: new.name.0,
        weekly: new.weekly,
        exceptions: new.exceptions,
        version: 1,
    };
    let made = write(context, request, &actor, async |tx| {
        let existing = sql::groups::schedule(tx, &actor.tenant, &wanted.id).await?;
        let schedule = make_schedule(&actor, wanted.clone(), existing.as_ref())?;
        sql::groups::put_schedule(tx, &schedule).await?;
        facts::append(context, tx, &changed(&schedule, &actor)).await?;
        answer(201, &Shown::from(schedule))
    })
    .await?;
    stored(&made, "/api/door-schedules")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(ScheduleId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    query.finish()?;
    let found = sql::groups::schedules(&context.db, &actor, community.as_ref(), &page).await?;
    let cursor = |schedule: &Schedule| schedule.id.to_string();
    Ok(Reply::ok(&page.listing(found, cursor, Shown::from)))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    schedule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(schedule, unknown_schedule)?;
    let found = sql::groups::schedule(&context.db, &actor.tenant, &id).await?;
    let schedule = known_schedule(&actor, found)?;
    let version = schedule.version;
    if web::is_fresh(request, version) {
        return Ok(Reply::not_modified(version));
    }
    Ok(Reply::ok(&Shown::from(schedule)).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    schedule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(schedule, unknown_schedule)?;
    let expected = web::required_if_match(request)?;
    let asked: AskedChange = web::body(request)?;
    let change = ScheduleChange {
        name: asked.name.map(|name| name.0),
        weekly: asked.weekly,
        exceptions: asked.exceptions,
    };
    let after = tx(&context.db, &actor.tenant, async |tx| {
        let found = sql::groups::schedule(tx, &actor.tenant, &id).await?;
        let before = known_schedule(&actor, found)?;
        let after = change_schedule(&actor, &before, change.clone())?;
        expected.check(before.version)?;
        sql::groups::put_schedule(tx, &after).await?;
        sql::gateways::mark_community(tx, &after.community).await?;
        facts::append(context, tx, &changed(&after, &actor)).await?;
        Ok(after)
    })
    .await?;
    let version = after.version;
    Ok(Reply::ok(&Shown::from(after)).with_etag(version))
}

pub(super) async fn delete(
    context: &Context,
    request: &Request,
    schedule: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(schedule, unknown_schedule)?;
    let expected = web::if_match(request);
    tx(&context.db, &actor.tenant, async |tx| {
        let found = sql::groups::schedule(tx, &actor.tenant, &id).await?;
        let schedule = known_schedule(&actor, found)?;
        run_it(&actor, &schedule.community)?;
        if let Some(expected) = &expected {
            expected.check(schedule.version)?;
        }
        if let Some(group) = sql::groups::delete_schedule(tx, &id).await? {
            return Err(in_use(&group).into());
        }
        let gone = Schedule {
            version: schedule.version + 1,
            ..schedule
        };
        facts::append(context, tx, &changed(&gone, &actor)).await
    })
    .await?;
    Ok(Reply::no_content())
}

fn changed(schedule: &Schedule, actor: &kernel::Actor) -> DoorScheduleChanged {
    DoorScheduleChanged {
        schedule: schedule.id.to_string(),
        community: schedule.community.clone(),
        version: schedule.version,
        actor: actor.id.clone(),
    }
}

fn in_use(group: &kernel::DoorGroupId) -> Refusal {
    Refusal::conflict(
        "schedule_in_use",
        Message::new(
            format!("The door group {group} has this schedule. Give it another one first."),
            format!("门组 {group} 正在使用此时段，请先更换。"),
        ),
    )
}

impl From<Schedule> for Shown {
    fn from(schedule: Schedule) -> Self {
        Self {
            id: schedule.id,
            community: schedule.community,
            name: schedule.name.as_str().to_owned(),
            weekly: schedule.weekly,
            exceptions: schedule.exceptions,
            version: schedule.version,
        }
    }
}
