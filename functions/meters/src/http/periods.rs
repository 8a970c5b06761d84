//! `/api/meter-periods`: closing months, and what was closed.

use kernel::{CommunityId, Message, MeterId, Refusal, RoomId, Timestamp, UsageId};
use serde::{Deserialize, Serialize};
use web::{Query, Reply, Request};

use super::meters::lists_meters;
use super::readings::{NewBands, named_bands};
use super::{Text, caller, zone};
use crate::closing::{self, Closing, Report};
use crate::consume;
use crate::context::Context;
use crate::domain::Month;
use crate::domain::caller::{managers_only, managing_kinds};
use crate::domain::month::MonthError;
use crate::store::periods::{self as sql, Usage, UsageFilter};

impl TryFrom<String> for Month {
    type Error = MonthError;
    fn try_from(text: String) -> Result<Self, MonthError> {
        Self::parse(&text)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPeriod {
    community: CommunityId,
    period: Text<Month>,
    #[serde(default)]
    estimate: bool,
}

#[derive(Serialize)]
struct ShownPeriod {
    community: CommunityId,
    period: String,
    #[serde(flatten)]
    report: Report,
}

#[derive(Serialize)]
struct ShownUsage {
    id: UsageId,
    meter: MeterId,
    community: CommunityId,
    commodity: String,
    room: Option<RoomId>,
    area: Option<String>,
    period: String,
    from: Timestamp,
    until: Timestamp,
    quantity_milli: i64,
    bands_milli: Option<NewBands>,
    estimated: bool,
    revision: u32,
    register_from_milli: i64,
    register_until_milli: i64,
}

pub(super) async fn close(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    managing_kinds(&actor)?;
    let new: NewPeriod = web::body(request)?;
    managers_only(&actor, &new.community)?;
    let zone = zone(context, &actor, &new.community).await?;
    let month = new.period.0;
    if month.end(zone) > context.now {
        return Err(not_over().into());
    }
    let closing = Closing {
        community: &new.community,
        month,
        zone,
        estimate: new.estimate,
    };
    // Closing again adds nothing, so that it needs no record of the request.
    let report = closing::close(context, &actor.tenant, &closing).await?;
    Ok(Reply::ok(&ShownPeriod {
        community: new.community.clone(),
        period: month.to_string(),
        report,
    }))
}

fn not_over() -> Refusal {
    Refusal::conflict(
        "period_not_over",
        Message::new(
            "This month is not over yet in the community. Close it when it is.",
            "该月在本小区尚未结束，请在月末之后结账。",
        ),
    )
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    lists_meters(&actor)?;
    let mut query = Query::of(request)?;
    let page = query.page(UsageId::parse)?;
    let filter = UsageFilter {
        community: query.take("community", CommunityId::parse)?,
        period: query.take("period", Month::parse)?,
        meter: query.take("meter", MeterId::parse)?,
    };
    query.finish()?;
    consume::catch_up(context, &actor.tenant).await?;
    let found = sql::usages(&context.db, &actor, &filter, (&page, context.now)).await?;
    Ok(Reply::ok(&page.listing(
        found,
        |usage| usage.id.to_string(),
        ShownUsage::from,
    )))
}

impl From<Usage> for ShownUsage {
    fn from(usage: Usage) -> Self {
        Self {
            room: usage.object.room().cloned(),
            area: usage.object.area().map(str::to_owned),
            id: usage.id,
            meter: usage.meter,
            community: usage.community,
            commodity: usage.commodity,
            period: usage.period,
            from: usage.from,
            until: usage.until,
            quantity_milli: usage.quantity_milli,
            bands_milli: usage.bands.map(named_bands),
            estimated: usage.estimated,
            revision: usage.revision,
            register_from_milli: usage.register_from_milli,
            register_until_milli: usage.register_until_milli,
        }
    }
}
