//! `/api/bidding/campaigns/{campaign}/qualities` and `.../report`: why a campaign is as good as it is, and what was
//! counted.

use kernel::{BidCampaignId, Currency, PlacementId, Timestamp};
use serde::Serialize;
use web::{Reply, Request};

use super::{caller, campaigns};
use crate::context::Context;
use crate::domain::{HOUR_MS, hour_of};
use crate::offering::day_of;
use crate::store::counts::Discarded;
use crate::store::{accruals, candidates, counts, sales};

/// How many days a report looks back.
const REPORT_DAYS: i64 = 31;
/// For how many hours qualities are shown, and how many of them at most.
const QUALITY_HOURS: i64 = 48;
const QUALITIES_MAX: i64 = 200;

#[derive(Serialize)]
struct ShownQuality {
    kind: &'static str,
    value: String,
    hour: Timestamp,
    views: i64,
    clicks: i64,
    click_bps: i64,
    relevance_bps: i64,
    landing_bps: i64,
    quality_bps: u32,
}

#[derive(Serialize)]
struct Report {
    campaign: BidCampaignId,
    currency: Currency,
    days: Vec<ShownDay>,
    invalid: Vec<Discarded>,
    /// What came of clicks where a ratio of the sale was bid; below zero where more went back.
    sales: Vec<sales::Day>,
    months: Vec<ShownMonth>,
}

#[derive(Serialize)]
struct ShownDay {
    day: String,
    views: i64,
    clicks: i64,
    spent_micros: i64,
    reserved_micros: i64,
}

#[derive(Serialize)]
struct ShownMonth {
    month: String,
    placement: Option<PlacementId>,
    events: i64,
    accrued_micros: i64,
    charged_minor: Option<i64>,
}

/// How good a campaign is for what it aims at, and why: in the hours in which it bid.
pub(super) async fn qualities(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let campaign = campaigns::seen(&context.db, &actor, campaign).await?;
    let from = hour_of(context.now.millis()) - QUALITY_HOURS;
    let of = (&campaign.id, from, QUALITIES_MAX);
    let frozen = candidates::qualities_of(&context.db, &actor.tenant, of).await?;
    let mut items = Vec::with_capacity(frozen.len());
    for frozen in frozen {
        items.push(ShownQuality {
            kind: frozen.kind.as_str(),
            value: frozen.value,
            hour: Timestamp::from_millis(frozen.hour * HOUR_MS)?,
            views: frozen.quality.counted.views,
            clicks: frozen.quality.counted.clicks,
            click_bps: frozen.quality.click_bps,
            relevance_bps: frozen.quality.relevance_bps,
            landing_bps: frozen.quality.landing_bps,
            quality_bps: frozen.quality.quality_bps,
        });
    }
    Ok(Reply::ok(&web::Listing { items, next: None }))
}

/// What was counted and what was not, by day, and what it comes to, by month.
pub(super) async fn report(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let campaign = campaigns::seen(&context.db, &actor, campaign).await?;
    let (db, of) = (&context.db, (&actor.tenant, &campaign.id));
    let from = day_of(context.now.plus_millis(-REPORT_DAYS * 24 * HOUR_MS));
    let until = day_of(context.now.plus_millis(24 * HOUR_MS));
    let days = counts::days(db, of, (&from, &until)).await?;
    let months = accruals::of_campaign(db, of.0, of.1).await?;
    let report = Report {
        days: days
            .into_iter()
            .map(|day| ShownDay {
                day: day.day,
                views: day.views,
                clicks: day.clicks,
                spent_micros: day.spent_micros,
                reserved_micros: day.reserved_micros,
            })
            .collect(),
        sales: sales::days(db, of, (&from, &until)).await?,
        invalid: counts::invalid(db, of, (&from, &until)).await?,
        months: months
            .into_iter()
            .map(
                |(placement, month, accrued_micros, events, charged_minor)| ShownMonth {
                    month,
                    placement,
                    events,
                    accrued_micros,
                    charged_minor,
                },
            )
            .collect(),
        campaign: campaign.id,
        currency: Currency::Cny,
    };
    Ok(Reply::ok(&report))
}
