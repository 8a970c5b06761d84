//! `/api/recurring-visits`: passes that come again every week, until a date.

use chrono::{Days as Span, NaiveDate};
use kernel::{Actor, ActorId, BuildingId, CommunityId, RoomId, Timestamp, UnitId, VisitId};
use serde::{Deserialize, Serialize};
use store::Read;
use web::{Query, Reply, Request};

use super::form::{AskedVisitor, Number, ShownEnd, ShownVisitor, Text, Way, relation_to, room_of};
use super::visits::because;
use super::{answer, caller, path_id, private, replied, stored, write};
use crate::context::Context;
use crate::domain::{
    Days, Reason, Recurring, RecurringState, Relation, UsesMax, Weekly, blacklisted, has_lists,
    on_behalf, unknown_recurring,
};
use crate::store::{blacklist, places, recurring as sql};
use crate::{facts, inbox, plan};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRecurring {
    room: RoomId,
    way: Option<Way>,
    visitor: AskedVisitor,
    days: Vec<String>,
    from: ClockTime,
    until: ClockTime,
    first_day: Option<NaiveDate>,
    last_day: NaiveDate,
    uses_max: Option<Number<UsesMax>>,
    reason: Option<Text<Reason>>,
}

/// A time of day as `HH:MM`, 00:00 to 24:00.
#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(try_from = "String", into = "String")]
struct ClockTime(u16);

impl TryFrom<String> for ClockTime {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let parsed = text.split_once(':').and_then(|(hours, minutes)| {
            let is_two =
                |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
            if !is_two(hours) || !is_two(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            let minute = hours * 60 + minutes;
            (minutes < 60 && minute <= 1_440).then_some(Self(minute))
        });
        parsed.ok_or("a time of day is written as HH:MM, 00:00 to 24:00")
    }
}

impl From<ClockTime> for String {
    fn from(ClockTime(minute): ClockTime) -> Self {
        format!("{:02}:{:02}", minute / 60, minute % 60)
    }
}

#[derive(Serialize)]
struct ShownRecurring {
    id: VisitId,
    community: CommunityId,
    building: BuildingId,
    unit: UnitId,
    room: RoomId,
    /// Absent once the personal data is deleted.
    visitor: Option<ShownVisitor>,
    host: ActorId,
    reason: Option<String>,
    days: Vec<&'static str>,
    from: ClockTime,
    until: ClockTime,
    first_day: NaiveDate,
    last_day: NaiveDate,
    uses_max: u16,
    created_at: Timestamp,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<ShownEnd>,
    /// With it the visitor reads the pass of the day, without an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub(super) async fn make(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewRecurring = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let visitor = new.visitor.known(context, &actor.tenant)?;
    let days = Days::of_names(&new.days)?;
    let reason = new.reason.map(|reason| reason.0);
    let uses_max = new.uses_max.map_or(UsesMax::ONCE, |count| count.0);
    let id: VisitId = context.new_id()?;
    let made = write(context, request, &actor, async |tx| {
        let place = (&new.room, new.way.as_ref());
        let (room, community, relation) = room_of(context, tx, &actor, place).await?;
        let signed = on_behalf(&actor, relation, reason.clone())?;
        if blacklist::is_blacklisted(tx, &community, Some(&visitor)).await? {
            return Err(blacklisted().into());
        }
        let today = today(context, &*tx, &actor, &community).await?;
        let first = new.first_day.unwrap_or(today).max(today);
        let weekly = Weekly {
            days,
            minute_from: new.from.0,
            minute_until: new.until.0,
            first,
            last: new.last_day,
        };
        let pass = Recurring {
            id: id.clone(),
            community,
            room,
            visitor: Some(visitor.clone()),
            signed,
            weekly: weekly.checked()?,
            uses_max,
            created_at: context.now,
            state: RecurringState::Active,
            planned_through: first.checked_sub_days(Span::new(1)).unwrap_or(first),
        };
        sql::insert_recurring(tx, &pass).await?;
        facts::recurring_changed(context, tx, &pass).await?;
        plan::plan(context, tx, &pass).await?;
        answer(201, &shown(pass, today))
    })
    .await?;
    stored(&made, "/api/recurring-visits")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    if !has_lists(&actor) {
        return Err(super::visits::no_visits().into());
    }
    let mut query = Query::of(request)?;
    let page = query.page(VisitId::parse)?;
    query.finish()?;
    let found = sql::recurrings(&context.db, &actor, (&page, context.now)).await?;
    // In a list the day is that of the tenant's usual zone: only the pass itself is shown to the hour.
    let today = kernel::Zone::SHANGHAI.local(context.now).date;
    Ok(Reply::ok(&page.listing(
        found,
        |pass| pass.id.to_string(),
        |pass| shown(pass, today),
    )))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    recurring: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id = path_id(recurring, unknown_recurring)?;
    let (pass, relation) = known(context, &context.db, &actor, &id).await?;
    let today = today(context, &context.db, &actor, &pass.community).await?;
    let token = match relation {
        Relation::Reader => None,
        Relation::Host | Relation::Manager => {
            Some(context.token_key.token(&actor.tenant, &pass.id)?)
        }
    };
    let shown = ShownRecurring {
        token,
        ..shown(pass, today)
    };
    Ok(private(Reply::ok(&shown)))
}

