//! `/api/bidding/campaigns`: what advertisers bid, on what, and for how much in all.

use advertising::MICROS_PER_MINOR;
use kernel::{
    Actor, BidCampaignId, CreativeId, Currency, MerchantId, Refusal, TenantId, Timestamp,
};
use serde::{Deserialize, Serialize};
use store::{Answer, Read, Tx};
use web::{IfMatch, Query, Reply, Request};
use wire::event::BidCampaignChanged;

use super::{answer, caller, form, path_id, replied, stored, write, write_once};
use crate::context::Context;
use crate::domain::{Campaign, CampaignState, Kind, Limits, Name, Step, unknown_campaign};
use crate::facts::append;
use crate::offering::day_of;
use crate::store::{Whose, campaigns as sql, counts};
use crate::terms::{NewTarget, above_reserves, limits, micros, targets, within};
use crate::{inbox, sealing};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCampaign {
    merchant: MerchantId,
    name: Name,
    kind: Kind,
    creative: CreativeId,
    bid_minor: i64,
    #[serde(default)]
    ratio_bps: Option<i64>,
    budget_minor: i64,
    daily_minor: i64,
    targets: Vec<NewTarget>,
    #[serde(default)]
    starts_at: Option<Timestamp>,
    #[serde(default)]
    ends_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedCampaign {
    name: Name,
    creative: CreativeId,
    bid_minor: i64,
    #[serde(default)]
    ratio_bps: Option<i64>,
    budget_minor: i64,
    daily_minor: i64,
    targets: Vec<NewTarget>,
    #[serde(default)]
    starts_at: Option<Timestamp>,
    #[serde(default)]
    ends_at: Option<Timestamp>,
}

impl NewCampaign {
    fn limits(&self) -> Limits {
        limits(
            (self.bid_minor, self.ratio_bps),
            (self.budget_minor, self.daily_minor),
        )
    }
}

impl ChangedCampaign {
    fn limits(&self) -> Limits {
        limits(
            (self.bid_minor, self.ratio_bps),
            (self.budget_minor, self.daily_minor),
        )
    }
}

#[derive(Serialize)]
struct ShownCampaign {
    id: BidCampaignId,
    merchant: MerchantId,
    name: String,
    kind: &'static str,
    creative: CreativeId,
    /// For a click, for a thousand views, or the most for a sale.
    bid_minor: i64,
    /// What is bid of a sale.
    ratio_bps: Option<i64>,
    budget_minor: i64,
    daily_minor: i64,
    /// In 1/1,000,000 yuan: views cost less than a fen.
    reserved_micros: i64,
    spent_micros: i64,
    currency: Currency,
    targets: Vec<ShownTarget>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    state: &'static str,
    views: i64,
    clicks: i64,
    version: i64,
}

#[derive(Serialize)]
struct ShownTarget {
    kind: &'static str,
    value: String,
}

pub(super) async fn create(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: NewCampaign = web::body(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let made = write_once(context, request, &actor, async |tx| {
        form::acted(tx, &actor, &new.merchant).await?;
        let limits = new.limits();
        limits.check(new.kind)?;
        let starts_at = new.starts_at.unwrap_or(context.now);
        let targets = targets(new.kind, &new.targets)?;
        within((starts_at, new.ends_at))?;
        let campaign = Campaign {
            id: context.new_id()?,
            merchant: new.merchant.clone(),
            name: new.name.as_str().to_owned(),
            kind: new.kind,
            creative: new.creative.clone(),
            bid_minor: new.bid_minor,
            ratio_bps: new.ratio_bps,
            bid_version: sql::last_bid_version(tx).await? + 1,
            budget_micros: micros(new.budget_minor),
            daily_micros: micros(new.daily_minor),
            reserved_micros: 0,
            spent_micros: 0,
            starts_at,
            ends_at: new.ends_at,
            state: CampaignState::Draft,
            views: 0,
            clicks: 0,
            version: 1,
            made_at: context.now,
        };
        above_reserves(tx, (&campaign, &targets)).await?;
        sql::insert(tx, &campaign).await?;
        sql::put_targets(tx, &campaign.id, &targets).await?;
        tell(context, tx, &actor, &campaign).await?;
        answer(201, &shown(context, &*tx, tx.tenant(), campaign).await?)
    })
    .await?;
    stored(&made, "/api/bidding/campaigns")
}

pub(super) async fn list(context: &Context, request: &Request) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let mut query = Query::of(request)?;
    let page = query.page(BidCampaignId::parse)?;
    let whose = Whose::of(&actor, query.take("merchant", MerchantId::parse)?)?;
    query.finish()?;
    inbox::catch_up(context, &actor.tenant).await?;
    let found = sql::campaigns(&context.db, (&actor.tenant, &whose), &page).await?;
    let listing = page.listing(
        found,
        |campaign| campaign.id.to_string(),
        |campaign| campaign,
    );
    let mut items = Vec::new();
    for campaign in listing.items {
        items.push(shown(context, &context.db, &actor.tenant, campaign).await?);
    }
    Ok(Reply::ok(&web::Listing {
        items,
        next: listing.next,
    }))
}

pub(super) async fn show(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let campaign = seen(&context.db, &actor, campaign).await?;
    let version = campaign.version;
    let campaign = shown(context, &context.db, &actor.tenant, campaign).await?;
    Ok(Reply::ok(&campaign).with_etag(version))
}

pub(super) async fn change(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    let new: ChangedCampaign = web::body(request)?;
    let condition = web::required_if_match(request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let changed = write_once(context, request, &actor, async |tx| {
        let before = acted(tx, &actor, campaign).await?;
        condition.check(before.version)?;
        before.changeable()?;
        let limits = new.limits();
        limits.check(before.kind)?;
        before.covers(micros(new.budget_minor))?;
        let targets = targets(before.kind, &new.targets)?;
        let starts_at = new.starts_at.unwrap_or(before.starts_at);
        within((starts_at, new.ends_at))?;
        let is_same_bid = (before.bid_minor, before.ratio_bps) == (new.bid_minor, new.ratio_bps);
        let after = Campaign {
            name: new.name.as_str().to_owned(),
            creative: new.creative.clone(),
            bid_minor: new.bid_minor,
            ratio_bps: new.ratio_bps,
            bid_version: match is_same_bid {
                true => before.bid_version,
                false => sql::last_bid_version(tx).await? + 1,
            },
            budget_micros: micros(new.budget_minor),
            daily_micros: micros(new.daily_minor),
            starts_at,
            ends_at: new.ends_at,
            version: before.version + 1,
            ..before
        };
        if after.state == CampaignState::Active {
            sealing::may_bid(tx, (&after.merchant, &after.creative)).await?;
        }
        above_reserves(tx, (&after, &targets)).await?;
        sql::update(tx, &after).await?;
        let limits = (after.bid_micros(), after.daily_micros);
        counts::limit_day(tx, (&after.id, &day_of(context.now)), limits).await?;
        sql::put_targets(tx, &after.id, &targets).await?;
        tell(context, tx, &actor, &after).await?;
        answer(200, &shown(context, &*tx, tx.tenant(), after).await?)
    })
    .await?;
    replied(&changed)
}

pub(super) async fn activate(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    step(context, request, (campaign, Step::Activate)).await
}

pub(super) async fn pause(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    step(context, request, (campaign, Step::Pause)).await
}

pub(super) async fn end(
    context: &Context,
    request: &Request,
    campaign: &str,
) -> anyhow::Result<Reply> {
    step(context, request, (campaign, Step::End)).await
}

async fn step(
    context: &Context,
    request: &Request,
    (campaign, step): (&str, Step),
) -> anyhow::Result<Reply> {
    let actor = caller(context, request)?;
    inbox::catch_up(context, &actor.tenant).await?;
    let condition = web::if_match(request);
    let stepped = write(context, request, &actor, async |tx| {
        stepped(context, tx, &actor, (campaign, step, condition.as_ref())).await
    })
    .await?;
    replied(&stepped)
}

async fn stepped(
    context: &Context,
    tx: &mut Tx,
    actor: &Actor,
    (campaign, step, condition): (&str, Step, Option<&IfMatch>),
) -> anyhow::Result<Answer> {
    let before = acted(tx, actor, campaign).await?;
    if let Some(condition) = condition {
        condition.check(before.version)?;
    }
    let after = Campaign {
        state: before.step(step)?,
        version: before.version + 1,
        ..before
    };
    if step == Step::Activate {
        sealing::may_bid(tx, (&after.merchant, &after.creative)).await?;
        let targets = sql::targets(tx, tx.tenant(), &after.id).await?;
        above_reserves(tx, (&after, &targets)).await?;
    }
    sql::update(tx, &after).await?;
    tell(context, tx, actor, &after).await?;
    answer(200, &shown(context, &*tx, tx.tenant(), after).await?)
}

async fn shown(
    context: &Context,
    db: &impl Read,
    tenant: &TenantId,
    campaign: Campaign,
) -> anyhow::Result<ShownCampaign> {
    let targets = sql::targets(db, tenant, &campaign.id).await?;
    Ok(ShownCampaign {
        state: campaign.shown_state(context.now),
        merchant: campaign.merchant,
        name: campaign.name,
        kind: campaign.kind.as_str(),
        creative: campaign.creative,
        bid_minor: campaign.bid_minor,
        ratio_bps: campaign.ratio_bps,
        budget_minor: campaign.budget_micros / MICROS_PER_MINOR,
        daily_minor: campaign.daily_micros / MICROS_PER_MINOR,
        reserved_micros: campaign.reserved_micros,
        spent_micros: campaign.spent_micros,
        currency: Currency::Cny,
        targets: targets
            .into_iter()
            .map(|target| ShownTarget {
                kind: target.kind.as_str(),
                value: target.value,
            })
            .collect(),
        starts_at: campaign.starts_at,
        ends_at: campaign.ends_at,
        views: campaign.views,
        clicks: campaign.clicks,
        version: campaign.version,
        id: campaign.id,
    })
}

/// A campaign that the caller may see.
pub(super) async fn seen(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Campaign> {
    let id: BidCampaignId = path_id(text, unknown_campaign)?;
    let found = sql::campaign(db, &actor.tenant, &id).await?;
    let found = found.ok_or_else(unknown_campaign)?;
    if form::seen(db, actor, &found.merchant)
        .await
        .is_err_and(|error| error.is::<Refusal>())
    {
        return Err(unknown_campaign().into());
    }
    Ok(found)
}

/// A campaign that the caller may change.
async fn acted(db: &impl Read, actor: &Actor, text: &str) -> anyhow::Result<Campaign> {
    let found = seen(db, actor, text).await?;
    form::acted(db, actor, &found.merchant).await?;
    Ok(found)
}

async fn tell(
    context: &Context,
    tx: &Tx,
    actor: &Actor,
    campaign: &Campaign,
) -> anyhow::Result<()> {
    let fact = BidCampaignChanged {
        campaign: campaign.id.clone(),
        merchant: campaign.merchant.clone(),
        creative: campaign.creative.clone(),
        state: campaign.state.as_str().to_owned(),
        bid_minor: campaign.bid_minor,
        ratio_bps: campaign.ratio_bps,
        budget_minor: campaign.budget_micros / MICROS_PER_MINOR,
        daily_minor: campaign.daily_micros / MICROS_PER_MINOR,
        currency: Currency::Cny,
        version: campaign.version,
        actor: actor.id.clone(),
        at: context.now,
    };
    append(context, tx, &fact).await
}
