//! `/api/fee-statements`: who owes, and a room's statement as a page that prints.

use chrono::Datelike;
use kernel::RoomId;
use serde::Serialize;
use web::{Query, Reply, Request};

use super::bills::unknown_room;
use super::{caller, community_of, path_id, printed};
use crate::context::Context;
use crate::domain::{Month, community_unknown, late_of};
use crate::store::{known, owed};
use crate::{inbox, printing};

#[derive(Serialize)]
struct ShownArrears {
    room: RoomId,
    name: Option<String>,
    bills: i64,
    outstanding_minor: i64,
    oldest_due_on: String,
}

/// The rooms of a community that owe what was due before today.
pub(super) async fn arrears(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let mut query = Query::of(request)?;
    let page = query.page(RoomId::parse)?;
    let community = community_of(&actor, &mut query)?;
    query.finish()?;
    let known = known::community(&context.db, &actor.tenant, &community).await?;
    let today = known.ok_or_else(community_unknown)?.today(context.now);
    let found = owed::arrears(&context.db, (&actor.tenant, &community), today, &page).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |arrears| arrears.room.to_string(),
        |arrears| ShownArrears {
            room: arrears.room,
            name: arrears.name,
            bills: arrears.bills,
            outstanding_minor: arrears.outstanding_minor,
            oldest_due_on: arrears.oldest_due_on,
        },
    )))
}

/// The statement of a room, from a month to another; this year's unless it says otherwise.
pub(super) async fn statement(
    context: &Context,
    request: &Request,
    room: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let room: RoomId = path_id(room, unknown_room)?;
    let mut query = Query::of(request)?;
    let from = query.take("from", Month::parse)?;
    let to = query.take("to", Month::parse)?;
    query.finish()?;
    let name = match crate::domain::sees(&actor) {
        Ok(_) => known::room_seen(context, &actor, &room).await?,
        Err(_) => None,
    };
    let name = name.ok_or_else(unknown_room)?;
    let place = known::room(&context.db, &actor.tenant, &room).await?;
    let (community, _) = place.ok_or_else(unknown_room)?;
    let known = known::community(&context.db, &actor.tenant, &community).await?;
    let known = known.ok_or_else(community_unknown)?;
    let today = known.today(context.now);
    let to = to.unwrap_or_else(|| Month::of(today));
    let from = from.unwrap_or_else(|| Month::of(to.first().with_month(1).unwrap_or(to.first())));
    let found = owed::statement(&context.db, (&actor.tenant, &room), (from, to)).await?;
    let bills: Vec<_> = found
        .into_iter()
        .map(|bill| {
            let late = late_of(&bill, known.terms, today);
            (bill, late)
        })
        .collect();
    Ok(printed(printing::statement(
        (&known.name, &name),
        (from, to),
        &bills,
    )))
}
