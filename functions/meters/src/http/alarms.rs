//! `/api/meter-alarms`: what is not right with meters.

use kernel::{CommunityId, MeterAlarmId};
use serde::Deserialize;
use web::{Query, Reply, Request};

use super::meters::lists_meters;
use super::{Text, answer, caller, path_id, replied, write};
use crate::consume;
use crate::context::Context;
use crate::domain::Reason;
use crate::domain::caller::{is_overseer, managers_only, managing_kinds, unknown_alarm};
use crate::store::alarms as sql;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Acknowledgement {
    note: Option<Text<Reason>>,
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    lists_meters(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(MeterAlarmId::parse)?;
    let community = query.take("community", CommunityId::parse)?;
    let active = query.take("state", |text| match text {
        "active" => Ok(true),
        "cleared" => Ok(false),
        _ => Err("it is active or cleared"),
    })?;
    query.finish()?;
    consume::catch_up(context, &actor.tenant).await?;
    let filter = (community.as_ref(), active);
    let found = sql::alarms(&context.db, &actor, filter, (&page, context.now)).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |alarm| alarm.id.to_string(),
        |alarm| alarm,
    )))
}

pub(super) async fn acknowledge(
    context: &Context,
    request: &Request,
    alarm: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let id = path_id(alarm, unknown_alarm)?;
    let new: Acknowledgement = if request.body().is_empty() {
        Acknowledgement::default()
    } else {
        web::body(request)?
    };
    let acknowledged = write(context, request, &actor, async |tx| {
        let alarm = sql::alarm(tx, &actor.tenant, &id).await?;
        let alarm = alarm.ok_or_else(unknown_alarm)?;
        if !is_overseer(&actor, &alarm.community) {
            return Err(unknown_alarm().into());
        }
        managers_only(&actor, &alarm.community)?;
        let note = new.note.as_ref().map(|note| note.0.as_str());
        sql::acknowledge(tx, &id, (&actor, context.now), note).await?;
        let alarm = sql::alarm(tx, &actor.tenant, &id).await?;
        answer(200, &alarm.ok_or_else(unknown_alarm)?)
    })
    .await?;
    replied(&acknowledged)
}