pub(super) async fn revoke(
    context: &Context,
    request: &Request,
    recurring: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let id: VisitId = path_id(recurring, unknown_recurring)?;
    let because = because(request)?;
    let revoked = write(context, request, &actor, async |tx| {
        let (pass, relation) = known(context, &*tx, &actor, &id).await?;
        let signed = on_behalf(&actor, relation, because.clone())?;
        plan::end_recurring(context, tx, &pass, signed.end(context.now)).await?;
        let today = today(context, &*tx, &actor, &pass.community).await?;
        let pass = sql::recurring(&*tx, &actor.tenant, &id).await?;
        answer(200, &shown(pass.ok_or_else(unknown_recurring)?, today))
    })
    .await?;
    replied(&revoked)
}

async fn known(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    id: &VisitId,
) -> anyhow::Result<(Recurring, Relation)> {
    let pass = sql::recurring(db, &actor.tenant, id).await?;
    let pass = pass.ok_or_else(unknown_recurring)?;
    let place = (&pass.community, &pass.room.room);
    let relation = relation_to(context, db, actor, place).await?;
    Ok((pass, relation.ok_or_else(unknown_recurring)?))
}

/// The date by the community's clocks.
async fn today(
    context: &Context,
    db: &impl Read,
    actor: &Actor,
    community: &CommunityId,
) -> anyhow::Result<NaiveDate> {
    let zone = places::zone(db, &actor.tenant, community).await?;
    let zone = zone.unwrap_or(kernel::Zone::SHANGHAI);
    Ok(zone.local(context.now).date)
}

fn shown(pass: Recurring, today: NaiveDate) -> ShownRecurring {
    let state = pass.state_name(today);
    ShownRecurring {
        id: pass.id,
        community: pass.community,
        building: pass.room.building,
        unit: pass.room.unit,
        room: pass.room.room,
        visitor: pass.visitor.map(ShownVisitor::from),
        host: pass.signed.by,
        reason: pass.signed.reason.map(|reason| reason.as_str().to_owned()),
        days: pass.weekly.days.names(),
        from: ClockTime(pass.weekly.minute_from),
        until: ClockTime(pass.weekly.minute_until),
        first_day: pass.weekly.first,
        last_day: pass.weekly.last,
        uses_max: pass.uses_max.count(),
        created_at: pass.created_at,
        state,
        end: match pass.state {
            RecurringState::Active => None,
            RecurringState::Revoked(end) => Some(end.into()),
        },
        token: None,
    }
}
